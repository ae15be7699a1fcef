package tls_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// TestHandshakeFloodDoesNotLockOut an honest client, with room for all of the
// 2,000 others that stall in their handshake or for few of them: most before
// they sent anything or within the header of a record, some behind a whole
// ClientHello. That it is served within half a second is held in listener, in
// time that nobody else spends; here the flood would stall it for good.
func TestHandshakeFloodDoesNotLockOut(t *testing.T) {
	const stalled = 2000
	for _, limit := range []int{64, 2 * stalled} {
		t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
			serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
			below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
			require.NoError(t, err)
			var gaveWay, ended atomic.Int32
			ln := tls.NewListener(below, serverConfig, &tls.Options{
				InFlight:         limit,
				HandshakeTimeout: -1,
				OnError: func(_ stream.ByteStream, err error) {
					if errors.Is(err, listener.ErrCrowdedOut) {
						gaveWay.Add(1)
					} else if assert.ErrorIs(t, err, net.ErrClosed) {
						ended.Add(1)
					}
				},
			})
			defer ln.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			accepted := make(chan *tls.Conn, 1)
			go func() {
				s, err := ln.Accept(ctx)
				assert.NoError(t, err)
				accepted <- s
			}()
			addr, err := netconn.LocalAddrPort.Get(below)
			require.NoError(t, err)
			atFirst, heapAtFirst := descriptors(t), heap()
			stall(t, addr.String(), stalled)
			start := time.Now()
			honest := &tls.Connector[*tcp.Conn]{Below: &tcp.Connector{Addr: addr.String()}, Config: clientConfig}
			c, err := honest.Connect(ctx)
			require.NoError(t, err)
			s := <-accepted
			requireCarries(t, c, s, 100)
			held := heap() - heapAtFirst
			t.Logf("served in %v; %d gave way; heap of %d", time.Since(start), gaveWay.Load(), held)
			most := min(limit, stalled)
			// The ends that stall have about 1 KiB each; a buffer of 18 KiB for a
			// flight is taken by those only that said enough for an answer.
			assert.Less(t, held, int64(4<<10*stalled+8<<10*most), "heap")
			assert.LessOrEqual(t, descriptors(t), atFirst+stalled+2+most+1, "descriptors")
			require.NoError(t, c.Close())
			require.NoError(t, s.Close())
			require.NoError(t, ln.Close())
			assert.EqualValues(t, stalled, gaveWay.Load()+ended.Load(), "each is told about")
			assert.GreaterOrEqual(t, int(gaveWay.Load()), stalled-most)
			if limit > stalled {
				assert.Zero(t, gaveWay.Load(), "there was room for all")
			}
			assert.LessOrEqual(t, descriptors(t), atFirst+stalled+1, "closing the listener frees them")
		})
	}
}

// stall connects n times and then goes on with nothing.
func stall(t *testing.T, addr string, n int) {
	t.Helper()
	hello := clientHello(t)
	for i := range n {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Skipf("no room for %d connections here: %v", n, err)
		}
		t.Cleanup(func() { conn.Close() })
		said := hello[:0]
		switch {
		case i%40 == 0:
			said = hello
		case i%2 == 0:
			said = hello[:3]
		}
		_, _ = conn.Write(said) // it may have given way by now
	}
}

// dribble connects and sends one byte of a ClientHello for each signal, never the last,
// until the server ends the connection.
func dribble(t *testing.T, addr string, more <-chan struct{}) (ended <-chan struct{}) {
	t.Helper()
	hello := clientHello(t)
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	over := make(chan struct{})
	go func() { // ends with the connection, which the listener's Close ends
		defer close(over)
		_, _ = io.Copy(io.Discard, conn) // an alert at most
		_ = conn.Close()
	}()
	go func() { // likewise
		for _, octet := range hello[:len(hello)-1] {
			select {
			case <-more:
			case <-over:
				return
			}
			if _, err := conn.Write([]byte{octet}); err != nil {
				return
			}
		}
	}()
	return over
}

// TestSlowLorisesOverSocketsHoldUpNobody has fifty of them send a byte each for every
// honest client that is served: none waits for them, and they do not wait for a clock.
func TestSlowLorisesOverSocketsHoldUpNobody(t *testing.T) {
	const lorises = 50
	ln, addr, failed, connector := listenTCP(t, tls.Options{HandshakeTimeout: -1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	more := make(chan struct{})
	var over []<-chan struct{}
	for range lorises {
		over = append(over, dribble(t, addr, more))
	}
	for range 10 {
		for range lorises {
			more <- struct{}{}
		}
		requireServed(t, ctx, ln, connector)
	}
	require.Empty(t, failed.errs, "all of them are still held")
	require.NoError(t, ln.Close())
	for _, over := range over {
		<-over
		require.ErrorIs(t, <-failed.errs, net.ErrClosed)
	}
	require.Empty(t, failed.errs, "each is told once")
}

// TestSlowLorisesOverSocketsAreGivenUp when their time is over, however busily they send.
func TestSlowLorisesOverSocketsAreGivenUp(t *testing.T) {
	const lorises, timeout = 20, time.Second
	ln, addr, failed, connector := listenTCP(t, tls.Options{HandshakeTimeout: timeout})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	more := make(chan struct{})
	requireServed(t, ctx, ln, connector) // the first Accept starts it
	start := time.Now()
	var over []<-chan struct{}
	for range lorises {
		over = append(over, dribble(t, addr, more))
	}
	for _, over := range over {
		for held := true; held; {
			select {
			case more <- struct{}{}:
			case <-over:
				held = false
			}
		}
		require.ErrorIs(t, <-failed.errs, context.DeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(start), timeout)
	}
	requireServed(t, ctx, ln, connector)
	require.Empty(t, failed.errs, "each is told once")
}

// listenTCP returns a listener on a socket until the end of the test, where it listens,
// what it is told of failures, and what connects an honest client to it.
func listenTCP(t *testing.T, opt tls.Options) (*tls.Listener, string, *failures, *tls.Connector[*tcp.Conn]) {
	t.Helper()
	serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
	below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	addr, err := netconn.LocalAddr.Get(below)
	require.NoError(t, err)
	failed := newFailures()
	opt.OnError = failed.onError
	ln := tls.NewListener(below, serverConfig, &opt)
	t.Cleanup(func() { ln.Close() })
	return ln, addr.String(), failed, &tls.Connector[*tcp.Conn]{Below: &tcp.Connector{Addr: addr.String()}, Config: clientConfig}
}

// requireServed wants an honest client to be accepted and its bytes to come back.
func requireServed(t *testing.T, ctx context.Context, ln *tls.Listener, connector *tls.Connector[*tcp.Conn]) {
	t.Helper()
	served := make(chan error, 1)
	go func() {
		s, err := ln.Accept(ctx)
		if err == nil {
			_, err = stream.Copy(ctx, s, s)
			s.Close()
		}
		served <- err
	}()
	c, err := connector.Connect(ctx)
	require.NoError(t, err)
	requireCarries(t, c, c, 100)
	require.NoError(t, c.Close())
	require.NoError(t, <-served)
}

// clientHello returns what a client says first.
func clientHello(t *testing.T) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer b.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cryptotls.Client(a, &tls.Config{ServerName: "localhost"}).Handshake()
	}()
	buf := make([]byte, 4096)
	n, err := b.Read(buf)
	require.NoError(t, err)
	b.Close()
	<-done
	return buf[:n]
}

// descriptors counts those that are open, where the system tells.
func descriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}
