package starttls_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout bounds every conversation of these tests.
const testTimeout = time.Minute

// A negotiator is either side of a protocol.
type negotiator func(context.Context, stream.ByteStream) (*buffered.Stream, error)

// versions are those that tests with real peers run over.
var versions = map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

type pki struct {
	ca     *testpki.CA
	server tls.Certificate
}

var usual = sync.OnceValues(func() (*pki, error) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		return nil, err
	}
	cert, err := ca.Issue(testpki.Server)
	return &pki{ca, cert}, err
})

// configs returns what a server and a client need; version 0 is any.
func configs(tb testing.TB, version uint16) (server, client *tls.Config) {
	tb.Helper()
	p, err := usual()
	require.NoError(tb, err)
	server = &tls.Config{Certificates: []tls.Certificate{p.server}, MinVersion: version, MaxVersion: version}
	client = &tls.Config{RootCAs: p.ca.Pool(), ServerName: "localhost", MinVersion: version, MaxVersion: version}
	return server, client
}

// bubbleConfigs is configs for a synctest bubble, whose clock starts in 2000.
func bubbleConfigs(tb testing.TB) (server, client *tls.Config) {
	tb.Helper()
	ca, err := testpki.New(time.Now())
	require.NoError(tb, err)
	cert, err := ca.Issue(testpki.Server)
	require.NoError(tb, err)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
}

// files writes the certificates for programs that read files.
func files(tb testing.TB) peers.Files {
	tb.Helper()
	p, err := usual()
	require.NoError(tb, err)
	dir := tb.TempDir()
	ca, err := p.ca.WritePEM(dir)
	require.NoError(tb, err)
	cert, key, err := testpki.WritePEM(dir, "server", p.server)
	require.NoError(tb, err)
	return peers.Files{CA: ca, Cert: cert, Key: key}
}

// limited returns a context that ends what hangs.
func limited(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), testTimeout)
	tb.Cleanup(cancel)
	return ctx
}

func dial(tb testing.TB, ctx context.Context, addr string) *tcp.Conn {
	tb.Helper()
	conn, err := tcp.Dial(ctx, addr, nil)
	require.NoError(tb, err)
	tb.Cleanup(func() { conn.Close() })
	return conn
}

// A step is what a scripted peer does. Only one of the fields is set.
type step struct {
	say      string   // in one segment
	segments []string // several, each when the last was taken; in a bubble
	hear     string   // exactly this, in plaintext or under TLS
	server   bool     // the handshake of a server
	client   bool     // the handshake of a client
	hangUp   bool
}

// script runs the steps against a negotiator, and returns what that made of it and
// what else it sent after the last step, until it closed or the test closed it.
func script(t *testing.T, side negotiator, steps ...step) (s *buffered.Stream, rest string, err error) {
	t.Helper()
	ctx := limited(t)
	ours, theirs := memory.Pipe(nil)
	heard := make(chan string, 1)
	go func() { heard <- play(t, ctx, theirs, steps) }()
	s, err = side(ctx, ours)
	if err == nil {
		t.Cleanup(func() { s.Close() })
		_ = s.SendEOF(ctx)
	}
	return s, <-heard, err
}

// play plays the part of the peer and then records what else comes.
func play(t *testing.T, ctx context.Context, conn stream.ByteStream, steps []step) string {
	defer func() { conn.Close() }()
	serverConfig, clientConfig := configs(t, 0)
	for _, st := range steps {
		switch {
		case st.say != "":
			if _, err := conn.Send(ctx, []byte(st.say)); err != nil {
				return "" // the other side gave up, and tells why
			}
		case st.hear != "":
			got := make([]byte, len(st.hear))
			if n, err := receiveFull(ctx, conn, got); err != nil {
				return string(got[:n])
			}
			assert.Equal(t, st.hear, string(got))
		case st.server:
			c, err := tls.WrapServer(ctx, conn, serverConfig, nil)
			if err != nil {
				return ""
			}
			conn = c
		case st.client:
			c, err := tls.WrapClient(ctx, conn, clientConfig, nil)
			if err != nil {
				return ""
			}
			conn = c
		case st.hangUp:
			conn.Close()
		}
	}
	return rest(ctx, conn)
}

func receiveFull(ctx context.Context, r stream.ByteReceiver, p []byte) (n int, err error) {
	for n < len(p) {
		m, err := r.Receive(ctx, p[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// rest receives until the end, whatever kind of end it is.
func rest(ctx context.Context, r stream.ByteReceiver) string {
	var all strings.Builder
	p := make([]byte, 512)
	for {
		n, err := r.Receive(ctx, p)
		all.Write(p[:n])
		if err != nil {
			return all.String()
		}
	}
}

func say(t *testing.T, ctx context.Context, s stream.ByteSender, what string) {
	t.Helper()
	_, err := s.Send(ctx, []byte(what))
	require.NoError(t, err)
}

// requireTLS requires s to be under TLS, and nothing to say that it is not.
func requireTLS(t *testing.T, s *buffered.Stream) {
	t.Helper()
	_, ok := tls.Version.Lookup(s)
	require.True(t, ok, "under TLS")
	_, ok = starttls.Plaintext.Lookup(s)
	require.False(t, ok, "nothing tells of plaintext")
}

// requirePlaintext requires s to be in plaintext and to tell why.
func requirePlaintext(t *testing.T, s *buffered.Stream, why starttls.Reason) {
	t.Helper()
	_, ok := tls.Version.Lookup(s)
	require.False(t, ok, "not under TLS")
	e, err := starttls.Plaintext.Get(s)
	require.NoError(t, err)
	require.Equal(t, why, e.Reason)
}

// answerCapabilities answers the command with which a client asks again under TLS,
// for a server of any protocol.
func answerCapabilities(ctx context.Context, s *buffered.Stream) error {
	line, err := s.ReceiveUntil(ctx, []byte("\r\n"), 4096)
	if err != nil {
		return err
	}
	answer := "250-m.example\r\n250 SIZE 100\r\n"
	switch {
	case string(line) == "CAPA":
		answer = "+OK\r\nUSER\r\n.\r\n"
	case strings.HasSuffix(string(line), " CAPABILITY"):
		answer = "* CAPABILITY IMAP4rev1\r\n" + strings.TrimSuffix(string(line), " CAPABILITY") + " OK\r\n"
	}
	_, err = s.Send(ctx, []byte(answer))
	return err
}
