package streamtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A fault is what a reference pipe does wrong.
type fault string

// pipeName is a fixed fact of every reference end, and pipeOpen a live one.
var (
	pipeName = attr.New[string]("test.pipe_name")
	pipeOpen = attr.New[bool]("test.pipe_open")
	pipeEnd  = attr.Define(
		attr.From(pipeName, (*end).nameFact),
		attr.From(pipeOpen, (*end).openFact),
	)
)

// half is one direction of a reference pipe: a bounded buffer.
type half struct {
	buf []byte
	eof bool // nothing more is sent
}

// conn is what the two ends of a reference pipe share. One lock and one
// condition serve everything: it is simple, and slow.
type conn struct {
	mu     sync.Mutex
	cond   *sync.Cond
	size   int
	faults map[fault]bool
	killed bool // ends calls that a fault leaves blocked for good
	open   int  // ends that are not closed
	stop   chan struct{}
	file   *os.File
}

func (c *conn) has(f fault) bool { return c.faults[f] }

// kill ends every call, whatever the faults, and gives back what leaked.
func (c *conn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	c.cond.Broadcast()
	if c.stop != nil {
		close(c.stop)
	}
	if c.file != nil {
		c.file.Close()
	}
}

// leak does what the leaking faults do.
func (c *conn) leak() {
	if c.has("leaks a goroutine") {
		c.stop = make(chan struct{})
		go func() { <-c.stop }() // ends with kill
	}
	if c.has("leaks a descriptor") {
		c.file, _ = os.Open(os.DevNull)
	}
}

// A direction is what one end has to do with one half.
type direction struct {
	*half
	busy bool
	late error // what a late cancellation left behind
}

// end is one end of a reference pipe, correct but for its faults.
type end struct {
	*conn
	name    string
	set     attr.Set
	in, out direction
	peer    *end
	closed  bool
	broken  *stream.BrokenError
	asked   int // how often a sticky answer was given
}

var _ stream.ByteStream = (*end)(nil)

// newPipe returns a pipe that holds size bytes each way.
func newPipe(size int, faults ...fault) (a, b *end) {
	c := &conn{size: size, open: 2, faults: make(map[fault]bool)}
	c.cond = sync.NewCond(&c.mu)
	for _, f := range faults {
		c.faults[f] = true
	}
	there, back := new(half), new(half)
	a = &end{conn: c, name: "a", in: direction{half: back}, out: direction{half: there}}
	b = &end{conn: c, name: "b", in: direction{half: there}, out: direction{half: back}}
	a.peer, b.peer = b, a
	pipeEnd.Init(&a.set, a)
	pipeEnd.Init(&b.set, b)
	c.leak()
	return a, b
}

func (e *end) nameFact() (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.name, nil
}

func (e *end) openFact() (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false, net.ErrClosed
	}
	return true, nil
}

func (e *end) Attributes() *attr.Set { return &e.set }

// Receive implements [stream.ByteReceiver].
func (e *end) Receive(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	err = e.call(ctx, &e.in, func() error {
		if len(e.in.buf) == 0 {
			return e.noData()
		}
		n = copy(p, e.in.buf)
		e.in.buf = e.in.buf[n:]
		e.cond.Broadcast()
		return nil
	})
	return n, err
}

// WaitReceive implements [stream.ReceiveWaiter].
func (e *end) WaitReceive(ctx context.Context) error {
	return e.call(ctx, &e.in, func() error {
		if err := e.noData(); len(e.in.buf) == 0 && err == errWait {
			return err
		}
		return nil
	})
}

// noData is the answer of a Receive that finds nothing.
func (e *end) noData() error {
	switch {
	case e.broken != nil:
		return e.broken
	case e.in.eof:
		return io.EOF
	}
	return errWait
}

// Send implements [stream.ByteSender].
func (e *end) Send(ctx context.Context, p []byte) (n int, err error) {
	err = e.call(ctx, &e.out, func() error {
		if err := e.noRoom(); err != nil {
			return err
		}
		took := min(len(p)-n, e.size-len(e.out.buf))
		e.out.buf = append(e.out.buf, p[n:n+took]...)
		n += took
		if took > 0 {
			e.cond.Broadcast()
		}
		if n < len(p) {
			return errWait
		}
		return nil
	})
	return n, err
}

// noRoom is why nothing can be sent, whatever the room.
func (e *end) noRoom() error {
	switch {
	case e.out.eof:
		return net.ErrClosed
	case e.broken != nil:
		return e.broken
	case e.peer.closed:
		e.breakOff(errPeerClosed)
		return e.broken
	}
	return nil
}

// SendBuffers implements [stream.BuffersSender].
func (e *end) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	n, err := e.Send(ctx, bytes.Join(bufs, nil))
	return int64(n), err
}

// TrySend implements [stream.TrySender].
func (e *end) TrySend(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.out.eof {
		return 0, net.ErrClosed
	}
	if e.out.busy {
		return 0, stream.ErrBusy
	}
	if err := e.noRoom(); err != nil {
		return 0, err
	}
	took := min(len(p), e.size-len(e.out.buf))
	e.out.buf = append(e.out.buf, p[:took]...)
	e.cond.Broadcast()
	if took < len(p) {
		return took, stream.ErrWouldBlock
	}
	return took, nil
}

// SendEOF implements [stream.ByteStream].
func (e *end) SendEOF(ctx context.Context) error {
	return e.call(ctx, &e.out, func() error {
		if e.out.eof {
			return nil
		}
		if err := e.noRoom(); err != nil {
			return err
		}
		e.out.eof = true
		e.cond.Broadcast()
		return nil
	})
}

// Close implements [stream.Resource].
func (e *end) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shut()
	return nil
}

// Abort implements [stream.Aborter].
func (e *end) Abort(cause error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.peer.breakOff(cause)
	}
	e.shut()
	return nil
}

func (e *end) shut() {
	if e.closed {
		return
	}
	e.closed = true
	e.out.eof = true
	e.cond.Broadcast()
}

func (e *end) breakOff(cause error) {
	if e.broken == nil {
		e.broken = stream.Broken(cause)
	}
	e.cond.Broadcast()
}

var (
	// errWait says that there is no answer yet.
	errWait = errors.New("wait")

	// errPeerClosed is the cause of a failure to send to a closed end.
	errPeerClosed = errors.New("the peer closed the pipe")

	errKilled = errors.New("killed")
)

// call makes one call of a direction, which try makes again and again until
// its answer is not errWait.
func (e *end) call(ctx context.Context, d *direction, try func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.admit(ctx, d); err != nil {
		return err
	}
	d.busy = true
	defer func() { d.busy = false }()
	defer e.wakeWhenDone(ctx)()
	for {
		if err := e.ended(ctx); err != nil {
			return err
		}
		if err := try(); err != errWait {
			return err
		}
		e.cond.Wait()
	}
}

// admit is the answer to a call before it may look at the data.
func (e *end) admit(ctx context.Context, d *direction) error {
	if err := e.ended(ctx); err != nil {
		return err
	}
	if d.busy {
		return stream.ErrBusy
	}
	return nil
}

// ended is the answer of a call that nothing can serve any more.
func (e *end) ended(ctx context.Context) error {
	switch {
	case e.killed:
		return errKilled
	case ctx.Err() != nil:
		return stream.ContextError(ctx)
	case e.closed:
		return net.ErrClosed
	}
	return nil
}

// wakeWhenDone wakes the waiting calls when ctx is done, until its result is
// called.
func (e *end) wakeWhenDone(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.cond.Broadcast()
	})
}
