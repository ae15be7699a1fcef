package tls_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// A valve lets a number of bytes through and then closes: the Send that meets
// it is canceled where it stands.
type valve struct {
	stream.Wrapper
	open   bool
	left   int
	cancel context.CancelFunc
}

func (v *valve) Send(ctx context.Context, p []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, stream.ContextError(ctx)
	}
	if v.open {
		return v.ByteStream.Send(ctx, p)
	}
	if len(p) <= v.left {
		v.left -= len(p)
		return v.ByteStream.Send(ctx, p)
	}
	n, err := v.ByteStream.Send(ctx, p[:v.left])
	v.left = 0
	if err != nil {
		return n, err
	}
	v.cancel()
	<-ctx.Done()
	return n, stream.ContextError(ctx)
}

// offsets are where to cancel a Send whose records take about size bytes: at
// every byte of small ones, and around the ends of the records of large ones.
func offsets(size int) []int {
	const record = 16<<10 + 22
	var at []int
	for i := 0; i < size+300; i++ {
		inRecord := i % record
		if size < 2000 || inRecord < 40 || inRecord > record-40 || i%1009 == 0 || i > size-100 {
			at = append(at, i)
		}
	}
	return at
}

// TestCanceledSendCountsWhatThePeerGets cancels Send at every byte of its
// records. After each cancel what the peer decrypts is exactly what the counts
// say, and the connection goes on.
func TestCanceledSendCountsWhatThePeerGets(t *testing.T) {
	for _, v := range versions {
		for _, size := range []int{1, 100, 1000, 16 << 10, 16<<10 + 1, 64 << 10} {
			t.Run(fmt.Sprintf("%s %d B", v.name, size), func(t *testing.T) {
				server, client := usualConfigs(t, v.version)
				a, b := memory.Pipe(&memory.Config{Buffer: 1 << 20})
				gate := &valve{Wrapper: stream.Wrapper{ByteStream: a}, open: true}
				c, s, err := wrap(t.Context(), gate, b, server, client, nil)
				require.NoError(t, err)
				defer s.Close()
				defer c.Close()
				claimed, canceled := 0, 0
				for _, at := range offsets(size) {
					before := claimed
					ctx, cancel := context.WithCancel(t.Context())
					gate.open, gate.left, gate.cancel = false, at, cancel
					n, err := c.Send(ctx, pattern(claimed, size))
					claimed += n
					if err != nil {
						require.ErrorIs(t, err, context.Canceled)
						canceled++
					} else {
						require.Equal(t, size, n)
					}
					cancel()
					gate.open = true
					if at%2 == 0 {
						n, err = c.Send(t.Context(), nil) // the flush
						require.NoError(t, err)
						require.Zero(t, n)
					} else {
						n, err = c.Send(t.Context(), pattern(claimed, 10))
						require.NoError(t, err)
						claimed += n
					}
					if claimed > before {
						require.Equal(t, pattern(before, claimed-before), receiveExactly(t, t.Context(), s, claimed-before), "canceled at %d", at)
					}
					requireNothing(t, s)
				}
				require.Greater(t, canceled, size/1000+20)
				require.NoError(t, c.SendEOF(t.Context()))
			})
		}
	}
}

// requireNothing wants no plaintext to be there, without waiting for any.
func requireNothing(t *testing.T, s *tls.Conn) {
	t.Helper()
	unread, err := stream.Unread.Get(s)
	require.NoError(t, err)
	require.Zero(t, unread)
}

// TestRemainderGoesFirst cancels a Send in a record, and wants whatever comes
// next to finish that first.
func TestRemainderGoesFirst(t *testing.T) {
	next := map[string]func(*testing.T, *tls.Conn){
		"Send": func(t *testing.T, c *tls.Conn) {
			_, err := c.Send(t.Context(), pattern(1000, 24))
			require.NoError(t, err)
			require.NoError(t, c.SendEOF(t.Context()))
		},
		"SendEOF": func(t *testing.T, c *tls.Conn) {
			require.NoError(t, c.SendEOF(t.Context()))
		},
		"Shutdown": func(t *testing.T, c *tls.Conn) {
			require.NoError(t, c.Shutdown(t.Context()))
		},
	}
	for _, v := range versions {
		for name, f := range next {
			t.Run(v.name+" "+name, func(t *testing.T) {
				server, client := usualConfigs(t, v.version)
				a, b := memory.Pipe(nil)
				ctx, cancel := context.WithCancel(t.Context())
				gate := &valve{Wrapper: stream.Wrapper{ByteStream: a}, open: true, cancel: cancel}
				c, s, err := wrap(t.Context(), gate, b, server, client, nil)
				require.NoError(t, err)
				defer s.Close()
				defer c.Close()
				gate.open, gate.left = false, 500
				n, err := c.Send(ctx, pattern(0, 1000))
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, 1000, n)
				gate.open = true
				done := make(chan struct{})
				go func() {
					defer close(done)
					f(t, c)
				}()
				if name == "Send" {
					n += 24
				}
				require.Equal(t, pattern(0, n), receiveExactly(t, t.Context(), s, n))
				_, err = s.Receive(t.Context(), make([]byte, 1))
				require.ErrorContains(t, err, "EOF")
				require.NoError(t, s.SendEOF(t.Context()))
				<-done
			})
		}
	}
}

// TestFlushReachesTheLayerBelow cancels a Send of TLS in TLS where the outer
// session has taken everything: an empty Send of the inner one flushes it.
func TestFlushReachesTheLayerBelow(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	a, b := memory.Pipe(nil)
	ctx, cancel := context.WithCancel(t.Context())
	gate := &valve{Wrapper: stream.Wrapper{ByteStream: a}, open: true, cancel: cancel}
	outerA, outerB, err := wrap(t.Context(), gate, b, server, client, nil)
	require.NoError(t, err)
	c, s, err := wrap(t.Context(), outerA, outerB, server, client, nil)
	require.NoError(t, err)
	defer s.Close()
	defer c.Close()
	gate.open, gate.left = false, 10
	n, err := c.Send(ctx, []byte("hello"))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 5, n)
	gate.open = true
	_, err = c.Send(t.Context(), nil)
	require.NoError(t, err)
	soon, stop := context.WithTimeout(t.Context(), time.Minute) // it is there already
	defer stop()
	require.Equal(t, "hello", string(receiveExactly(t, soon, s, 5)))
}

// TestRepeatedlyCanceledSendsDoNotPileUp holds that nothing is encrypted while
// the transport does not even take what was left.
func TestRepeatedlyCanceledSendsDoNotPileUp(t *testing.T) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	a, b := memory.Pipe(nil)
	gate := &valve{Wrapper: stream.Wrapper{ByteStream: a}, open: true}
	c, s, err := wrap(t.Context(), gate, b, server, client, nil)
	require.NoError(t, err)
	defer s.Close()
	defer c.Close()
	gate.open = false
	for i := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		gate.cancel = cancel
		n, err := c.Send(ctx, make([]byte, 1<<20))
		require.ErrorIs(t, err, context.Canceled)
		if i == 0 {
			require.LessOrEqual(t, n, 64<<10)
		} else {
			require.Zero(t, n)
		}
	}
}

// TestReceiveCanceledBetweenAnyTwoBytesLosesNothing lets records trickle in
// byte by byte and cancels a Receive, or a WaitReceive, in between each.
func TestReceiveCanceledBetweenAnyTwoBytesLosesNothing(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := bubbleConfigs(t, v.version)
				a, b := memory.Pipe(nil)
				c, s, err := wrap(t.Context(), a, b, server, client, nil)
				require.NoError(t, err)
				defer s.Close()
				defer c.Close()
				flushTickets(t, s, c)

				// Take the records off the wire.
				n, err := c.Send(t.Context(), pattern(0, 50))
				require.NoError(t, err)
				m, err := c.Send(t.Context(), pattern(50, 70))
				require.NoError(t, err)
				want := n + m
				wire := make([]byte, 1000)
				n, err = b.Receive(t.Context(), wire)
				require.NoError(t, err)
				wire = wire[:n]

				var got []byte
				buf := make([]byte, 30)
				for i, octet := range wire {
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan struct{})
					go func() {
						defer close(done)
						if i%3 == 0 {
							if s.WaitReceive(ctx) != nil {
								return
							}
						}
						n, err := s.Receive(ctx, buf)
						if err == nil {
							got = append(got, buf[:n]...)
						} else {
							require.ErrorIs(t, err, context.Canceled)
						}
					}()
					synctest.Wait()
					cancel()
					<-done
					_, err := a.Send(t.Context(), []byte{octet})
					require.NoError(t, err)
				}
				for len(got) < want {
					n, err := s.Receive(t.Context(), buf)
					require.NoError(t, err)
					got = append(got, buf[:n]...)
				}
				require.Equal(t, pattern(0, want), got)
			})
		})
	}
}

// flushTickets sends a byte from the server to the client, so that nothing of
// the handshake is left to send.
func flushTickets(t *testing.T, server, client *tls.Conn) {
	t.Helper()
	_, err := server.Send(t.Context(), []byte("x"))
	require.NoError(t, err)
	require.Equal(t, []byte("x"), receiveExactly(t, t.Context(), client, 1))
}

// A nervous transport cancels the calls of the layer above, before, in and
// after its own.
type nervous struct {
	stream.Wrapper
	send, receive nerve
}

type nerve struct {
	rng    *rand.Rand
	cancel context.CancelFunc // of the call in progress
}

// twitch cancels at some moment, or not at all.
func (n *nerve) twitch() {
	switch {
	case n.cancel == nil: // in the handshake
	case n.rng.IntN(4) == 0:
		n.cancel()
	case n.rng.IntN(3) == 0:
		go n.cancel()
	}
}

func (s *nervous) Send(ctx context.Context, p []byte) (int, error) {
	if s.send.cancel != nil && len(p) > 0 && s.send.rng.IntN(2) == 0 {
		n, err := s.ByteStream.Send(ctx, p[:s.send.rng.IntN(len(p))])
		if err != nil {
			return n, err
		}
		s.send.cancel()
		return n, stream.ContextError(ctx)
	}
	s.send.twitch()
	return s.ByteStream.Send(ctx, p)
}

func (s *nervous) Receive(ctx context.Context, p []byte) (int, error) {
	s.receive.twitch()
	n, err := s.ByteStream.Receive(ctx, p[:1+s.receive.rng.IntN(len(p))])
	s.receive.twitch()
	return n, err
}

func (s *nervous) WaitReceive(ctx context.Context) error {
	s.receive.twitch()
	return s.ByteStream.(stream.ReceiveWaiter).WaitReceive(ctx)
}

func newNervous(s stream.ByteStream, seed uint64) *nervous {
	return &nervous{
		Wrapper: stream.Wrapper{ByteStream: s},
		send:    nerve{rng: rand.New(rand.NewPCG(seed, 1))},
		receive: nerve{rng: rand.New(rand.NewPCG(seed, 2))},
	}
}

// stormCancels is how many cancels a storm has.
const stormCancels = 50_000

// TestStorm cancels at random, in both directions at once, over a transport
// that is mostly clogged: 100,000 times in all.
func TestStorm(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			serverConfig, clientConfig := usualConfigs(t, v.version)
			a, b := memory.Pipe(&memory.Config{Buffer: 700})
			below, above := newNervous(a, 1), newNervous(b, 2)
			client, server, err := wrap(t.Context(), below, above, serverConfig, clientConfig, nil)
			require.NoError(t, err)
			defer server.Close()
			defer client.Close()
			var canceled atomic.Int64
			done := make(chan error, 4)
			go func() { done <- stormSend(client, &below.send, &canceled) }()
			go func() { done <- stormSend(server, &above.send, &canceled) }()
			go func() { done <- stormReceive(server, &above.receive, &canceled) }()
			go func() { done <- stormReceive(client, &below.receive, &canceled) }()
			for range 4 {
				require.NoError(t, <-done)
			}
			require.GreaterOrEqual(t, canceled.Load(), int64(stormCancels))
		})
	}
}

// cycle is the pattern up to where it begins again, and a bit more.
var cycle = sync.OnceValue(func() []byte { return pattern(0, 1<<24+64<<10) })

// piece is pattern for who asks often.
func piece(from, n int) []byte {
	from %= 1 << 24
	return cycle()[from : from+n]
}

// stormSend sends pieces of 1 B to 64 KiB until there were enough cancels.
func stormSend(s *tls.Conn, n *nerve, canceled *atomic.Int64) error {
	rng := rand.New(rand.NewPCG(3, 3))
	sent := 0
	for canceled.Load() < stormCancels {
		ctx, cancel := context.WithCancel(context.Background())
		n.cancel = cancel
		m, err := s.Send(ctx, piece(sent, 1+rng.IntN(2<<rng.IntN(16))))
		sent += m
		if err != nil {
			if ctx.Err() == nil {
				return fmt.Errorf("Send: %w", err)
			}
			canceled.Add(1)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for n.cancel = cancel; ; n.cancel = cancel {
		err := s.SendEOF(ctx)
		if err == nil || ctx.Err() == nil {
			return err
		}
		cancel()
		ctx, cancel = context.WithCancel(context.Background())
	}
}

func stormReceive(s *tls.Conn, n *nerve, canceled *atomic.Int64) error {
	buf := make([]byte, 20_000)
	for got := 0; ; {
		ctx, cancel := context.WithCancel(context.Background())
		n.cancel = cancel
		m, err := s.Receive(ctx, buf[:1+n.rng.IntN(len(buf)-1)])
		if !bytes.Equal(buf[:m], piece(got, m)) {
			cancel()
			return fmt.Errorf("%d bytes after %d are not those that were sent", m, got)
		}
		got += m
		if err == io.EOF {
			cancel()
			return nil
		}
		if err != nil {
			if ctx.Err() == nil {
				cancel()
				return fmt.Errorf("Receive after %d bytes: %w", got, err)
			}
			canceled.Add(1)
		}
		cancel()
	}
}
