package udp

import (
	"errors"
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// atOnce is how many packets one recvmmsg takes.
const atOnce = 64

// A batchReceiver is what a ReceiveBatch needs.
type batchReceiver struct {
	asked    bool // for joined packets
	packets  []Packet
	n        int
	cut      []error       // for those that did not fit
	late     syscall.Errno // met after packets, for the next call
	headers  []mmsg        // of recvmmsg, where packets are not joined
	messages []message
}

// noGRO is for tests of what there is without.
var noGRO = false

func (r *receiver) beginBatch(ps []Packet) {
	r.many.packets, r.many.n, r.many.cut, r.err = ps, 0, nil, syscall.EAGAIN
}

func (r *receiver) attemptBatch(fd uintptr) bool {
	m := &r.many
	if !m.asked {
		m.asked = true
		if !noGRO {
			r.joined.turnOn(fd)
		}
	}
	if r.err = m.late; r.err != 0 {
		m.late = 0
		return true
	}
	if r.joined.on {
		r.err = r.takeApart(fd)
	} else {
		r.err = r.takeMany(fd)
	}
	if m.n > 0 && r.err != 0 {
		if r.err != syscall.EAGAIN {
			m.late = r.err
		}
		r.err = 0
	}
	return r.err != syscall.EAGAIN
}

func (r *receiver) endBatch() (int, error) {
	m := &r.many
	m.packets = nil
	return m.n, errors.Join(m.cut...)
}

// takeApart fills the batch with packets that were joined.
func (r *receiver) takeApart(fd uintptr) syscall.Errno {
	m := &r.many
	for m.n < len(m.packets) {
		if errno := r.joined.more(r, fd); errno != 0 {
			return errno
		}
		if cut := r.joined.take(&m.packets[m.n], false); cut != nil {
			cut.Index = m.n
			m.cut = append(m.cut, cut)
		}
		m.n++
	}
	return 0
}

// takeMany fills the batch by recvmmsg.
func (r *receiver) takeMany(fd uintptr) syscall.Errno {
	m := &r.many
	if m.headers == nil {
		m.headers, m.messages = make([]mmsg, atOnce), make([]message, atOnce)
	}
	count := min(len(m.packets), atOnce)
	for i := range count {
		p := m.packets[i].Data
		m.messages[i].receiveInto(p[:cap(p)], r.info)
		m.headers[i] = mmsg{hdr: m.messages[i].hdr}
	}
	got, errno := recvmmsg(fd, m.headers[:count], sysunix.MSG_TRUNC)
	if errno == 0 {
		r.keep(got)
	}
	for i := range count {
		m.messages[i].forget()
		m.headers[i] = mmsg{}
	}
	return errno
}

// keep describes what recvmmsg has received.
func (r *receiver) keep(got int) {
	m := &r.many
	m.n = got
	for i := range got {
		p, h := &m.packets[i], &m.headers[i]
		room := cap(p.Data)
		p.Data = p.Data[:min(int(h.len), room)]
		r.describe(p, &h.hdr, &m.messages[i].name, m.messages[i].control[:])
		if int(h.len) > room {
			m.cut = append(m.cut, &TruncatedError{Index: i, Room: room, Length: int(h.len)})
		}
	}
}
