package main

import (
	"context"
	"net"
	"net/netip"

	"github.com/strata-go/strata/udp"
)

// udpCases compare packets with those of package net.
var udpCases = []benchCase{
	{Name: "udp/send/background", Target: 1.05, AllocFree: true, OneCore: true, Setup: udpSends(background)},
	{Name: "udp/send/one-ctx", Target: 1.05, AllocFree: true, OneCore: true, Setup: udpSends(oneContext)},
	{Name: "udp/receive/background", Target: 1.05, AllocFree: true, OneCore: true, Setup: udpReceives(background)},
	{Name: "udp/receive/one-ctx", Target: 1.05, AllocFree: true, OneCore: true, Setup: udpReceives(oneContext)},
	{Name: "udp/batch/background", Target: 0.10, AllocFree: true, OneCore: true, Setup: udpBatches(background)},
}

// packetSize is what a packet carries, and packetsAtOnce how many fit into a
// socket's buffer.
const (
	packetSize    = 1200
	packetsAtOnce = 48
)

// udpPair returns two sockets, and the address of the second.
func udpPair(undo *cleanup) (a, b *net.UDPConn, to netip.AddrPort, err error) {
	local := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0"))
	if a, err = net.ListenUDP("udp", local); err != nil {
		return nil, nil, to, err
	}
	undo.add(a.Close)
	if b, err = net.ListenUDP("udp", local); err != nil {
		return nil, nil, to, err
	}
	undo.add(b.Close)
	return a, b, b.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

// udpTraffic sends packets by send and receives them by receive, and times
// only the one that is asked for.
func udpTraffic(p policy, timeSend bool, send, receive func(context.Context) error) side {
	return func(w *watch, n int) error {
		for n > 0 {
			batch := min(n, packetsAtOnce)
			n -= batch
			for _, f := range []struct {
				do    func(context.Context) error
				timed bool
			}{{send, timeSend}, {receive, !timeSend}} {
				if !f.timed {
					w.stop()
				}
				for range batch {
					if err := p.do(f.do); err != nil {
						return err
					}
				}
				if !f.timed {
					w.start()
				}
			}
		}
		return nil
	}
}

func udpSends(p policy) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) { return udpSingle(undo, p, true) }
}

func udpReceives(p policy) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) { return udpSingle(undo, p, false) }
}

func udpSingle(undo *cleanup, p policy, timeSend bool) (ours, theirs side, err error) {
	a, b, to, err := udpPair(undo)
	if err != nil {
		return nil, nil, err
	}
	s, r := udp.Wrap(a), udp.Wrap(b)
	out, in := udp.Packet{Data: make([]byte, packetSize), Addr: to}, udp.Packet{Data: make([]byte, packetSize)}
	ours = udpTraffic(p, timeSend,
		func(ctx context.Context) error { return s.Send(ctx, out) },
		func(ctx context.Context) error { return r.ReceiveInto(ctx, &in) })

	c, d, where, err := udpPair(undo)
	if err != nil {
		return nil, nil, err
	}
	send, receive := netPackets(c, d, where)
	return ours, udpTraffic(p, timeSend, send, receive), nil
}

// netPackets sends and receives a packet as one does with package net.
func netPackets(c, d *net.UDPConn, to netip.AddrPort) (send, receive func(context.Context) error) {
	out, in := make([]byte, packetSize), make([]byte, packetSize)
	send = func(context.Context) error {
		_, _, err := c.WriteMsgUDPAddrPort(out, nil, to)
		return err
	}
	receive = func(context.Context) error {
		_, _, _, _, err := d.ReadMsgUDPAddrPort(in, nil)
		return err
	}
	return send, receive
}

// udpBatches sends and receives packetsAtOnce packets, ours as a batch, theirs
// one by one. That many are one operation, or a short round would measure
// batches of few.
func udpBatches(p policy) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		a, b, to, err := udpPair(undo)
		if err != nil {
			return nil, nil, err
		}
		s, r := udp.Wrap(a), udp.Wrap(b)
		out, in := make([]udp.Packet, packetsAtOnce), make([]udp.Packet, packetsAtOnce)
		for i := range out {
			out[i] = udp.Packet{Data: make([]byte, packetSize), Addr: to}
			in[i].Data = make([]byte, packetSize)
		}
		ours = repeat(p, func(ctx context.Context) error { return batchThrough(ctx, s, r, out, in) })
		c, d, where, err := udpPair(undo)
		if err != nil {
			return nil, nil, err
		}
		send, receive := netPackets(c, d, where)
		return ours, repeat(p, func(ctx context.Context) error {
			for range packetsAtOnce {
				if err := send(ctx); err != nil {
					return err
				}
				if err := receive(ctx); err != nil {
					return err
				}
			}
			return nil
		}), nil
	}
}

func batchThrough(ctx context.Context, s, r *udp.Conn, out, in []udp.Packet) error {
	if _, err := s.SendBatch(ctx, out); err != nil {
		return err
	}
	for got := 0; got < len(out); {
		n, err := r.ReceiveBatch(ctx, in)
		if err != nil {
			return err
		}
		got += n
	}
	return nil
}

// repeat is the side that does f.
func repeat(p policy, f func(context.Context) error) side {
	return func(_ *watch, n int) error {
		for range n {
			if err := p.do(f); err != nil {
				return err
			}
		}
		return nil
	}
}
