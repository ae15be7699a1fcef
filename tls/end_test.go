package tls_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// ends returns a client and a server, and the ends of the pipe below.
func ends(t *testing.T, version uint16, opt *tls.Options) (client, server *tls.Conn, a, b *memory.Conn) {
	t.Helper()
	serverConfig, clientConfig := bubbleConfigs(t, version)
	a, b = memory.Pipe(nil)
	client, server, err := wrap(t.Context(), a, b, serverConfig, clientConfig, opt)
	require.NoError(t, err)
	flushTickets(t, server, client)
	return client, server, a, b
}

func TestTruncationIsToldFromAnEnd(t *testing.T) {
	clean := func(t *testing.T, c *tls.Conn, _ stream.ByteStream) { require.NoError(t, c.SendEOF(t.Context())) }
	ragged := func(t *testing.T, _ *tls.Conn, a stream.ByteStream) { require.NoError(t, a.SendEOF(t.Context())) }
	inHeader := func(t *testing.T, _ *tls.Conn, a stream.ByteStream) {
		_, err := a.Send(t.Context(), []byte{23, 3})
		require.NoError(t, err)
		require.NoError(t, a.SendEOF(t.Context()))
	}
	inBody := func(t *testing.T, _ *tls.Conn, a stream.ByteStream) {
		_, err := a.Send(t.Context(), []byte{23, 3, 3, 0, 100, 1, 2, 3})
		require.NoError(t, err)
		require.NoError(t, a.SendEOF(t.Context()))
	}
	reset := func(t *testing.T, _ *tls.Conn, a stream.ByteStream) { require.NoError(t, stream.Abort(a, nil)) }
	aborted := func(t *testing.T, c *tls.Conn, _ stream.ByteStream) { require.NoError(t, c.Abort(nil)) }
	tests := []struct {
		name   string
		end    func(*testing.T, *tls.Conn, stream.ByteStream)
		strict error
		lax    error
	}{
		{"close_notify", clean, io.EOF, io.EOF},
		{"between records", ragged, io.ErrUnexpectedEOF, io.EOF},
		{"in a header", inHeader, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"in a body", inBody, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
		{"reset", reset, stream.ErrBroken, stream.ErrBroken},
		{"Abort", aborted, stream.ErrBroken, stream.ErrBroken},
	}
	for _, transport := range transports {
		for _, v := range versions {
			for _, lax := range []bool{false, true} {
				for _, tt := range tests {
					name, want := v.name+" strict "+tt.name, tt.strict
					if lax {
						name, want = v.name+" lax "+tt.name, tt.lax
					}
					t.Run(transport.name+" "+name, func(t *testing.T) {
						server, client := usualConfigs(t, v.version)
						a, b := transport.pipe(t)
						c, s, err := wrap(t.Context(), a, b, server, client, &tls.Options{AllowTruncation: lax})
						require.NoError(t, err)
						defer s.Close()
						defer c.Close()
						flushTickets(t, s, c)
						_, err = c.Send(t.Context(), []byte("part"))
						require.NoError(t, err)
						require.NoError(t, s.WaitReceive(t.Context())) // or a reset could overtake it
						tt.end(t, c, a)
						requireEnd(t, s, want)
					})
				}
			}
		}
	}
}

// requireEnd requires that s returns "part" and then want, for good.
func requireEnd(t *testing.T, s *tls.Conn, want error) {
	t.Helper()
	require.Equal(t, "part", string(receiveExactly(t, t.Context(), s, 4)))
	var err error
	for range 2 {
		_, err = s.Receive(t.Context(), make([]byte, 1))
		if want == io.EOF {
			require.Equal(t, io.EOF, err)
			continue
		}
		require.ErrorIs(t, err, want)
		require.ErrorIs(t, err, stream.ErrBroken)
	}
	_, sendErr := s.Send(t.Context(), []byte("x"))
	if want == io.EOF {
		require.NoError(t, sendErr)
	} else {
		require.Same(t, err, sendErr, "broken is one error for both directions")
	}
}

// TestStrictAndLaxPeers is what AnyIO calls standard-compatible: only a strict
// end minds a peer that closes the transport without a word.
func TestStrictAndLaxPeers(t *testing.T) {
	for _, v := range versions {
		for _, strict := range []bool{true, false} {
			for _, polite := range []bool{true, false} {
				c, s, a, _ := ends(t, v.version, &tls.Options{AllowTruncation: !strict})
				allowed, err := tls.AllowsTruncation.Get(s)
				require.NoError(t, err)
				assert.Equal(t, !strict, allowed)
				if polite {
					require.NoError(t, c.Close())
				} else {
					require.NoError(t, a.Close())
				}
				_, err = s.Receive(t.Context(), make([]byte, 1))
				if strict && !polite {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				} else {
					require.Equal(t, io.EOF, err)
				}
				s.Close()
				c.Close()
			}
		}
	}
}

func TestForgedRecordBreaksBothDirections(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			c, s, a, _ := ends(t, v.version, nil)
			defer c.Close()
			_, err := c.Send(t.Context(), []byte("good"))
			require.NoError(t, err)
			_, err = a.Send(t.Context(), append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
			require.NoError(t, err)
			require.Equal(t, "good", string(receiveExactly(t, t.Context(), s, 4)))
			_, err = s.Receive(t.Context(), make([]byte, 1))
			require.ErrorIs(t, err, stream.ErrBroken)
			require.ErrorContains(t, err, "bad record MAC")
			_, sendErr := s.Send(t.Context(), []byte("x"))
			require.Same(t, err, sendErr)
			// The alert waits for Close, and tells the peer.
			require.NoError(t, s.Close())
			_, err = c.Receive(t.Context(), make([]byte, 1))
			require.ErrorContains(t, err, "remote error: tls: bad record MAC")
		})
	}
}

func TestSendEOFLeavesTheTransportOpen(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			c, s, a, b := ends(t, v.version, nil)
			defer s.Close()
			defer c.Close()
			require.NoError(t, c.SendEOF(t.Context()))
			_, err := s.Receive(t.Context(), make([]byte, 1))
			require.Equal(t, io.EOF, err)
			_, err = c.Send(t.Context(), []byte("x"))
			require.ErrorIs(t, err, net.ErrClosed)
			_, err = a.Send(t.Context(), []byte("below"))
			require.NoError(t, err)
			require.Equal(t, "below", string(receiveExactly(t, t.Context(), b, 5)))
			requireCarries(t, s, c, 1<<20)
		})
	}
}

// TestCloseDoesNotWaitForThePeer closes while the peer neither receives nor
// has room for more.
func TestCloseDoesNotWaitForThePeer(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tests := []struct {
					name string
					fill func(t *testing.T, c *tls.Conn, a *memory.Conn)
					most time.Duration
				}{
					{"silent", func(*testing.T, *tls.Conn, *memory.Conn) {}, 0},
					{"full", func(t *testing.T, _ *tls.Conn, a *memory.Conn) {
						_, err := stream.TrySend(a, make([]byte, 1<<20))
						require.ErrorIs(t, err, stream.ErrWouldBlock)
					}, 100 * time.Millisecond},
					{"full by a Send in progress", func(t *testing.T, c *tls.Conn, _ *memory.Conn) {
						go func() {
							_, err := c.Send(t.Context(), make([]byte, 1<<20))
							assert.ErrorIs(t, err, net.ErrClosed)
						}()
						synctest.Wait()
					}, 0},
				}
				for _, tt := range tests {
					c, s, a, _ := ends(t, v.version, nil)
					tt.fill(t, c, a)
					woken := make(chan error, 1)
					go func() {
						_, err := c.Receive(t.Context(), make([]byte, 1))
						woken <- err
					}()
					synctest.Wait()
					start := time.Now()
					require.NoError(t, c.Close(), tt.name)
					require.Equal(t, tt.most, time.Since(start), tt.name)
					require.ErrorIs(t, <-woken, net.ErrClosed)
					require.NoError(t, c.Close())
					require.NoError(t, s.Close())
				}
			})
		})
	}
}

func TestCloseAfterACanceledSendIsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := ends(t, tls.VersionTLS13, nil)
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Send(ctx, make([]byte, 1<<20))
		require.Error(t, err)
		start := time.Now()
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(start))
	})
}

func TestConcurrentClosesWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, a, _ := ends(t, tls.VersionTLS13, nil)
		defer s.Close()
		_, err := stream.TrySend(a, make([]byte, 1<<20))
		require.Error(t, err)
		go c.Close()
		synctest.Wait()
		require.NoError(t, c.Close())
		_, err = a.Send(t.Context(), []byte("x"))
		require.ErrorIs(t, err, net.ErrClosed, "Close returned before the transport was closed")
	})
}

func TestShutdownExchangesCloseNotify(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			c, s, _, _ := ends(t, v.version, nil)
			down := make(chan error, 1)
			go func() { down <- c.Shutdown(t.Context()) }()
			_, err := s.Receive(t.Context(), make([]byte, 1))
			require.Equal(t, io.EOF, err)
			_, err = s.Send(t.Context(), make([]byte, 30_000)) // which it discards
			require.NoError(t, err)
			require.NoError(t, s.Shutdown(t.Context()))
			require.NoError(t, <-down)
			_, err = c.Send(t.Context(), []byte("x"))
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

func TestShutdownEndsWithItsContextAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, a, _ := ends(t, tls.VersionTLS13, nil)
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err := stream.Shutdown(ctx, c)
		require.True(t, errors.Is(err, ctx.Err()), "%v", err)
		_, err = a.Send(t.Context(), []byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
