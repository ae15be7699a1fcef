package streamtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A fault is what a reference pipe does wrong, or what it cannot do. The
// faults stand where they are asked for, and in the tables of
// faults_test.go.
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
	buf   []byte
	eof   bool // nothing more is sent
	moved bool // something was sent
	drop  bool // the next byte gets lost
}

// conn is what the two ends of a reference pipe share. One lock and one
// condition serve everything: it is simple, and slow.
type conn struct {
	mu     sync.Mutex
	cond   *sync.Cond
	size   int
	faults []fault
	killed bool // ends calls that a fault leaves blocked for good
	stop   chan struct{}
	file   *os.File
}

func (c *conn) has(f fault) bool { return slices.Contains(c.faults, f) }

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
	busy     bool
	calls    int             // how many calls were let in
	before   context.Context // of the call before
	canceled bool            // a call was canceled while it waited
	lent     []byte          // the buffer of a call that is over
}

// end is one end of a reference pipe, correct but for its faults.
type end struct {
	*conn
	name      string
	set       attr.Set
	in, out   direction
	peer      *end
	pending   []byte // what an encoding end took and did not send yet
	closed    bool
	closes    int
	eofs      int // how often SendEOF succeeded
	ends      int // how often the end was told
	broken    *stream.BrokenError
	brokenOut *stream.BrokenError // of a stream whose directions fail by themselves
}

var _ stream.ByteStream = (*end)(nil)

// newPipe returns a pipe that holds size bytes each way.
func newPipe(size int, faults ...fault) (a, b *end) {
	c := &conn{size: size, faults: faults}
	c.cond = sync.NewCond(&c.mu)
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
	if e.closed && e.has("forgets an attribute") {
		return "", attr.ErrNotFound
	}
	if e.closed && e.has("changes an attribute") {
		return "closed", nil
	}
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

func (e *end) Attributes() *attr.Set {
	if e.has("makes a set each time") {
		return pipeEnd.For(e)
	}
	return &e.set
}

// Receive implements [stream.ByteReceiver].
func (e *end) Receive(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 && !e.has("takes an empty buffer") {
		if e.has("busy before arguments") && e.isBusy() {
			return 0, stream.ErrBusy
		}
		return 0, stream.ErrEmptyBuffer
	}
	err = e.call(ctx, &e.in, func() error {
		if len(e.in.buf) == 0 || e.early() {
			return e.noData()
		}
		n = e.take(p)
		return nil
	})
	if err != nil && e.has("writes into a buffer that is not lent") {
		e.mu.Lock()
		e.in.lent = p
		e.mu.Unlock()
	}
	return n, err
}

func (e *end) isBusy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.in.busy
}

// early is for faults that give a later answer before the data.
func (e *end) early() bool {
	return e.in.eof && e.has("end before data") ||
		e.broken != nil && e.has("broken before data")
}

// take moves bytes into the buffer of a Receive.
func (e *end) take(p []byte) (n int) {
	if lent := e.in.lent; lent != nil {
		copy(lent, "overdue!")
	}
	if e.has("returns 0 and nil") && e.in.calls%4 == 0 {
		return 0
	}
	n = copy(p, e.in.buf)
	if e.has("overruns the buffer") {
		copy(p[:cap(p)], e.in.buf)
	}
	e.in.buf = e.in.buf[n:]
	e.cond.Broadcast()
	return n
}

// noData is the answer of a Receive that finds nothing.
func (e *end) noData() error {
	switch {
	case e.has("end after a failed Send") && e.in.eof:
		return io.EOF
	case e.has(perDirection) && e.in.eof && e.broken != nil && errors.Is(e.broken, errPeerClosed):
		return io.EOF
	case e.broken != nil:
		return e.failure(&e.in)
	case e.in.eof || e.has(keeps):
		return e.noMore()
	}
	return errWait
}

// noMore is the end, each time.
func (e *end) noMore() error {
	e.ends++
	switch {
	case e.has("end only once") && e.ends > 1:
		return net.ErrClosed
	case e.has("no end where nothing was sent") && !e.in.moved:
		return errWait
	}
	return io.EOF
}

// failure is the BrokenError, each time.
func (e *end) failure(d *direction) error {
	if (e.has("a failure for each direction") || e.has(perDirection)) && d == &e.out {
		if e.brokenOut == nil {
			e.brokenOut = &stream.BrokenError{Cause: e.broken.Cause}
		}
		return e.brokenOut
	}
	if e.has("another failure each time") {
		return &stream.BrokenError{Cause: e.broken.Cause}
	}
	return e.broken
}

// WaitReceive implements [stream.ReceiveWaiter].
func (e *end) WaitReceive(ctx context.Context) error {
	if e.has(noWaitReceive) {
		return errors.ErrUnsupported
	}
	return e.call(ctx, &e.in, func() error {
		if err := e.noData(); len(e.in.buf) == 0 && err == errWait {
			return err
		}
		if e.has("WaitReceive takes") && len(e.in.buf) > 0 {
			e.in.buf = e.in.buf[1:]
		}
		return nil
	})
}

// Send implements [stream.ByteSender].
func (e *end) Send(ctx context.Context, p []byte) (n int, err error) {
	if e.has("sends nothing as a byte") && len(p) == 0 {
		p = []byte{0}
		defer func() { n = 0 }()
	}
	if e.has("changes what is sent") {
		defer clear(p)
	}
	if e.has(encodes) {
		return e.sendEncoded(ctx, p)
	}
	n, err = e.send(ctx, p)
	if err != nil && e.has("reports less than it took") {
		n /= 2
	}
	if errors.Is(err, stream.ErrBusy) && e.has("sends though it is busy") {
		e.mu.Lock()
		e.put(p)
		e.mu.Unlock()
	}
	return n, err
}

func (e *end) send(ctx context.Context, p []byte) (n int, err error) {
	err = e.call(ctx, &e.out, func() error {
		if err := e.noRoom(); err != nil {
			return err
		}
		n += e.put(p[n:min(len(p), n+e.room())])
		if n < len(p) {
			return errWait
		}
		return nil
	})
	if n > 0 && err != nil && e.has("finishes a canceled Send later") {
		e.out.lent = p[n:min(len(p), n+4096)]
	}
	return n, err
}

// sendEncoded takes p in records, each of which it sends when there is room.
func (e *end) sendEncoded(ctx context.Context, p []byte) (n int, err error) {
	const record = 8 << 10
	err = e.call(ctx, &e.out, func() error {
		for {
			if err := e.noRoom(); err != nil {
				return err
			}
			if err := e.flush(); err != nil || n == len(p) {
				return err
			}
			took := min(record, len(p)-n)
			e.pending = append(e.pending, p[n:n+took]...)
			n += took
		}
	})
	return n, err
}

// flush sends what is pending.
func (e *end) flush() error {
	n := e.put(e.pending[:min(len(e.pending), e.room())])
	e.pending = e.pending[n:]
	if len(e.pending) > 0 {
		return errWait
	}
	return nil
}

// room is how much the buffer takes.
func (e *end) room() int { return max(0, e.size-len(e.out.buf)) }

// put puts p into the buffer.
func (e *end) put(p []byte) int {
	took := len(p)
	if took == 0 {
		return 0
	}
	p = bytes.Clone(p)
	switch {
	case e.out.drop:
		e.out.drop = false
		p = p[1:]
	case e.has("changes a byte"):
		p[0] ^= 1
	case e.has("drops a byte now and then") && e.out.calls%7 == 0:
		p = p[1:]
	case e.has("loses what is large") && len(e.out.buf)+len(p) == e.size:
		p = p[1:]
	}
	e.out.buf = append(e.out.buf, p...)
	e.out.moved = true
	if !e.has("data wakes nobody") {
		e.cond.Broadcast()
	}
	return took
}

// noRoom is why nothing can be sent, whatever the room.
func (e *end) noRoom() error {
	switch {
	case e.broken != nil && e.has("a failure does not wake Send"):
		return errWait
	case e.broken != nil && e.has("broken before the own end"):
		return e.broken
	case e.out.eof && !e.has("Send after SendEOF"):
		if e.closed && e.has("Close does not wake Send") {
			return errWait
		}
		return net.ErrClosed
	case e.broken != nil:
		return e.failure(&e.out)
	case e.peer.closed && !e.has(notBroken):
		e.breakOff(errPeerClosed)
		return e.failure(&e.out)
	}
	return nil
}

// SendBuffers implements [stream.BuffersSender].
func (e *end) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	bufs = slices.Clone(bufs)
	if e.has("SendBuffers out of order") {
		slices.Reverse(bufs)
	}
	n, err := e.Send(ctx, bytes.Join(bufs, nil))
	if err != nil && e.has("SendBuffers does not count") {
		n = 0
	}
	return int64(n), err
}

// TrySend implements [stream.TrySender].
func (e *end) TrySend(p []byte) (int, error) {
	if e.has(encodes) {
		return 0, errors.ErrUnsupported
	}
	if e.has("TrySend waits") {
		return e.Send(context.Background(), p)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed || e.out.eof:
		return 0, net.ErrClosed
	case e.out.busy:
		return 0, stream.ErrBusy
	}
	if err := e.noRoom(); err != nil {
		return 0, err
	}
	took := e.put(p[:min(len(p), e.room())])
	if took < len(p) {
		return took, stream.ErrWouldBlock
	}
	return took, nil
}

// SendEOF implements [stream.ByteStream].
func (e *end) SendEOF(ctx context.Context) error {
	if e.has(noHalfClose) {
		return errors.ErrUnsupported
	}
	if ctx.Err() != nil && e.has("a canceled SendEOF counts") {
		e.eofs++
	}
	if e.has("SendEOF is never turned away") {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.endOut()
	}
	if e.has("SendEOF after Close") && e.isClosed() {
		return nil
	}
	return e.call(ctx, &e.out, e.endOut)
}

func (e *end) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

func (e *end) endOut() error {
	if e.eofs > 0 {
		if e.has("SendEOF only once") {
			return net.ErrClosed
		}
		return nil
	}
	if e.has("SendEOF waits whatever happens") && len(e.out.buf) > 0 {
		return errWait
	}
	if err := e.noRoom(); err != nil {
		return err
	}
	if err := e.flush(); err != nil {
		return err
	}
	e.out.buf = append(e.out.buf, e.out.lent...)
	e.eofs++
	e.out.eof = true
	e.faultyEnd()
	if !e.has("the end wakes nobody") {
		e.cond.Broadcast()
	}
	return nil
}

// faultyEnd is what SendEOF does too much.
func (e *end) faultyEnd() {
	if e.has("SendEOF discards") {
		e.out.buf = nil
	}
	if e.has("SendEOF closes") {
		e.closed = true
	}
	if e.has("SendEOF ends Receive") {
		e.in.eof = true
	}
}

// Close implements [stream.Resource].
func (e *end) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closes++
	if !e.closed && !e.out.eof {
		e.out.buf = append(e.out.buf, e.out.lent...)
	}
	for e.has("Close waits for the peer") && len(e.out.buf) > 0 && !e.killed {
		e.cond.Wait()
	}
	e.shut()
	if e.closes > 1 && e.has("a second Close is an error") {
		return net.ErrClosed
	}
	if e.in.canceled && e.has("Close reports cancellations") {
		return context.Canceled
	}
	return nil
}

// Abort implements [stream.Aborter].
func (e *end) Abort(cause error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed && !e.has(noAbort) {
		e.peer.breakOff(cause)
	}
	if e.has("Abort leaves this side open") {
		return nil
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
	if e.has("Close breaks the peer") {
		e.peer.breakOff(errPeerClosed)
	}
	if e.has("Close discards") {
		e.out.buf = nil
	}
	if e.has("Close invents bytes") && e.out.busy {
		e.out.buf = append(e.out.buf, "goodbye"...)
	}
	if !e.has("the end wakes nobody") || e.killed {
		e.cond.Broadcast()
	}
}

func (e *end) breakOff(cause error) {
	if e.broken == nil {
		e.broken = stream.Broken(cause)
	}
	e.cond.Broadcast()
}

// What a pipe cannot do, told to the suite by a flag of its maker.
const (
	noHalfClose   fault = "cannot half-close"
	noAbort       fault = "cannot abort"
	noWaitReceive fault = "cannot wait for data"
	encodes       fault = "encodes"
	keeps         fault = "keeps bytes as a file does"
	notBroken     fault = "does not notice that the peer is gone"
	cancelBreaks  fault = "a canceled Send breaks the stream"
	perDirection  fault = "each direction fails by itself"
)

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
	d.calls++
	d.busy = !e.has("lets everybody in")
	defer func() { d.busy = d.canceled && e.has("busy for good after a cancel") }()
	defer e.wakeWhenDone(ctx)()
	for waited := false; ; waited = true {
		if err := e.ended(ctx, d, waited); err != nil {
			e.leave(ctx, d)
			return err
		}
		if err := try(); err != errWait {
			d.before = ctx
			return err
		}
		e.cond.Wait()
	}
}

// leave is what a call does that ends while it waits.
func (e *end) leave(ctx context.Context, d *direction) {
	if ctx.Err() == nil {
		return
	}
	d.canceled = true
	if d == &e.in && e.has("drops a byte on cancel") {
		d.drop = true
	}
	if d == &e.out && e.has(cancelBreaks) {
		e.breakOff(errKilled)
	}
}

// admit is the answer to a call before it may look at the data.
func (e *end) admit(ctx context.Context, d *direction) error {
	if e.isTaken(d) && e.has("busy before the context") {
		return stream.ErrBusy
	}
	if err := e.late(d); err != nil {
		return err
	}
	if err := e.ended(ctx, d, false); err != nil {
		return err
	}
	if e.isTaken(d) {
		return stream.ErrBusy
	}
	return nil
}

func (e *end) isTaken(d *direction) bool {
	return d.busy || e.has("one direction at a time") && (e.in.busy || e.out.busy)
}

// late is what the context of an earlier call does to this one.
func (e *end) late(d *direction) error {
	before := d.before
	d.before = nil
	if before != nil && before.Err() != nil && e.has("a late cancel poisons") {
		return stream.ContextError(before)
	}
	if d == &e.out && e.in.canceled && e.has("a canceled Receive cancels Send") {
		e.in.canceled = false
		return context.Canceled
	}
	return nil
}

// ended is the answer of a call that nothing can serve any more.
func (e *end) ended(ctx context.Context, d *direction, waited bool) error {
	if e.killed {
		return errKilled
	}
	if err := e.canceledBy(ctx, waited); err != nil {
		return err
	}
	if !e.closed || waited && e.deaf(d) || e.undead(d) {
		return nil
	}
	if e.broken != nil && e.has("broken before closed") {
		return e.broken
	}
	return net.ErrClosed
}

// deaf is for faults that leave calls blocked.
func (e *end) deaf(d *direction) bool {
	return d == &e.in && e.has("Close does not wake Receive") ||
		d == &e.out && e.has("Close does not wake Send") ||
		d == &e.out && e.has("SendEOF waits whatever happens")
}

// undead is for faults that serve calls after Close.
func (e *end) undead(d *direction) bool {
	return d == &e.in && len(d.buf) > 0 && e.has("leftovers after Close") ||
		d == &e.in && d.eof && e.has("the end after Close")
}

// canceledBy is the error of a call whose context is done.
func (e *end) canceledBy(ctx context.Context, waited bool) error {
	err := stream.ContextError(ctx)
	switch {
	case err == nil,
		!waited && e.has("does not look at the context first"),
		waited && e.has("waits whatever the context"):
		return nil
	case e.has("forgets the cause"):
		return ctx.Err()
	case e.has("does not tell timeouts"):
		return fmt.Errorf("%w", errors.Join(context.Cause(ctx), ctx.Err()))
	}
	return err
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
