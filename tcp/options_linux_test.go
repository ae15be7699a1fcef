package tcp_test

import (
	"context"
	"errors"
	"math"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// optionally returns both ends of a connection whose sockets have options.
func optionally(t *testing.T, o tcp.Options) (ends [2]*tcp.Conn) {
	t.Helper()
	ln := listen(t, &tcp.ListenConfig{Options: o})
	a, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Options: o})
	require.NoError(t, err)
	t.Cleanup(func() { a.Close() })
	b, err := ln.Accept(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { b.Close() })
	return [2]*tcp.Conn{a, b}
}

func TestOptionsAreThoseOfBothEnds(t *testing.T) {
	type opt struct{ level, name, want int }
	keepAlive := func(idle, interval, count int) []opt {
		return []opt{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.SOL_TCP, syscall.TCP_KEEPIDLE, idle},
			{syscall.SOL_TCP, syscall.TCP_KEEPINTVL, interval},
			{syscall.SOL_TCP, syscall.TCP_KEEPCNT, count},
		}
	}
	tests := []struct {
		name string
		o    tcp.Options
		want []opt
	}{
		{"keep-alive as it is", tcp.Options{}, keepAlive(15, 15, 9)},
		{"keep-alive", tcp.Options{KeepAlive: 100 * time.Second, KeepAliveInterval: 1500 * time.Millisecond, KeepAliveCount: 3}, keepAlive(100, 2, 3)},
		{"no keep-alive", tcp.Options{KeepAlive: -1, KeepAliveCount: 3}, []opt{{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 0}}},
		{"user timeout", tcp.Options{UserTimeout: 2500*time.Millisecond + 1}, []opt{{syscall.SOL_TCP, sysunix.TCP_USER_TIMEOUT, 2501}}},
		{"user timeout as long as can be", tcp.Options{UserTimeout: math.MaxInt64}, []opt{{syscall.SOL_TCP, sysunix.TCP_USER_TIMEOUT, math.MaxInt32}}},
		{"negative", tcp.Options{UserTimeout: -1, ReceiveBuffer: -1, SendBuffer: -1}, []opt{{syscall.SOL_TCP, sysunix.TCP_USER_TIMEOUT, 0}}},
		{"Nagle", tcp.Options{Nagle: true}, []opt{{syscall.SOL_TCP, syscall.TCP_NODELAY, 0}}},
		{
			"buffers", tcp.Options{ReceiveBuffer: 20000, SendBuffer: 30000}, // which the kernel doubles, socket(7)
			[]opt{{syscall.SOL_SOCKET, syscall.SO_RCVBUF, 40000}, {syscall.SOL_SOCKET, syscall.SO_SNDBUF, 60000}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, c := range optionally(t, tt.o) {
				for _, o := range tt.want {
					assert.Equal(t, o.want, option(t, c, o.level, o.name), "end %d, option %d of level %d", i, o.name, o.level)
				}
			}
		})
	}
}

func TestLingerIsSetInWholeSeconds(t *testing.T) {
	for _, tt := range []struct {
		linger time.Duration
		want   sysunix.Linger
	}{
		{0, sysunix.Linger{}},
		{1500 * time.Millisecond, sysunix.Linger{Onoff: 1, Linger: 2}},
		{-1, sysunix.Linger{Onoff: 1, Linger: 0}},
		{math.MaxInt64, sysunix.Linger{Onoff: 1, Linger: math.MaxInt16}},
	} {
		for _, c := range optionally(t, tcp.Options{Linger: tt.linger}) {
			raw, err := tcp.RawConn.Get(c)
			require.NoError(t, err)
			var got *sysunix.Linger
			require.NoError(t, raw.Control(func(fd uintptr) {
				got, err = sysunix.GetsockoptLinger(int(fd), sysunix.SOL_SOCKET, sysunix.SO_LINGER)
			}))
			require.NoError(t, err)
			assert.Equal(t, tt.want, *got)
		}
	}
}

func TestNegativeLingerMakesCloseReset(t *testing.T) {
	ends := optionally(t, tcp.Options{Linger: -1})
	require.NoError(t, ends[0].Close())
	_, err := ends[1].Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestControlSeesTheSocketAsItIsSetUp(t *testing.T) {
	var addrs, sizes = map[string]string{}, []int{}
	o := tcp.Options{ReceiveBuffer: 20000, Control: func(network, address string, raw syscall.RawConn) error {
		addrs[network] = address
		return raw.Control(func(fd uintptr) {
			n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
			assert.NoError(t, err)
			sizes = append(sizes, n)
		})
	}}
	ln := listen(t, &tcp.ListenConfig{Options: o})
	assert.Equal(t, map[string]string{"tcp4": "127.0.0.1:0"}, addrs)
	c, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Options: o})
	require.NoError(t, err)
	defer c.Close()
	assert.Equal(t, map[string]string{"tcp4": addrOf(ln)}, addrs)
	assert.Equal(t, []int{40000, 40000}, sizes)
}

func TestBacklogIsWhatWasAskedFor(t *testing.T) {
	backlog := func(ln *tcp.Listener) (n uint32) {
		raw, err := tcp.RawConn.Get(ln)
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) {
			info, err := sysunix.GetsockoptTCPInfo(int(fd), sysunix.SOL_TCP, sysunix.TCP_INFO)
			require.NoError(t, err)
			n = info.Sacked // which it is of a socket that listens
		}))
		return n
	}
	assert.EqualValues(t, 3, backlog(listen(t, &tcp.ListenConfig{Backlog: 3})))
	assert.Greater(t, backlog(listen(t, nil)), uint32(100))
}

func TestFullBacklogLeavesFurtherConnectionsWithoutAnAnswer(t *testing.T) {
	ln := listen(t, &tcp.ListenConfig{Backlog: 1})
	for range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		c, err := tcp.Dial(ctx, addrOf(ln), nil)
		cancel()
		if err == nil {
			defer c.Close()
			continue
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		return
	}
	t.Fatal("there was room for all")
}

func TestMultipathTCPIsOnlyForWhoAsks(t *testing.T) {
	ln := listen(t, nil)
	for _, multipath := range []bool{false, true} {
		c, err := tcp.Dial(t.Context(), addrOf(ln), &tcp.DialConfig{Multipath: multipath})
		require.NoError(t, err)
		defer c.Close()
		assert.Equal(t, multipath && hasMultipath(), option(t, c, syscall.SOL_SOCKET, sysunix.SO_PROTOCOL) == sysunix.IPPROTO_MPTCP)
		peer, err := ln.Accept(t.Context())
		require.NoError(t, err)
		defer peer.Close()
		_, err = c.Send(t.Context(), []byte("x"))
		require.NoError(t, err)
		_, err = peer.Receive(t.Context(), make([]byte, 1))
		require.NoError(t, err)
		info, err := tcp.Info.Get(c)
		require.NoError(t, err)
		assert.NotZero(t, info.CongestionWindow)
	}
}

func hasMultipath() bool {
	fd, err := sysunix.Socket(sysunix.AF_INET, sysunix.SOCK_STREAM, sysunix.IPPROTO_MPTCP)
	if err != nil {
		return false
	}
	return sysunix.Close(fd) == nil
}

func TestInfoIsLive(t *testing.T) {
	a, b := connected(t)
	before, err := tcp.Info.Get(a)
	require.NoError(t, err)
	assert.NotZero(t, before.CongestionWindow)
	assert.NotZero(t, before.SendMSS)
	assert.Positive(t, before.RTO)
	require.NoError(t, talk(t.Context(), a, b, 4096))
	after, err := tcp.Info.Get(a)
	require.NoError(t, err)
	assert.Positive(t, after.RTT)
	assert.Positive(t, after.MinRTT)
	assert.EqualValues(t, 4096, after.BytesSent-before.BytesSent)
	assert.EqualValues(t, 4096, after.BytesReceived-before.BytesReceived)
	assert.Zero(t, after.TotalRetransmits)

	require.NoError(t, a.Close())
	_, err = tcp.Info.Get(a)
	require.ErrorIs(t, err, net.ErrClosed)
	_, ok := tcp.Info.Lookup(listen(t, nil))
	assert.False(t, ok, "a listener has none")
}

// talk sends so many bytes each way.
func talk(ctx context.Context, a, b stream.ByteStream, n int) error {
	for _, way := range [][2]stream.ByteStream{{a, b}, {b, a}} {
		if _, err := way[0].Send(ctx, make([]byte, n)); err != nil {
			return err
		}
		for got := 0; got < n; {
			m, err := way[1].Receive(ctx, make([]byte, n))
			if err != nil {
				return errors.Join(errors.New("not all came"), err)
			}
			got += m
		}
	}
	return nil
}
