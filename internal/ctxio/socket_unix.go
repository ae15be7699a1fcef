//go:build unix

package ctxio

import (
	"errors"
	"io"
	"net"
	"syscall"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/stream"
)

// A socket is a net.Conn that can be asked without waiting. The zero socket is
// none.
type socket struct {
	conn net.Conn
	raw  syscall.RawConn
	tcp  bool
}

// socketOf returns none for whatever is not exactly a stream socket of package
// net: a type that embeds one may buffer what it reads.
func socketOf(conn net.Conn) socket {
	var raw syscall.RawConn
	var err error
	tcp := false
	switch s := conn.(type) {
	case *net.TCPConn:
		raw, err = s.SyscallConn()
		tcp = true
	case *net.UnixConn:
		if s.LocalAddr().Network() != "unix" { // unixgram, unixpacket
			return socket{}
		}
		raw, err = s.SyscallConn()
	default:
		return socket{}
	}
	if err != nil {
		return socket{}
	}
	return socket{conn: conn, raw: raw, tcp: tcp}
}

func (s *socket) ok() bool { return s.raw != nil }

// A socketReader reads without waiting, and waits without reading. The
// functions that do it under the descriptor's lock are made once, by the first
// call that needs them, so that further ones allocate nothing.
type socketReader struct {
	socket
	once, poll func(fd uintptr) (done bool)

	p     []byte
	n     int
	err   error
	ready bool
	park  bool // poll is to be called until ready
}

func (r *socketReader) readOnce() func(fd uintptr) bool {
	return func(fd uintptr) bool { // as a method value it would be two functions
		for {
			r.n, r.err = syscall.Read(int(fd), r.p[:min(len(r.p), maxTransfer)])
			if r.err != syscall.EINTR {
				return true
			}
		}
	}
}

// try reads what is there. The error is stream.ErrWouldBlock when that is
// nothing, or when there is no socket to ask.
func (r *socketReader) try(p []byte) (int, error) {
	return r.answer(r.ask(p))
}

// ask and answer are the halves of try, before and after the system call.
func (r *socketReader) ask(p []byte) error {
	if !r.ok() {
		return stream.ErrWouldBlock
	}
	if r.once == nil {
		r.once = r.readOnce()
	}
	r.p = p
	return r.raw.Read(r.once)
}

func (r *socketReader) answer(err error) (int, error) {
	r.p = nil
	switch {
	case err != nil:
		return 0, err
	case r.err == nil && r.n > 0:
		return r.n, nil
	case r.err == nil:
		return 0, io.EOF
	case r.err == syscall.EAGAIN:
		return 0, stream.ErrWouldBlock
	default:
		return 0, opError("read", r.conn, r.err)
	}
}

// readable reports whether try has an answer. It takes no error from the
// socket, as a read with MSG_PEEK would.
func (r *socketReader) readable() bool {
	return r.pollFor(false) == nil && r.ready
}

// wait parks until readable.
func (r *socketReader) wait() error { return r.pollFor(true) }

func (r *socketReader) pollFor(park bool) error {
	if r.poll == nil {
		r.poll = r.pollNow
	}
	r.park = park
	return r.raw.Read(r.poll)
}

func (r *socketReader) pollNow(fd uintptr) bool {
	r.ready = isReadable(fd)
	return r.ready || !r.park
}

// isReadable asks without waiting.
func isReadable(fd uintptr) bool {
	fds := [1]sysunix.PollFd{{Fd: int32(fd), Events: sysunix.POLLIN}}
	for {
		n, err := sysunix.Poll(fds[:], 0)
		if err != sysunix.EINTR {
			return n > 0 || err != nil
		}
	}
}

// hungUp reports whether the peer of a Unix socket is gone altogether: the
// kernel says no more of whether it left bytes unread. TCP does, see wasReset.
func (r *socketReader) hungUp() bool {
	if !r.ok() || r.tcp {
		return false
	}
	gone := false
	_ = r.raw.Control(func(fd uintptr) {
		fds := [1]sysunix.PollFd{{Fd: int32(fd)}}
		n, err := sysunix.Poll(fds[:], 0)
		gone = err == nil && n > 0 && fds[0].Revents&sysunix.POLLHUP != 0
	})
	return gone
}

// A socketWriter writes without waiting.
type socketWriter struct {
	*socket
	once func(fd uintptr) (done bool)

	p   []byte
	n   int
	err error
}

func (w *socketWriter) writeOnce() func(fd uintptr) bool {
	return func(fd uintptr) bool {
		for w.n < len(w.p) {
			n, err := syscall.Write(int(fd), w.p[w.n:min(len(w.p), w.n+maxTransfer)])
			if n > 0 {
				w.n += n
			}
			if err != nil && !errors.Is(err, syscall.EINTR) {
				w.err = err
				break
			}
		}
		return true
	}
}

// try writes what there is room for. The error is stream.ErrWouldBlock when
// that is not all, or when there is no socket to ask.
func (w *socketWriter) try(p []byte) (int, error) {
	return w.answer(w.ask(p))
}

// ask and answer are the halves of try, before and after the system call.
func (w *socketWriter) ask(p []byte) error {
	if !w.ok() {
		return stream.ErrWouldBlock
	}
	if w.once == nil {
		w.once = w.writeOnce()
	}
	w.p = p
	return w.raw.Write(w.once)
}

func (w *socketWriter) answer(err error) (int, error) {
	n, failure := w.n, w.err
	w.p, w.n, w.err = nil, 0, nil
	switch {
	case err != nil:
		return n, err
	case failure == nil:
		return n, nil
	case failure == syscall.EAGAIN:
		return n, stream.ErrWouldBlock
	default:
		return n, opError("write", w.conn, failure)
	}
}

// maxTransfer is what macOS takes in one call, and net's own limit.
const maxTransfer = 1 << 30
