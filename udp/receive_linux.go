package udp

import (
	"net"
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/internal/ctxio"
)

// A receiver makes the calls of the one who receives.
type receiver struct {
	call, batch ctxio.PacketCall
	addressing
	conn *net.UDPConn
	info bool // packets may have something beside them

	message
	data  []byte // where the packet goes
	whole bool   // make room for it
	n     int    // its length, with what was cut off
	err   syscall.Errno

	many   batchReceiver
	joined joined
}

func (r *receiver) init(conn *net.UDPConn, raw syscall.RawConn) {
	r.conn = conn
	if raw == nil { // closed already, as every call will find
		return
	}
	_ = raw.Control(func(fd uintptr) {
		r.four = isIPv4(fd)
		r.info = option(fd, sysunix.SOL_IP, sysunix.IP_PKTINFO) != 0 || option(fd, sysunix.SOL_IP, sysunix.IP_RECVTOS) != 0 ||
			option(fd, sysunix.SOL_IPV6, sysunix.IPV6_RECVPKTINFO) != 0 || option(fd, sysunix.SOL_IPV6, sysunix.IPV6_RECVTCLASS) != 0
		r.joined.on = option(fd, sysunix.SOL_UDP, sysunix.UDP_GRO) != 0
	})
	r.call.Init(raw, false, r.attempt(), r.result)
	r.batch.Init(raw, false, r.attemptBatch, r.result)
}

func option(fd uintptr, level, name int) int {
	value, err := sysunix.GetsockoptInt(int(fd), level, name)
	if err != nil {
		return 0
	}
	return value
}

// begin prepares a call. Without an attempt there is no packet.
func (r *receiver) begin(p *Packet, whole bool) {
	r.data, r.whole, r.err = p.Data[:cap(p.Data)], whole, syscall.EAGAIN
}

// attempt returns what reports whether there is an answer: a packet, or an
// error. As a method value it would be two functions.
func (r *receiver) attempt() func(fd uintptr) bool {
	return func(fd uintptr) bool {
		if r.joined.on {
			r.err = r.joined.more(r, fd)
			return r.err != syscall.EAGAIN
		}
		if r.whole && !r.makeRoom(fd) {
			return r.err != syscall.EAGAIN
		}
		r.receiveInto(r.data, r.info)
		r.n, r.err = recvmsg(fd, &r.hdr, sysunix.MSG_TRUNC)
		return r.err != syscall.EAGAIN
	}
}

// makeRoom makes as much as the next packet needs.
func (r *receiver) makeRoom(fd uintptr) bool {
	r.receiveInto(nil, false)
	if r.n, r.err = recvmsg(fd, &r.hdr, sysunix.MSG_PEEK|sysunix.MSG_TRUNC); r.err != 0 {
		return false
	}
	r.data = make([]byte, r.n)
	return true
}

func (r *receiver) result() error {
	if r.err == 0 {
		return nil
	}
	return opError("recvmsg", r.conn, r.err)
}

// end puts into p what an attempt has received.
func (r *receiver) end(p *Packet) error {
	if r.err != 0 {
		r.data = nil
		r.forget()
		return nil // the call's own error says it
	}
	if r.joined.on {
		if cut := r.joined.take(p, r.whole); cut != nil {
			return cut
		}
		return nil
	}
	room := len(r.data)
	p.Data = r.data[:min(r.n, room)]
	r.describe(p, &r.hdr, &r.name, r.control[:])
	r.data = nil
	r.forget()
	if r.n > room {
		return &TruncatedError{Room: room, Length: r.n}
	}
	return nil
}

// describe fills in all of p but its data.
func (r *receiver) describe(p *Packet, hdr *sysunix.Msghdr, name *sysunix.RawSockaddrInet6, beside []byte) {
	p.Addr = r.from(name)
	var c control
	if n := int(hdr.Controllen); n > 0 {
		c = parse(beside[:n])
	}
	p.Local, p.Interface, p.TOS = c.local, c.ifindex, c.tos
}

func opError(call string, conn *net.UDPConn, errno syscall.Errno) error {
	return &net.OpError{
		Op: call, Net: "udp", Source: conn.LocalAddr(), Addr: conn.RemoteAddr(),
		Err: os.NewSyscallError(call, errno),
	}
}
