package udp

import (
	"net"
	"syscall"
	"unsafe"

	"github.com/strata-go/strata/internal/ctxio"
)

// A sender makes the calls of the one whose turn it is to send.
type sender struct {
	call, batch ctxio.PacketCall
	addressing
	conn *net.UDPConn

	message
	err  syscall.Errno
	bad  error // why a packet cannot be sent at all
	many batchSender
}

func (s *sender) init(conn *net.UDPConn, raw syscall.RawConn) {
	s.conn = conn
	if raw == nil { // closed already, as every call will find
		return
	}
	_ = raw.Control(func(fd uintptr) { s.four = isIPv4(fd) })
	s.call.Init(raw, true, s.attempt(), s.result)
	s.batch.Init(raw, true, s.attemptBatch, s.result)
}

// begin prepares a call.
func (s *sender) begin(p *Packet) {
	s.iov.Base = unsafe.SliceData(p.Data)
	s.iov.SetLen(len(p.Data))
	s.hdr.Iov = &s.iov
	s.hdr.SetIovlen(1)
	s.bad = s.dress(&s.message, p, 0)
}

// dress gives the message all that p has but its data.
func (s *sender) dress(m *message, p *Packet, segment int) error {
	m.hdr.Name, m.hdr.Namelen = nil, 0
	if p.Addr.IsValid() {
		n, err := s.to(&m.name, p.Addr)
		if err != nil {
			return &net.OpError{Op: "sendmsg", Net: "udp", Source: s.conn.LocalAddr(), Addr: net.UDPAddrFromAddrPort(p.Addr), Err: err}
		}
		m.hdr.Name, m.hdr.Namelen = (*byte)(unsafe.Pointer(&m.name)), n
	}
	m.hdr.Control = nil
	m.hdr.SetControllen(0)
	if p.Local.IsValid() || p.Interface != 0 || p.TOS != 0 || segment != 0 {
		c := control{local: p.Local, ifindex: p.Interface, tos: p.TOS, segment: segment}
		if n := c.write(m.control[:], s.four, s.goesByIPv4(p)); n > 0 {
			m.hdr.Control = &m.control[0]
			m.hdr.SetControllen(n)
		}
	}
	return nil
}

func (s *sender) goesByIPv4(p *Packet) bool {
	return s.four || p.Addr.IsValid() && p.Addr.Addr().Unmap().Is4()
}

// attempt returns what sends, and reports whether there is an answer.
func (s *sender) attempt() func(fd uintptr) bool {
	return func(fd uintptr) bool {
		if s.err = 0; s.bad != nil {
			return true
		}
		s.err = sendmsg(fd, &s.hdr)
		return s.err != syscall.EAGAIN
	}
}

func (s *sender) result() error {
	if s.err == 0 {
		return s.bad
	}
	return opError("sendmsg", s.conn, s.err)
}

func (s *sender) end() {
	s.bad = nil
	s.forget()
}
