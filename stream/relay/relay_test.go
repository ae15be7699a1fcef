package relay_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/relay"
	"github.com/strata-go/strata/tcp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A running relay has client at one end and server at the other.
type running struct {
	client, server stream.ByteStream
	a, b           stream.ByteStream // what the relay owns
	counts         relay.Counts
	done           chan error
}

func start(ctx context.Context, client, a, b, server stream.ByteStream, cfg *relay.Config) *running {
	r := &running{client: client, server: server, a: a, b: b, done: make(chan error, 1)}
	go func() {
		var err error
		r.counts, err = relay.Run(ctx, a, b, cfg)
		r.done <- err
	}()
	return r
}

func inMemory(ctx context.Context, cfg *relay.Config) *running {
	client, a := memory.Pipe(nil)
	b, server := memory.Pipe(nil)
	return start(ctx, client, a, b, server, cfg)
}

func overTCP(t *testing.T, ctx context.Context) *running {
	t.Helper()
	client, a := connected(t)
	b, server := connected(t)
	return start(ctx, client, a, b, server, nil)
}

func connected(t *testing.T) (dialed, accepted *tcp.Conn) {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, _ := tcp.LocalAddr.Lookup(ln)
	dialed, err = tcp.Dial(t.Context(), addr.String(), nil)
	require.NoError(t, err)
	accepted, err = ln.Accept(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return dialed, accepted
}

func send(t *testing.T, s stream.ByteStream, text string) {
	t.Helper()
	_, err := s.Send(t.Context(), []byte(text))
	require.NoError(t, err)
}

func assertReceives(t *testing.T, s stream.ByteStream, want string) {
	t.Helper()
	p := make([]byte, 64)
	n, err := s.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, want, string(p[:n]))
}

func assertEnds(t *testing.T, s stream.ByteStream) {
	t.Helper()
	_, err := s.Receive(t.Context(), make([]byte, 1))
	assert.Equal(t, io.EOF, err)
}

func TestBytesGoBothWaysAndAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inMemory(t.Context(), nil)
		send(t, r.client, "question")
		assertReceives(t, r.server, "question")
		send(t, r.server, "the answer")
		assertReceives(t, r.client, "the answer")
		require.NoError(t, r.client.SendEOF(t.Context()))
		assertEnds(t, r.server)
		require.NoError(t, r.server.SendEOF(t.Context()))
		assertEnds(t, r.client)
		require.NoError(t, <-r.done)
		assert.Equal(t, relay.Counts{AToB: 8, BToA: 10}, r.counts)
		for _, s := range []stream.ByteStream{r.a, r.b} {
			_, err := s.Receive(t.Context(), make([]byte, 1))
			assert.ErrorIs(t, err, net.ErrClosed)
		}
	})
}

func TestTheOtherDirectionGoesOnAfterAnEnd(t *testing.T) {
	const size = 4 << 20
	want := make([]byte, size)
	_, _ = rand.Read(want)
	for _, name := range []string{"client ends first", "server ends first"} {
		t.Run(name, func(t *testing.T) {
			r := overTCP(t, t.Context())
			first, second := r.client, r.server
			if name == "server ends first" {
				first, second = second, first
			}
			send(t, first, "x")
			require.NoError(t, first.SendEOF(t.Context()))
			assertReceives(t, second, "x")
			assertEnds(t, second)
			sent := make(chan error, 1)
			go func() {
				_, err := second.Send(t.Context(), want)
				sent <- errors.Join(err, second.SendEOF(t.Context()))
			}()
			got, err := io.ReadAll(stream.NewReader(t.Context(), first))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(want, got))
			require.NoError(t, <-sent)
			require.NoError(t, <-r.done)
		})
	}
}

func TestResetAtOneEndIsAResetAtTheOther(t *testing.T) {
	for _, name := range []string{"client", "server"} {
		t.Run(name, func(t *testing.T) {
			r := overTCP(t, t.Context())
			dying, other := r.client, r.server
			if name == "server" {
				dying, other = other, dying
			}
			send(t, dying, "x")
			assertReceives(t, other, "x")
			require.NoError(t, stream.Abort(dying, nil))
			_, err := other.Receive(t.Context(), make([]byte, 1))
			assert.ErrorIs(t, err, stream.ErrBroken)
			err = <-r.done
			assert.ErrorIs(t, err, syscall.ECONNRESET)
			if name == "client" {
				assert.ErrorContains(t, err, "a to b")
			} else {
				assert.ErrorContains(t, err, "b to a")
			}
		})
	}
}

func TestCancellationIsNoCleanEndForThePeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("operator said so")
		ctx, cancel := context.WithCancelCause(t.Context())
		r := inMemory(ctx, nil)
		synctest.Wait()
		cancel(reason)
		assert.ErrorIs(t, <-r.done, reason)
		for _, s := range []stream.ByteStream{r.client, r.server} {
			_, err := s.Receive(t.Context(), make([]byte, 1))
			assert.ErrorIs(t, err, stream.ErrBroken)
		}
	})
}

func TestHalfOpenRelayMayNotBeIdleForLong(t *testing.T) {
	tests := []struct {
		name       string
		limit      time.Duration
		wantsError time.Duration
	}{
		{"default", 0, relay.DefaultHalfOpen},
		{"own", 3 * time.Second, 3 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := inMemory(t.Context(), &relay.Config{HalfOpen: tt.limit})
				<-time.After(10 * time.Hour) // with both directions open there is no limit
				require.NoError(t, r.client.SendEOF(t.Context()))
				synctest.Wait()

				<-time.After(tt.wantsError - 1)
				send(t, r.server, "still here") // which starts the time again
				assertReceives(t, r.client, "still here")
				start := time.Now()
				err := <-r.done
				assert.Equal(t, tt.wantsError, time.Since(start))
				idle, ok := errors.AsType[*relay.IdleError](err)
				require.True(t, ok)
				assert.Equal(t, tt.wantsError, idle.HalfOpen)
				assert.True(t, idle.Timeout())
				_, err = r.client.Receive(t.Context(), make([]byte, 1))
				assert.ErrorIs(t, err, stream.ErrBroken)
			})
		})
	}
}

func TestNegativeHalfOpenMeansNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inMemory(t.Context(), &relay.Config{HalfOpen: -1})
		require.NoError(t, r.client.SendEOF(t.Context()))
		<-time.After(1000 * time.Hour)
		require.NoError(t, r.server.SendEOF(t.Context()))
		assert.NoError(t, <-r.done)
	})
}

// whole is a stream that cannot half-close.
type whole struct{ stream.Wrapper }

func (whole) SendEOF(context.Context) error { return errors.ErrUnsupported }

func TestStreamThatCannotHalfCloseLearnsOfTheEndWithTheOtherDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, a := memory.Pipe(nil)
		b, server := memory.Pipe(nil)
		r := start(t.Context(), client, a, whole{stream.Wrapper{ByteStream: b}}, server, nil)
		require.NoError(t, client.SendEOF(t.Context()))
		send(t, server, "late answer")
		assertReceives(t, client, "late answer")
		require.NoError(t, server.SendEOF(t.Context()))
		require.NoError(t, <-r.done)
		assertEnds(t, server)
	})
}

func TestRunPanicsOnNil(t *testing.T) {
	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	assert.PanicsWithValue(t, "relay: Run: nil a", func() { relay.Run(t.Context(), nil, b, nil) })
	assert.PanicsWithValue(t, "relay: Run: nil b", func() { relay.Run(t.Context(), a, nil, nil) })
}
