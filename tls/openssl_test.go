package tls_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// opensslFlags choose the version in openssl's words.
var opensslFlags = map[uint16]string{
	tls.VersionTLS12: "-tls1_2",
	tls.VersionTLS13: "-tls1_3",
}

// An openssl is a running s_client or s_server.
type openssl struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// runOpenssl starts openssl; the test's end kills it.
func runOpenssl(t *testing.T, args ...string) *openssl {
	t.Helper()
	path := peers.Program(t, "openssl", "openssl")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	cmd := exec.CommandContext(ctx, path, args...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	require.NoError(t, cmd.Start())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // killed or not, what it said is in out
		_ = w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		_ = out.Close()
		<-done
	})
	return &openssl{in: in, out: bufio.NewReader(out)}
}

// until reads lines until one has the given prefix.
func (o *openssl) until(t *testing.T, prefix string) string {
	t.Helper()
	var said strings.Builder
	for {
		line, err := o.out.ReadString('\n')
		said.WriteString(line)
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(line)
		}
		require.NoError(t, err, "openssl said:\n%s", &said)
	}
}

func (o *openssl) say(t *testing.T, what string) {
	t.Helper()
	_, err := io.WriteString(o.in, what)
	require.NoError(t, err)
}

// opensslFiles are certificates as openssl wants them.
func opensslFiles(t *testing.T) (ca, cert, key string) {
	t.Helper()
	p, err := usual()
	require.NoError(t, err)
	dir := t.TempDir()
	ca, err = p.ca.WritePEM(dir)
	require.NoError(t, err)
	cert, key, err = testpki.WritePEM(dir, "server", p.server)
	require.NoError(t, err)
	return ca, cert, key
}

func TestOpensslServer(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			_, cert, key := opensslFiles(t)
			o := runOpenssl(t, "s_server", "-accept", "127.0.0.1:0", "-naccept", "1",
				"-cert", cert, "-key", key, "-alpn", "test", opensslFlags[v.version])
			addr := strings.TrimPrefix(o.until(t, "ACCEPT"), "ACCEPT ")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			raw, err := net.Dial("tcp", addr)
			require.NoError(t, err)
			_, client := usualConfigs(t, v.version)
			client.NextProtos = []string{"test"}
			c, err := tls.WrapClient(ctx, netconn.Wrap(raw), client, nil)
			require.NoError(t, err)
			defer c.Close()
			wantFact(t, tls.ALPN, c, "test")

			talk := func() {
				_, err = c.Send(ctx, []byte("to openssl\n"))
				require.NoError(t, err)
				o.until(t, "to openssl")
				o.say(t, "from openssl\n")
				require.Equal(t, "from openssl\n", string(receiveExactly(t, ctx, c, 13)))
			}
			talk()
			if v.version == tls.VersionTLS13 {
				o.say(t, "K\n") // new keys, and it wants ours too
				talk()
				o.say(t, "K\n")
				talk()
			}
			require.NoError(t, c.Shutdown(ctx)) // openssl answers close_notify
		})
	}
}

func TestOpensslClient(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			ca, _, _ := opensslFiles(t)
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer ln.Close()
			server, _ := usualConfigs(t, v.version)
			listening := tls.NewListener(netconn.WrapListener(ln), server, nil)
			defer listening.Close()
			o := runOpenssl(t, "s_client", "-connect", ln.Addr().String(), "-servername", "localhost",
				"-CAfile", ca, "-verify_return_error", "-verify_hostname", "localhost", opensslFlags[v.version])
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := listening.Accept(ctx)
			require.NoError(t, err)
			defer s.Close()
			wantFact(t, tls.ServerName, s, "localhost")

			talk := func() {
				o.say(t, "from openssl\n")
				require.Equal(t, "from openssl\n", string(receiveExactly(t, ctx, s, 13)))
				_, err = s.Send(ctx, []byte("to openssl\n"))
				require.NoError(t, err)
				o.until(t, "to openssl")
			}
			talk()
			if v.version == tls.VersionTLS13 {
				o.say(t, "K\n")
				o.until(t, "KEYUPDATE")
				talk()
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Shutdown(ctx) }()
			o.until(t, "closed")
			assert.NoError(t, <-ended)
		})
	}
}

func TestOpensslRefusesAWrongName(t *testing.T) {
	ca, _, _ := opensslFiles(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server, _ := usualConfigs(t, tls.VersionTLS12)
	failed := newFailures()
	listening := tls.NewListener(netconn.WrapListener(ln), server, &tls.Options{OnError: failed.onError})
	defer listening.Close()
	accepted := make(chan *tls.Conn, 1)
	go func() {
		defer close(accepted)
		if s, err := listening.Accept(context.Background()); err == nil {
			accepted <- s
		}
	}()
	o := runOpenssl(t, "s_client", "-connect", ln.Addr().String(), "-CAfile", ca,
		"-verify_return_error", "-verify_hostname", "other.example", "-tls1_2")
	o.until(t, "verify error")
	require.ErrorContains(t, <-failed.errs, "bad certificate")
	require.NoError(t, listening.Close())
	require.Nil(t, <-accepted)
}

// TestOpensslRenegotiationIsRefused has openssl ask for another handshake in the middle of a
// session of TLS 1.2, as a server and as a client.
func TestOpensslRenegotiationIsRefused(t *testing.T) {
	ca, cert, key := opensslFiles(t)
	server, client := usualConfigs(t, tls.VersionTLS12)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	refuses := func(t *testing.T, c *tls.Conn, o *openssl, command string) {
		t.Helper()
		o.say(t, "hello\n")
		require.Equal(t, "hello\n", string(receiveExactly(t, ctx, c, 6)))
		o.say(t, command+"\n")
		_, err := c.Receive(ctx, make([]byte, 1))
		require.ErrorIs(t, err, stream.ErrBroken)
		require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorContains(t, err, "tls: ")
		require.NoError(t, c.Close()) // and tells why
	}
	t.Run("server", func(t *testing.T) {
		o := runOpenssl(t, "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", cert, "-key", key, "-tls1_2")
		addr := strings.TrimPrefix(o.until(t, "ACCEPT"), "ACCEPT ")
		raw, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		c, err := tls.WrapClient(ctx, netconn.Wrap(raw), client, nil)
		require.NoError(t, err)
		refuses(t, c, o, "r")
	})
	t.Run("client", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		listening := tls.NewListener(netconn.WrapListener(ln), server, nil)
		defer listening.Close()
		o := runOpenssl(t, "s_client", "-connect", ln.Addr().String(), "-CAfile", ca, "-tls1_2")
		s, err := listening.Accept(ctx)
		require.NoError(t, err)
		refuses(t, s, o, "R")
	})
}
