package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/relay"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

// A transport makes two ends of a connection: a peer's, and the relay's.
type transport struct {
	name string
	pair func(t *testing.T) (peer, relayed stream.ByteStream)
}

var transports = []transport{
	{"tcp", func(t *testing.T) (peer, relayed stream.ByteStream) { return connected(t) }},
	{"unix", overUnix},
	{"tls", overTLS},
	{"memory", func(*testing.T) (peer, relayed stream.ByteStream) { return memory.Pipe(nil) }},
}

func overUnix(t *testing.T) (peer, relayed stream.ByteStream) {
	t.Helper()
	ln, err := unix.Listen(t.Context(), filepath.Join(t.TempDir(), "s"), nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, _ := unix.LocalAddr.Lookup(ln)
	dialed, err := unix.Dial(t.Context(), addr.String(), nil)
	require.NoError(t, err)
	accepted, err := ln.Accept(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return dialed, accepted
}

var configs = sync.OnceValues(func() (server, client *tls.Config) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
})

func overTLS(t *testing.T) (peer, relayed stream.ByteStream) {
	t.Helper()
	server, client := configs()
	a, b := connected(t)
	accepted := make(chan stream.ByteStream, 1)
	go func() {
		s, err := tls.WrapServer(t.Context(), b, server, nil)
		assert.NoError(t, err)
		accepted <- s
	}()
	dialed, err := tls.WrapClient(t.Context(), a, client, nil)
	require.NoError(t, err)
	return dialed, <-accepted
}

// between runs f for a relay between every two transports.
func between(t *testing.T, f func(t *testing.T, from, to transport, r *running)) {
	t.Helper()
	for _, from := range transports {
		for _, to := range transports {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				client, a := from.pair(t)
				server, b := to.pair(t)
				r := start(t.Context(), client, a, b, server, nil)
				t.Cleanup(func() { client.Close(); server.Close() })
				f(t, from, to, r)
			})
		}
	}
}

func TestEveryTransportIsRelayedToEveryOther(t *testing.T) {
	const size = 300_000
	want := make([]byte, size)
	_, _ = rand.Read(want)
	between(t, func(t *testing.T, _, _ transport, r *running) {
		sent := make(chan error, 1)
		go func() { // sends back what comes, and then the end
			got, err := io.ReadAll(stream.NewReader(t.Context(), r.server))
			if err == nil {
				_, err = r.server.Send(t.Context(), got)
			}
			sent <- errors.Join(err, r.server.SendEOF(t.Context()))
		}()
		asked := make(chan error, 1)
		go func() {
			_, err := r.client.Send(t.Context(), want)
			asked <- errors.Join(err, r.client.SendEOF(t.Context()))
		}()
		got, err := io.ReadAll(stream.NewReader(t.Context(), r.client))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got))
		require.NoError(t, errors.Join(<-asked, <-sent, <-r.done))
		assert.Equal(t, relay.Counts{AToB: size, BToA: size}, r.counts)
	})
}

func TestEveryTransportPassesABreakOn(t *testing.T) {
	between(t, func(t *testing.T, from, to transport, r *running) {
		send(t, r.client, "x")
		assertReceives(t, r.server, "x")
		// What nobody receives makes the end of a Unix socket a break.
		send(t, r.server, "y")
		require.NoError(t, stream.WaitReceive(t.Context(), r.client))
		require.NoError(t, stream.Abort(r.client, nil))
		_, err := r.server.Receive(t.Context(), make([]byte, 1))
		if to.name == "unix" {
			assert.Equal(t, io.EOF, err, "a Unix socket cannot be broken for its peer")
		} else {
			assert.ErrorIs(t, err, stream.ErrBroken)
		}
		assert.ErrorIs(t, <-r.done, stream.ErrBroken)
	})
}

// scrambled changes bytes on the way, as TLS does, and shows all attributes of
// the connection below.
type scrambled struct{ stream.Wrapper }

func (s scrambled) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := s.Wrapper.Receive(ctx, p)
	for i := range p[:n] {
		p[i] ^= 0x20
	}
	return n, err
}

func (s scrambled) Send(ctx context.Context, p []byte) (int, error) {
	return s.Wrapper.Send(ctx, bytes.Map(func(r rune) rune { return r ^ 0x20 }, p))
}

func TestRelayDoesNotGoPastALayer(t *testing.T) {
	client, a := connected(t)
	b, server := connected(t)
	layered := scrambled{stream.Wrapper{ByteStream: a}}
	_, ok := tcp.NetConn.Lookup(layered)
	require.True(t, ok, "the socket could be found")
	r := start(t.Context(), client, layered, b, server, nil)
	send(t, client, "question")
	assertReceives(t, server, "QUESTION")
	send(t, server, "answer")
	assertReceives(t, client, "ANSWER")
	require.NoError(t, errors.Join(client.SendEOF(t.Context()), server.SendEOF(t.Context()), <-r.done))
}

// TestRelayKnowsNoSockets holds that there is nothing in the package by which
// it could find what lies below a stream.
func TestRelayKnowsNoSockets(t *testing.T) {
	allowed := []string{
		"context", "errors", "fmt", "sync", "time",
		"github.com/strata-go/strata/stream", "github.com/strata-go/strata/structured",
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			require.NoError(t, err)
			assert.True(t, slices.Contains(allowed, path), "%s imports %s", name, path)
			seen++
		}
	}
	assert.NotZero(t, seen)
}

// refusing is a relay to a server that has answered and hung up, while the
// client, which goes on asking, takes no answer yet.
func refusing(t *testing.T) *running {
	t.Helper()
	client, a := memory.Pipe(&memory.Config{Buffer: -1})
	b, server := memory.Pipe(nil)
	send(t, server, "no, thank you")
	require.NoError(t, server.Close())
	r := start(t.Context(), client, a, b, server, nil)
	send(t, client, "question")
	synctest.Wait()
	return r
}

func TestAnswerOfAServerThatHangsUpIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(t)
		got := make([]byte, 64)
		n, err := r.client.Receive(t.Context(), got)
		require.NoError(t, err)
		assert.Equal(t, "no, thank you", string(got[:n]))
		err = <-r.done
		assert.ErrorIs(t, err, stream.ErrBroken)
		assert.ErrorContains(t, err, "a to b")
		assert.EqualValues(t, n, r.counts.BToA)
	})
}

func TestAnswerThatNobodyTakesDoesNotHoldUpTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(t)
		start := time.Now()
		assert.ErrorIs(t, <-r.done, stream.ErrBroken)
		assert.Equal(t, relay.DefaultHalfOpen, time.Since(start))
	})
}

func TestRelayEndsAtOnceWhenBothPeersHaveHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, a := memory.Pipe(nil)
		b, server := memory.Pipe(nil)
		for _, s := range []stream.ByteStream{client, server} {
			send(t, s, "x")
			require.NoError(t, s.Close())
		}
		start := time.Now()
		_, err := relay.Run(t.Context(), a, b, nil)
		assert.ErrorIs(t, err, stream.ErrBroken)
		assert.Zero(t, time.Since(start))
	})
}
