//go:build !linux

package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
)

func (*Conn) dropped() (uint32, error) { return 0, attr.ErrNotFound }

func (cfg *Config) supported() error {
	if cfg.Info {
		return fmt.Errorf("information beside packets: %w", errors.ErrUnsupported)
	}
	return nil
}

// most is the length of the longest packet.
const most = 1 << 16

// A receiver makes the calls of the one who receives, by package net.
type receiver struct {
	call, batch ctxio.PacketCall
	conn        *net.UDPConn
	four        bool

	data    []byte
	whole   bool
	n       int
	flags   int
	from    netip.AddrPort
	done    bool
	packets []Packet
}

func (r *receiver) init(conn *net.UDPConn, _ syscall.RawConn) {
	r.conn = conn
	a, ok := conn.LocalAddr().(*net.UDPAddr)
	r.four = ok && a.IP.To4() != nil
	r.call.InitBlocking(r.wait)
	r.batch.InitBlocking(r.wait)
}

func (r *receiver) begin(p *Packet, whole bool) {
	r.data, r.whole, r.done = p.Data[:cap(p.Data)], whole, false
	if whole {
		r.data = make([]byte, most)
	}
}

func (r *receiver) wait() (err error) {
	r.n, _, r.flags, r.from, err = r.conn.ReadMsgUDPAddrPort(r.data, nil)
	if errors.Is(err, errCut) {
		r.n, r.flags, err = len(r.data), flagCut, nil
	}
	r.done = err == nil
	return err
}

func (r *receiver) end(p *Packet) error {
	if !r.done {
		return nil
	}
	room := len(r.data)
	*p = Packet{Data: r.data[:min(r.n, room)], Addr: netip.AddrPortFrom(r.from.Addr().Unmap(), r.from.Port())}
	if r.flags&flagCut != 0 {
		return &TruncatedError{Room: room}
	}
	return nil
}

func (r *receiver) beginBatch(ps []Packet) {
	r.packets = ps
	r.begin(&ps[0], false)
}

func (r *receiver) endBatch() (int, error) {
	if !r.done {
		return 0, nil
	}
	return 1, r.end(&r.packets[0])
}

// A sender makes the calls of the one whose turn it is to send, by package
// net.
type sender struct {
	call, batch ctxio.PacketCall
	conn        *net.UDPConn

	packet  Packet
	packets []Packet
	sent    int
}

func (s *sender) init(conn *net.UDPConn, _ syscall.RawConn) {
	s.conn = conn
	s.call.InitBlocking(func() error { return s.write(&s.packet) })
	s.batch.InitBlocking(s.writeAll)
}

func (s *sender) begin(p *Packet) { s.packet = *p }

func (s *sender) end() { s.packet = Packet{} }

func (s *sender) write(p *Packet) error {
	if p.Local.IsValid() || p.Interface != 0 || p.TOS != 0 {
		return fmt.Errorf("udp: local address, interface or traffic class of a packet: %w", errors.ErrUnsupported)
	}
	var err error
	if p.Addr.IsValid() {
		_, _, err = s.conn.WriteMsgUDPAddrPort(p.Data, nil, p.Addr)
	} else {
		_, err = s.conn.Write(p.Data)
	}
	return err
}

func (s *sender) beginBatch(ps []Packet) { s.packets, s.sent = ps, 0 }

func (s *sender) writeAll() error {
	for s.sent < len(s.packets) {
		if err := s.write(&s.packets[s.sent]); err != nil {
			return err
		}
		s.sent++
	}
	return nil
}

func (s *sender) endBatch() int {
	s.packets = nil
	return s.sent
}
