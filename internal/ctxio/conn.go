package ctxio

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
)

// A Conn gives a net.Conn that carries a stream of bytes the methods of a
// stream.ByteStream, but for Attributes: with stream's contract, lines 0 to 6.
// Make it with [Conn.Init]. It must not be copied.
//
// A canceled Send has sent the n bytes that it reports and no others. It
// leaves the stream in order if writing to the net.Conn can be resumed after
// a deadline, which holds for sockets and net.Pipe, not for crypto/tls.
type Conn struct {
	conn net.Conn
	rx   receiving
	tx   sending

	broken atomic.Pointer[stream.BrokenError]
	gaveUp atomic.Bool // broken by a context that had no deadline to set

	closed  atomic.Bool
	closing sync.Mutex // is held while conn is closed, so that every Close waits for that
}

// Init makes c the stream over conn, and takes conn over.
func (c *Conn) Init(conn net.Conn) {
	c.conn = conn
	c.rx.conn, c.rx.set, c.rx.owner = conn, setRead, c
	c.tx.conn, c.tx.set, c.tx.owner = conn, setWrite, c
	c.tx.closer, _ = conn.(closeWriter)
	c.rx.waiter, _ = conn.(readWaiter)
	c.tx.trier, _ = conn.(tryWriter)
	c.rx.socket.socket = socketOf(conn)
	c.tx.socket.socket = &c.rx.socket.socket
}

// Close closes the net.Conn. Again it is nil. Calls under way return
// net.ErrClosed.
func (c *Conn) Close() error { return c.end(c.conn.Close) }

// Abort closes the net.Conn so that the peer sees a reset where the transport
// has one: by the net.Conn's own Abort method, or with SO_LINGER 0 on the TCP
// connection that it is or wraps.
func (c *Conn) Abort(cause error) error {
	return c.end(func() error {
		if a, ok := c.conn.(stream.Aborter); ok {
			return a.Abort(cause)
		}
		ResetOnClose(c.conn)
		return c.conn.Close()
	})
}

// Closed reports whether Close, Abort or Detach was called.
func (c *Conn) Closed() bool { return c.closed.Load() }

// Detach gives the net.Conn back without its contexts and deadlines. The Conn
// is closed after that, and the net.Conn is not. The error is
// stream.ErrBusy while a call is under way, and net.ErrClosed after Close.
func (c *Conn) Detach() (net.Conn, error) {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.closed.Load() {
		return nil, net.ErrClosed
	}
	if err := c.rx.guard.Enter(); err != nil {
		return nil, err
	}
	defer c.rx.guard.Leave()
	if err := c.tx.guard.Enter(); err != nil {
		return nil, err
	}
	defer c.tx.guard.Leave()
	c.closed.Store(true)
	c.rx.release()
	c.tx.release()
	return c.conn, nil
}

func (c *Conn) end(closeConn func() error) error {
	c.closing.Lock()
	defer c.closing.Unlock()
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	c.rx.close()
	c.tx.close()
	err := closeConn()
	if isClosed(err) || c.broken.Load() != nil {
		return nil // somebody else closed it before, or no farewell was to be expected
	}
	return err
}

// fail breaks the connection, if it is not broken yet, and returns what it is
// broken by. The call in the other direction wakes.
func (c *Conn) fail(cause error, other *direction) *stream.BrokenError {
	if c.broken.CompareAndSwap(nil, stream.Broken(disown(cause))) {
		other.interrupt()
	}
	return c.broken.Load()
}

// giveUp is the way to wake a call on a net.Conn without deadlines.
func (c *Conn) giveUp(err error) {
	if c.broken.CompareAndSwap(nil, stream.Broken(disown(err))) {
		c.gaveUp.Store(true)
	}
	_ = c.conn.Close()
}
