//go:build linux

package peers_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

// TestNcatSendsAndReceives has ncat pass on a file, and show what comes back after its
// end.
func TestNcatSendsAndReceives(t *testing.T) {
	p := megabytes(t)
	path := place(t)
	for _, tt := range []struct {
		transport
		flags []string
	}{
		{transport{"TCP, IPv4", "127.0.0.1:0", listenTCP, dialTCP}, nil},
		{transport{"TCP, IPv6", "[::1]:0", listenTCP, dialTCP}, []string{"-6"}},
		{transport{"UNIX", path, listenUnix, dialUnix}, []string{"-U"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := limited(t)
			ln, addr := tt.listening(t, ctx)
			r := ncat(t, p.open(t), append(tt.flags, ncatAddress(addr)...)...)
			second(t, ctx, accept(t, ctx, ln), p)
			assert.True(t, r.Wait(t) == string(p.content), "the payload")
		})
	}
}

func ncat(t *testing.T, stdin *os.File, args ...string) *peers.Running {
	t.Helper()
	return peers.Start(t, stdin, "ncat", "ncat", args...)
}

// ncatAddress returns an address as ncat's arguments.
func ncatAddress(addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return []string{addr}
	}
	return []string{host, port}
}

// TestNcatEndsTLSWithoutSayingSo has ncat pass on a file under TLS. At its end it ends
// the TCP connection, without close_notify: whether that is an end is up to us.
func TestNcatEndsTLSWithoutSayingSo(t *testing.T) {
	p := megabytes(t)
	for _, version := range versions {
		t.Run(version.String()+", strict", func(t *testing.T) {
			_, s := ncatUnderTLS(t, version, p, nil)
			got, err := io.ReadAll(stream.NewReader(limited(t), s))
			require.ErrorIs(t, err, stream.ErrBroken)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.True(t, bytes.Equal(p.content, got), "all of it, but for the end")
		})
		t.Run(version.String()+", tolerant", func(t *testing.T) {
			r, s := ncatUnderTLS(t, version, p, &tls.Options{AllowTruncation: true})
			second(t, limited(t), s, p)
			assert.True(t, r.Wait(t) == string(p.content), "the payload")
			clean, err := tls.EndedCleanly.Get(s)
			require.NoError(t, err)
			assert.False(t, clean)
		})
	}
}

func ncatUnderTLS(t *testing.T, version tls.ProtocolVersion, p payload, opt *tls.Options) (*peers.Running, *tls.Conn) {
	t.Helper()
	ctx := limited(t)
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	server, _ := configs(t, version)
	ln := tls.NewListener(below, server, opt)
	t.Cleanup(func() { ln.Close() })
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	r := ncat(t, p.open(t), "-4", "--ssl", "--ssl-verify", "--ssl-trustfile", files(t).CA, "localhost", fmt.Sprint(addr.Port()))
	s := accept(t, ctx, ln)
	got, err := tls.Version.Get(s)
	require.NoError(t, err)
	require.Equal(t, version, got)
	return r, s
}

func TestNcatSendsPackets(t *testing.T) {
	ctx := limited(t)
	conn, err := udp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer conn.Close()
	addr, _ := udp.LocalAddrPort.Lookup(conn)
	stdin, in, err := os.Pipe()
	require.NoError(t, err)
	defer stdin.Close()
	defer in.Close()
	r := ncat(t, stdin, append([]string{"-u"}, ncatAddress(addr.String())...)...)
	for _, data := range []string{"a packet", "another"} {
		_, err := in.WriteString(data)
		require.NoError(t, err)
		got, err := conn.Receive(ctx)
		require.NoError(t, err)
		assert.Equal(t, data, string(got.Data))
		require.NoError(t, conn.Send(ctx, got))
		r.WaitFor(t, data)
	}
	require.NoError(t, in.Close())
	assert.Equal(t, "a packetanother", r.Wait(t))
}
