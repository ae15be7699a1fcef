package udp

import (
	"syscall"
	"unsafe"

	sysunix "golang.org/x/sys/unix"
)

const (
	mostSegments = 64    // UDP_MAX_SEGMENTS of older kernels
	mostBytes    = 65507 // of a packet of IPv4, which one of IPv6 comes close to
	roomForData  = 256   // packets in one sendmmsg
)

// A batchSender is what a SendBatch needs.
type batchSender struct {
	asked   bool // whether the kernel has GSO
	gso     bool
	packets []Packet
	sent    int

	headers  []mmsg
	messages []message
	lengths  []int // how many packets each message is
	iovs     []sysunix.Iovec
}

// Of tests: noGSO is what there is without, and refuseGSO stands for a device
// that turns out not to have it.
var noGSO, refuseGSO = false, false

func (s *sender) beginBatch(ps []Packet) { s.many.packets, s.many.sent, s.err = ps, 0, 0 }

func (s *sender) endBatch() int {
	b := &s.many
	b.packets, s.bad = nil, nil
	for i := range b.iovs {
		b.iovs[i].Base = nil
	}
	return b.sent
}

// attemptBatch sends until everything is sent, or waits for room with what is
// left.
func (s *sender) attemptBatch(fd uintptr) bool {
	b := &s.many
	if !b.asked {
		b.asked = true
		_, err := sysunix.GetsockoptInt(int(fd), sysunix.SOL_UDP, sysunix.UDP_SEGMENT)
		b.gso = err == nil && !noGSO
	}
	if b.headers == nil {
		b.headers, b.messages = make([]mmsg, atOnce), make([]message, atOnce)
		b.lengths, b.iovs = make([]int, atOnce), make([]sysunix.Iovec, roomForData)
	}
	for s.err = 0; b.sent < len(b.packets) && s.bad == nil; {
		count := s.fill()
		if count == 0 {
			break // packet number sent is a bad one
		}
		var got int
		if got, s.err = s.sendmmsg(fd, count); s.err == 0 {
			for i := range got {
				b.sent += b.lengths[i]
			}
			continue
		}
		if b.lengths[0] == 1 || !refused(s.err) {
			return s.err != syscall.EAGAIN
		}
		b.gso, s.err = false, 0
	}
	return true
}

// refused reports whether errno may mean that packets cannot be sent as one:
// the device cannot (EIO), or they are too long for the path (EINVAL,
// EMSGSIZE).
func refused(errno syscall.Errno) bool {
	return errno == syscall.EIO || errno == syscall.EINVAL || errno == syscall.EMSGSIZE
}

func (s *sender) sendmmsg(fd uintptr, count int) (int, syscall.Errno) {
	if refuseGSO {
		for i := range count {
			if s.many.lengths[i] > 1 && i > 0 {
				count = i
				break
			}
			if s.many.lengths[i] > 1 {
				return 0, syscall.EIO
			}
		}
	}
	return sendmmsg(fd, s.many.headers[:count])
}

// fill makes messages of the packets that are left, and returns their number.
func (s *sender) fill() int {
	b := &s.many
	iovs, next, count := b.iovs, b.sent, 0
	for count < atOnce && next < len(b.packets) && len(iovs) > 0 {
		run := b.run(b.packets[next:], len(iovs))
		for i := range run {
			data := b.packets[next+i].Data
			iovs[i].Base = unsafe.SliceData(data)
			iovs[i].SetLen(len(data))
		}
		m, segment := &b.messages[count], 0
		if run > 1 {
			segment = len(b.packets[next].Data)
		}
		m.hdr.Iov = &iovs[0]
		m.hdr.SetIovlen(run)
		if err := s.dress(m, &b.packets[next], segment); err != nil {
			if count == 0 {
				s.bad = err
			}
			return count
		}
		b.headers[count] = mmsg{hdr: m.hdr}
		b.lengths[count] = run
		iovs, next, count = iovs[run:], next+run, count+1
	}
	return count
}

// run returns how many packets from the first on can be sent as one.
func (b *batchSender) run(ps []Packet, room int) int {
	size := len(ps[0].Data)
	if !b.gso || size == 0 {
		return 1
	}
	n, total := 1, size
	for n < min(len(ps), room, mostSegments) {
		p := &ps[n]
		length := len(p.Data)
		if length == 0 || length > size || total+length > mostBytes ||
			p.Addr != ps[0].Addr || p.Local != ps[0].Local || p.Interface != ps[0].Interface || p.TOS != ps[0].TOS {
			break
		}
		n, total = n+1, total+length
		if length < size {
			break // only the last may be shorter
		}
	}
	return n
}
