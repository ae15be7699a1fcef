//go:build unix

package unix

import (
	"errors"
	"net"
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/internal/ctxio"
)

func packetsSupported() error { return nil }

// A packetReceiver makes the calls of the one who receives.
type packetReceiver struct {
	call ctxio.PacketCall
	conn *net.UnixConn

	data  []byte // room for the packet
	whole bool   // make room

	n         int // what of the packet is in data
	length    int // of the packet, 0 if unknown and more than n
	from      sysunix.Sockaddr
	err       error
	truncated bool
}

func (r *packetReceiver) init(conn *net.UnixConn, raw syscall.RawConn) {
	r.conn = conn
	r.call.Init(raw, false, r.attempt, r.result)
}

// begin prepares a call. Without an attempt there is no packet.
func (r *packetReceiver) begin(data []byte, whole bool) {
	r.data, r.whole, r.err = data, whole, sysunix.EAGAIN
}

// attempt reports whether there is an answer.
func (r *packetReceiver) attempt(fd uintptr) bool {
	if r.whole {
		n, err := nextLength(int(fd))
		if err != nil {
			r.err = err
			return !errors.Is(err, sysunix.EAGAIN)
		}
		r.data = make([]byte, n)
	}
	r.truncated, r.length = false, 0
	for {
		var flags int
		r.n, _, flags, r.from, r.err = sysunix.RecvmsgBuffers(int(fd), [][]byte{r.data}, nil, tellLength)
		if errors.Is(r.err, sysunix.EINTR) {
			continue
		}
		if r.err == nil && flags&sysunix.MSG_TRUNC != 0 {
			r.truncated = true
			if r.n > len(r.data) {
				r.length, r.n = r.n, len(r.data)
			}
		}
		return !errors.Is(r.err, sysunix.EAGAIN)
	}
}

func (r *packetReceiver) result() error { return packetError("recvmsg", r.conn, r.err) }

// take puts into p what an attempt has received.
func (r *packetReceiver) take(p *Packet) error {
	room := len(r.data)
	if r.err == nil {
		p.Data, p.Addr = r.data[:r.n], nameOf(r.from)
	}
	r.data, r.from = nil, nil
	if r.err == nil && r.truncated {
		return &TruncatedError{Room: room, Length: r.length}
	}
	return nil
}

func nameOf(from sysunix.Sockaddr) string {
	a, ok := from.(*sysunix.SockaddrUnix)
	if !ok || a.Name == "@" {
		return ""
	}
	return a.Name
}

// A packetSender makes the calls of the one whose turn it is to send.
type packetSender struct {
	call ctxio.PacketCall
	conn *net.UnixConn

	data []byte
	to   string
	err  error
}

func (s *packetSender) init(conn *net.UnixConn, raw syscall.RawConn) {
	s.conn = conn
	s.call.Init(raw, true, s.attempt, s.result)
}

func (s *packetSender) attempt(fd uintptr) bool {
	var to sysunix.Sockaddr
	if s.to != "" {
		to = &sysunix.SockaddrUnix{Name: s.to}
	}
	for {
		s.err = sysunix.Sendto(int(fd), s.data, 0, to)
		if !errors.Is(s.err, sysunix.EINTR) {
			return !errors.Is(s.err, sysunix.EAGAIN)
		}
	}
}

func (s *packetSender) result() error { return packetError("sendto", s.conn, s.err) }

func packetError(call string, conn *net.UnixConn, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: call, Net: "unixgram", Source: conn.LocalAddr(), Err: os.NewSyscallError(call, err)}
}
