package ctxio

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// timedOut reports whether err is a net.Conn's way to say that its deadline
// has passed. ETIMEDOUT, for which Timeout is true as well, is the network's.
func timedOut(err error) bool {
	if err == nil || errors.Is(err, syscall.ETIMEDOUT) {
		return false
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

func isClosed(err error) bool { return err != nil && errors.Is(err, net.ErrClosed) }

// disown returns err, but for an error that is net.ErrClosed although this
// side has not closed the stream: that one keeps its text alone.
func disown(err error) error {
	if isClosed(err) {
		return errors.New(err.Error())
	}
	return err
}

// opError is what net itself would return for an errno.
func opError(op string, conn net.Conn, err error) error {
	return &net.OpError{
		Op: op, Net: conn.LocalAddr().Network(),
		Source: conn.LocalAddr(), Addr: conn.RemoteAddr(),
		Err: os.NewSyscallError(op, err),
	}
}

func resetError(conn net.Conn) error { return opError("read", conn, syscall.ECONNRESET) }
