//go:build linux

package peers_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limited returns a context that ends what hangs.
func limited(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// A payload is what travels, the same in both directions.
type payload struct {
	content []byte
	file    string // with the content
}

// megabytes is 4 MB: more than any buffers on the way hold.
func megabytes(tb testing.TB) payload {
	tb.Helper()
	p := payload{content: make([]byte, 4_000_000), file: filepath.Join(tb.TempDir(), "payload")}
	_, _ = rand.NewChaCha8([32]byte{}).Read(p.content) // never fails
	require.NoError(tb, os.WriteFile(p.file, p.content, 0o600))
	return p
}

// open opens the file until the end of the test.
func (p payload) open(tb testing.TB) *os.File {
	tb.Helper()
	f, err := os.Open(p.file)
	require.NoError(tb, err)
	tb.Cleanup(func() { f.Close() })
	return f
}

// parts are the ways in which two sides exchange a payload and end once each.
var parts = []struct {
	name   string
	ours   func(*testing.T, context.Context, stream.ByteStream, payload)
	theirs string
}{
	{"we end first", first, "second"},
	{"they end first", second, "first"},
	{"both at once", both, "echo"},
}

// first sends, ends, and then receives. Nobody sends before the end came.
func first(t *testing.T, ctx context.Context, s stream.ByteStream, p payload) {
	t.Helper()
	send(t, ctx, s, p)
	receive(t, ctx, s, p)
}

func second(t *testing.T, ctx context.Context, s stream.ByteStream, p payload) {
	t.Helper()
	receive(t, ctx, s, p)
	send(t, ctx, s, p)
}

func both(t *testing.T, ctx context.Context, s stream.ByteStream, p payload) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() { send(t, ctx, s, p) })
	receive(t, ctx, s, p)
	wg.Wait()
}

func send(t *testing.T, ctx context.Context, s stream.ByteStream, p payload) {
	t.Helper()
	if _, err := s.Send(ctx, p.content); assert.NoError(t, err) {
		assert.NoError(t, s.SendEOF(ctx))
	}
}

// receive wants the payload and a clean end behind it.
func receive(t *testing.T, ctx context.Context, s stream.ByteReceiver, p payload) {
	t.Helper()
	got, err := io.ReadAll(stream.NewReader(ctx, s))
	assert.NoError(t, err)
	assert.True(t, bytes.Equal(p.content, got), "the payload, and not these %d bytes", len(got))
}

// A transport is one of ours that others have as well.
type transport struct {
	name   string
	local  string // where to listen
	listen func(ctx context.Context, addr string) (stream.Listener[stream.ByteStream], error)
	dial   func(ctx context.Context, addr string) (stream.ByteStream, error)
}

func listenTCP(ctx context.Context, addr string) (stream.Listener[stream.ByteStream], error) {
	ln, err := tcp.Listen(ctx, addr, nil)
	if err != nil {
		return nil, err
	}
	return listener.Of(ln), nil
}

func dialTCP(ctx context.Context, addr string) (stream.ByteStream, error) {
	return tcp.Dial(ctx, addr, nil)
}

func listenUnix(ctx context.Context, name string) (stream.Listener[stream.ByteStream], error) {
	ln, err := unix.Listen(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	return listener.Of(ln), nil
}

func dialUnix(ctx context.Context, name string) (stream.ByteStream, error) {
	return unix.Dial(ctx, name, nil)
}

// listening starts to listen until the end of the test, and returns where.
func (tr transport) listening(t *testing.T, ctx context.Context) (ln stream.Listener[stream.ByteStream], addr string) {
	t.Helper()
	ln, err := tr.listen(ctx, tr.local)
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	local, err := tcp.LocalAddr.Get(ln)
	require.NoError(t, err)
	return ln, local.String()
}

// accept returns the next stream of ln, which the end of the test closes.
func accept[S stream.ByteStream](t *testing.T, ctx context.Context, ln stream.Listener[S]) S {
	t.Helper()
	s, err := ln.Accept(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// place returns a path in a directory of its own, short enough for a socket and without what
// socat takes for a part of its own language.
func place(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "peer") //nolint:usetesting // TempDir has the test's name in it, which may be long
	require.NoError(tb, err)
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

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

// versions are those that TLS is tested with.
var versions = []tls.ProtocolVersion{tls.VersionTLS12, tls.VersionTLS13}

// configs returns what a server and a client need for one version.
func configs(tb testing.TB, version tls.ProtocolVersion) (server, client *tls.Config) {
	tb.Helper()
	p, err := usual()
	require.NoError(tb, err)
	v := uint16(version)
	server = &tls.Config{Certificates: []tls.Certificate{p.server}, MinVersion: v, MaxVersion: v}
	client = &tls.Config{RootCAs: p.ca.Pool(), ServerName: "localhost", MinVersion: v, MaxVersion: v}
	return server, client
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
