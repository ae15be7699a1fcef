package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/internal/golden"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout bounds every conversation of these tests.
const testTimeout = 30 * time.Second

// A testServer is a server on loopback, and what it did.
type testServer struct {
	addr      string
	caFile    string
	roots     *x509.CertPool
	delivered chan message
	failed    *lockedBuffer // the log of sessions that failed
	printed   *lockedBuffer
}

// startServer starts a server that ends with the test.
func startServer(t *testing.T, configure ...func(*tls.Config)) *testServer {
	t.Helper()
	ca, cfg, err := newAuthority("localhost")
	require.NoError(t, err)
	for _, f := range configure {
		f(cfg)
	}
	caFile, err := ca.WritePEM(t.TempDir())
	require.NoError(t, err)
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)

	ts := &testServer{
		addr: addressOf(ln), caFile: caFile, roots: ca.Pool(),
		delivered: make(chan message, 10), failed: new(lockedBuffer), printed: new(lockedBuffer),
	}
	srv := &server{
		name: "mail.example", tls: cfg,
		deliver: func(m message) error { ts.delivered <- m; return nil },
		log:     slog.New(slog.NewTextHandler(ts.failed, nil)),
		out:     &printer{w: ts.printed},
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return ts
}

// received returns the message that must have arrived by now.
func (ts *testServer) received(t *testing.T) message {
	t.Helper()
	select {
	case m := <-ts.delivered:
		return m
	default:
		t.Fatalf("no message arrived; the server says: %s", ts.failed)
		return message{}
	}
}

// wantBody is the message of the golden session.
func wantBody(t *testing.T) string {
	t.Helper()
	turns, err := golden.Dialogue("smtp/message.txt")
	require.NoError(t, err)
	require.Len(t, turns, 1)
	return string(turns[0].Data)
}

// runProgram runs a program with input and returns what it printed.
func runProgram(t *testing.T, input, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A lockedBuffer may be written and read at the same time.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// freeAddr returns an address on which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	return addressOf(ln)
}

// waitFor returns once a condition holds that nothing announces.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(testTimeout); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("nothing happened")
		}
	}
}
