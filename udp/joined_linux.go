package udp

import (
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// joined are packets that the kernel has joined into one (UDP_GRO), and that
// are taken apart again here.
type joined struct {
	on      bool   // the socket is asked for it
	buf     []byte // 64 KiB
	rest    []byte // of it, what nobody has taken yet
	pending bool   // which may be one packet without bytes
	segment int
	like    Packet // what all of them have in common
}

// most is the length of the longest message.
const most = 1 << 16

// turnOn asks for joined packets; where the kernel has none it does not.
func (j *joined) turnOn(fd uintptr) {
	if sysunix.SetsockoptInt(int(fd), sysunix.SOL_UDP, sysunix.UDP_GRO, 1) == nil {
		j.on = true
	}
}

// more makes sure that there is a packet.
func (j *joined) more(r *receiver, fd uintptr) syscall.Errno {
	if j.pending {
		return 0
	}
	if j.buf == nil {
		j.buf = make([]byte, most)
	}
	r.receiveInto(j.buf, true)
	n, errno := recvmsg(fd, &r.hdr, 0)
	if errno != 0 {
		return errno
	}
	c := parse(r.control[:r.hdr.Controllen])
	j.like = Packet{Addr: r.from(&r.name), Local: c.local, Interface: c.ifindex, TOS: c.tos}
	j.hold(n, c.segment)
	return 0
}

// hold keeps the n bytes of buf, in packets of so many.
func (j *joined) hold(n, segment int) {
	j.rest, j.segment, j.pending = j.buf[:n], segment, true
	if segment <= 0 || segment > n {
		j.segment = n
	}
}

// take moves the next packet into p.
func (j *joined) take(p *Packet, whole bool) *TruncatedError {
	packet := j.rest[:min(j.segment, len(j.rest))]
	j.rest = j.rest[len(packet):]
	j.pending = len(j.rest) > 0
	data := p.Data[:cap(p.Data)]
	if whole {
		data = make([]byte, len(packet))
	}
	*p = j.like
	p.Data = data[:copy(data, packet)]
	if len(packet) > len(data) {
		return &TruncatedError{Room: len(data), Length: len(packet)}
	}
	return nil
}
