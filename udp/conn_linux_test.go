package udp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/udp"
)

var equal = cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})

func TestPacketTellsWhomToAnswer(t *testing.T) {
	for _, tt := range []struct{ name, listen, dial string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1"},
		{"IPv6", "[::1]:0", "::1"},
		{"IPv4 on a socket for both", ":0", "127.0.0.1"},
		{"IPv6 on a socket for both", ":0", "::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := listen(t, tt.listen, nil)
			to := net.JoinHostPort(tt.dial, strconv.Itoa(int(addrOf(b).Port())))
			a, err := udp.Dial(t.Context(), to, nil)
			require.NoError(t, err)
			defer a.Close()
			send(t, a, udp.Packet{Data: []byte("ping")})
			p := receive(t, b)
			if diff := cmp.Diff(udp.Packet{Data: []byte("ping"), Addr: addrOf(a)}, p, equal); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
			send(t, b, udp.Packet{Data: []byte("pong"), Addr: p.Addr})
			p = receive(t, a)
			assert.Equal(t, "pong", string(p.Data))
			assert.Equal(t, netip.MustParseAddrPort(to), p.Addr)
		})
	}
}

func TestDialedSocketReceivesFromItsPeerAlone(t *testing.T) {
	a, b := pair(t)
	stranger := listen(t, "127.0.0.1:0", nil)
	send(t, stranger, udp.Packet{Data: []byte("not for you"), Addr: addrOf(a)})
	send(t, b, udp.Packet{Data: []byte("for you"), Addr: addrOf(a)})
	assert.Equal(t, "for you", string(receive(t, a).Data))
}

func TestPacketsAreIteratedOverAndAnswered(t *testing.T) {
	a, b := pair(t)
	echoed := make(chan error, 1)
	go func() {
		for p, err := range stream.Items(t.Context(), b) {
			if err == nil {
				err = b.Send(t.Context(), p)
			}
			if err != nil {
				echoed <- err
				return
			}
		}
	}()
	for _, want := range []string{"one", "", "three"} {
		send(t, a, udp.Packet{Data: []byte(want)})
		assert.Equal(t, want, string(receive(t, a).Data))
	}
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-echoed, net.ErrClosed)
}

func TestUnconnectedSocketHasAPortAndNoRemoteAddress(t *testing.T) {
	c := listen(t, "127.0.0.1:0", nil)
	assert.NotZero(t, addrOf(c).Port())
	_, found := udp.RemoteAddr.Lookup(c)
	assert.False(t, found)
}

func TestAddressCanBeBoundAgainAfterClose(t *testing.T) {
	c := listen(t, "127.0.0.1:0", nil)
	for range 3 {
		addr := addrOf(c).String()
		waiting := make(chan error, 1)
		go func() {
			_, err := c.Receive(t.Context())
			waiting <- err
		}()
		require.NoError(t, c.Close())
		require.ErrorIs(t, <-waiting, net.ErrClosed)
		c = listen(t, addr, nil)
	}
}

func TestPacketThatDoesNotFitIsReportedWithItsLength(t *testing.T) {
	a, b := pair(t)
	send(t, a, udp.Packet{Data: []byte("0123456789")})
	p := udp.Packet{Data: make([]byte, 4)}
	err := b.ReceiveInto(t.Context(), &p)
	var truncated *udp.TruncatedError
	require.ErrorAs(t, err, &truncated)
	assert.Equal(t, udp.TruncatedError{Room: 4, Length: 10}, *truncated)
	assert.Equal(t, "0123", string(p.Data))
	assert.Equal(t, addrOf(a), p.Addr)
	send(t, a, udp.Packet{Data: []byte("next")})
	require.NoError(t, b.ReceiveInto(t.Context(), &p))
	assert.Equal(t, "next", string(p.Data))
	require.ErrorIs(t, b.ReceiveInto(t.Context(), &udp.Packet{}), stream.ErrEmptyBuffer)
}

func TestLongestPacketArrivesWhole(t *testing.T) {
	a, b := pair(t)
	require.ErrorIs(t, a.Send(t.Context(), udp.Packet{Data: make([]byte, 65508)}), syscall.EMSGSIZE)
	send(t, a, udp.Packet{Data: make([]byte, 65507)})
	assert.Len(t, receive(t, b).Data, 65507)
}

func TestEmptyPacketIsAPacket(t *testing.T) {
	a, b := pair(t)
	send(t, a, udp.Packet{})
	send(t, a, udp.Packet{Data: []byte("x")})
	p := udp.Packet{Data: make([]byte, 8)}
	require.NoError(t, b.ReceiveInto(t.Context(), &p))
	assert.Empty(t, p.Data)
	assert.Equal(t, addrOf(a), p.Addr)
	assert.Equal(t, "x", string(receive(t, b).Data))
}

func TestRefusalIsReportedOnceAndTheSocketLives(t *testing.T) {
	a, b := pair(t)
	addr := addrOf(b).String()
	require.NoError(t, b.Close())
	send(t, a, udp.Packet{Data: []byte("x")})
	_, err := a.Receive(t.Context())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NotErrorIs(t, err, stream.ErrBroken)
	b = listen(t, addr, nil)
	send(t, a, udp.Packet{Data: []byte("on")})
	p := receive(t, b)
	send(t, b, udp.Packet{Data: []byte("back"), Addr: p.Addr})
	assert.Equal(t, "back", string(receive(t, a).Data))
}

func TestPeersRefusalDoesNotTouchAListeningSocket(t *testing.T) {
	gone := listen(t, "127.0.0.1:0", nil)
	require.NoError(t, gone.Close())
	a, b := pair(t)
	for range 3 {
		send(t, b, udp.Packet{Data: []byte("x"), Addr: addrOf(gone)})
	}
	send(t, a, udp.Packet{Data: []byte("on")})
	assert.Equal(t, "on", string(receive(t, b).Data))
}

func TestPacketThatCannotBeSentIsNotSent(t *testing.T) {
	a, b := pair(t)
	six := netip.MustParseAddrPort("[::1]:9")
	require.ErrorIs(t, a.Send(t.Context(), udp.Packet{Data: []byte("bad"), Addr: six}), syscall.EAFNOSUPPORT)
	require.Error(t, b.Send(t.Context(), udp.Packet{Data: []byte("nowhere")}))
	n, err := a.SendBatch(t.Context(), []udp.Packet{{Data: []byte("good")}, {Data: []byte("bad"), Addr: six}, {Data: []byte("never")}})
	require.ErrorIs(t, err, syscall.EAFNOSUPPORT)
	assert.Equal(t, 1, n)
	send(t, a, udp.Packet{Data: []byte("last")})
	assert.Equal(t, "good", string(receive(t, b).Data))
	assert.Equal(t, "last", string(receive(t, b).Data))
}

func TestInfoTellsWhereAPacketCame(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	require.NoError(t, err)
	for _, tt := range []struct{ name, listen, to, local string }{
		{"IPv4", "0.0.0.0:0", "127.0.0.7", "127.0.0.7"},
		{"IPv4 on a socket for both", ":0", "127.0.0.7", "127.0.0.7"},
		{"IPv6", "[::1]:0", "::1", "::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := listen(t, tt.listen, &udp.Config{Info: true})
			to := netip.AddrPortFrom(netip.MustParseAddr(tt.to), addrOf(b).Port())
			a, err := udp.Dial(t.Context(), to.String(), nil)
			require.NoError(t, err)
			defer a.Close()
			const ect1 = 1
			send(t, a, udp.Packet{Data: []byte("x"), TOS: 0x28 | ect1})
			p := receive(t, b)
			want := udp.Packet{
				Data: []byte("x"), Addr: addrOf(a),
				Local: netip.MustParseAddr(tt.local), Interface: lo.Index, TOS: 0x28 | ect1,
			}
			if diff := cmp.Diff(want, p, equal); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
			p.Data = []byte("answer") // from the address that it came to
			send(t, b, p)
			assert.Equal(t, "answer", string(receive(t, a).Data), "a connected socket takes it from there only")
		})
	}
}

func TestPacketsThatTheQueueHadNoRoomForAreCounted(t *testing.T) {
	a, b := pair(t)
	dropped := func() int {
		n, err := udp.Dropped.Get(b)
		require.NoError(t, err)
		return int(n)
	}
	assert.Zero(t, dropped())
	setOption(t, b, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1) // the least there is
	const sent = 200
	for range sent {
		send(t, a, udp.Packet{Data: make([]byte, 1000)})
	}
	got := 0
	for got+dropped() < sent {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := b.Receive(ctx); err == nil {
			got++
		}
		cancel()
	}
	assert.NotZero(t, got)
	assert.NotZero(t, dropped())
	assert.Equal(t, sent, got+dropped())
	require.NoError(t, b.Close())
	_, err := udp.Dropped.Get(b)
	require.Equal(t, net.ErrClosed, err)
}

func TestReusePortSharesAnAddress(t *testing.T) {
	a := listen(t, "127.0.0.1:0", &udp.Config{ReusePort: true})
	listen(t, addrOf(a).String(), &udp.Config{ReusePort: true})
	_, err := udp.Listen(t.Context(), addrOf(a).String(), nil)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestBroadcastHasToBeAskedFor(t *testing.T) {
	to := netip.MustParseAddrPort("127.255.255.255:9")
	a := listen(t, "127.0.0.1:0", nil)
	require.ErrorIs(t, a.Send(t.Context(), udp.Packet{Addr: to}), syscall.EACCES)
	b := listen(t, "0.0.0.0:0", nil)
	c := listen(t, "127.0.0.1:0", &udp.Config{Broadcast: true})
	send(t, c, udp.Packet{Data: []byte("all"), Addr: netip.AddrPortFrom(to.Addr(), addrOf(b).Port())})
	assert.Equal(t, "all", string(receive(t, b).Data))
}

func TestOptionsAreSet(t *testing.T) {
	cfg := &udp.Config{TTL: 7, TOS: 0x10, MulticastTTL: 3, MulticastInterface: "lo", NoMulticastLoopback: true}
	for _, tt := range []struct {
		name, addr             string
		level                  int
		ttl, tos, groups, loop int
	}{
		{"IPv4", "127.0.0.1:0", syscall.IPPROTO_IP, syscall.IP_TTL, syscall.IP_TOS, syscall.IP_MULTICAST_TTL, syscall.IP_MULTICAST_LOOP},
		{"IPv6", "[::1]:0", syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS, syscall.IPV6_TCLASS, syscall.IPV6_MULTICAST_HOPS, syscall.IPV6_MULTICAST_LOOP},
		{"IPv4 on a socket for both", ":0", syscall.IPPROTO_IP, syscall.IP_TTL, syscall.IP_TOS, syscall.IP_MULTICAST_TTL, syscall.IP_MULTICAST_LOOP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := listen(t, tt.addr, cfg)
			assert.Equal(t, 7, option(t, c, tt.level, tt.ttl))
			assert.Equal(t, 0x10, option(t, c, tt.level, tt.tos))
			assert.Equal(t, 3, option(t, c, tt.level, tt.groups))
			assert.Equal(t, 0, option(t, c, tt.level, tt.loop))
		})
	}
	_, err := udp.Listen(t.Context(), "127.0.0.1:0", &udp.Config{TTL: 256})
	require.ErrorIs(t, err, syscall.EINVAL)
	_, err = udp.Listen(t.Context(), "127.0.0.1:0", &udp.Config{MulticastInterface: "no-such"})
	require.Error(t, err)
}

func option(t *testing.T, c *udp.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := udp.RawConn.Get(c)
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		value, err = syscall.GetsockoptInt(int(fd), level, name)
	}))
	require.NoError(t, err)
	return value
}

func TestDialFromALocalAddress(t *testing.T) {
	b := listen(t, "127.0.0.1:0", nil)
	a := dial(t, b, &udp.Config{LocalAddr: netip.MustParseAddrPort("127.0.0.9:0")})
	assert.Equal(t, netip.MustParseAddr("127.0.0.9"), addrOf(a).Addr())
	free := addrOf(a).Port()
	require.NoError(t, a.Close())
	a, err := udp.Dial(t.Context(), addrOf(b).String(), &udp.Config{LocalAddr: netip.AddrPortFrom(netip.Addr{}, free)})
	if !errors.Is(err, syscall.EADDRINUSE) { // by somebody who was faster
		require.NoError(t, err)
		defer a.Close()
		assert.Equal(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), free), addrOf(a))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = udp.Dial(ctx, "127.0.0.1:9", nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = udp.Listen(ctx, "127.0.0.1:0", nil)
	require.ErrorIs(t, err, context.Canceled)
	assert.PanicsWithValue(t, "udp: Wrap: nil conn", func() { udp.Wrap(nil) })
}

func TestSecondReceiverIsTurnedAway(t *testing.T) {
	_, b := pair(t)
	waiting := make(chan error, 1)
	go func() {
		err := stream.ErrBusy
		for errors.Is(err, stream.ErrBusy) {
			_, err = b.Receive(t.Context())
		}
		waiting <- err
	}()
	for {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := b.Receive(ctx)
		if errors.Is(err, stream.ErrBusy) {
			break
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-waiting, net.ErrClosed)
}

func TestCallsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	cancelable, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancelable": cancelable} {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
			t.Run(name+" "+addr, func(t *testing.T) {
				b := listen(t, addr, &udp.Config{Info: true})
				a := listen(t, addr, nil)
				out := udp.Packet{Data: make([]byte, 100), Addr: addrOf(b), Local: addrOf(a).Addr(), Interface: 1, TOS: 4}
				in := udp.Packet{Data: make([]byte, 1500)}
				assert.Zero(t, testing.AllocsPerRun(500, func() {
					if err := a.Send(ctx, out); err != nil {
						t.Error(err)
					}
					if err := b.ReceiveInto(ctx, &in); err != nil {
						t.Error(err)
					}
				}))
			})
		}
	}
}
