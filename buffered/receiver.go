package buffered

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

var receiverFacts = attr.Define(attr.From(stream.Unread, (*Receiver).unread))

// A Receiver is a byte receiver that may read ahead. One goroutine may call
// its receiving methods at a time: Receive, ReceiveExactly, ReceiveUntil,
// Until, Peek, Discard, Feed, WaitReceive and Detach; another that tries gets
// stream.ErrBusy. Close and Buffered may be called from any.
//
// Once closed, by this side, every call is net.ErrClosed, whatever the buffer
// still holds. What the buffer holds is received before the wrapped stream's
// end or failure is told.
type Receiver struct {
	attributes attr.Set
	r          stream.ByteReceiver

	turn   turn
	closed atomic.Bool
	// Of whoever has the turn:
	buf        buffer
	ahead      ahead
	cannotWait bool // r cannot wait without a buffer
}

var (
	_ stream.ByteReceiver  = (*Receiver)(nil)
	_ stream.ReceiveWaiter = (*Receiver)(nil)
	_ stream.Aborter       = (*Receiver)(nil)
)

// NewReceiver takes over r: Close closes it. It panics when r is nil.
func NewReceiver(r stream.ByteReceiver, cfg *Config) *Receiver {
	if r == nil {
		panic("buffered: NewReceiver: nil r")
	}
	b := new(Receiver)
	b.init(r, cfg)
	receiverFacts.Init(&b.attributes, b, r)
	return b
}

func (b *Receiver) init(r stream.ByteReceiver, cfg *Config) {
	b.r = r
	b.ahead = cfg.readAhead()
}

// Attributes returns those of the wrapped stream under stream.Unread.
func (b *Receiver) Attributes() *attr.Set { return &b.attributes }

// Buffered returns how many bytes can be received without asking the wrapped
// stream. It is 0 once closed.
func (b *Receiver) Buffered() int {
	if b.closed.Load() {
		return 0
	}
	return b.turn.count()
}

// unread is the getter of stream.Unread.
func (b *Receiver) unread() (int, error) {
	if b.closed.Load() {
		return 0, net.ErrClosed
	}
	return b.turn.count(), nil
}

// Receive returns what is in the buffer, and nothing else; if it is empty,
// what the wrapped stream's Receive returns. It never reads ahead.
func (b *Receiver) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := b.enter(ctx); err != nil {
		return 0, err
	}
	defer b.leave()
	if n := b.take(p); n > 0 {
		return n, nil
	}
	return receive(ctx, b.r, p)
}

// WaitReceive waits until Receive would not block: at once while bytes are in
// the buffer, else as the wrapped stream's does.
func (b *Receiver) WaitReceive(ctx context.Context) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	if b.buf.len() > 0 {
		return nil
	}
	b.buf.release()
	return stream.WaitReceive(ctx, b.r)
}

// ReceiveExactly fills p, as io.ReadFull does. When it returns an error it
// has taken nothing, and what it received can be received again: the error is
// io.EOF when the stream ended before the first byte, io.ErrUnexpectedEOF
// when it ended later. It asks the wrapped stream for no more than p has room
// for. An empty p is filled at once.
func (b *Receiver) ReceiveExactly(ctx context.Context, p []byte) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	fed := b.buf.fed
	got := b.take(p)
	for got < len(p) {
		n, err := receive(ctx, b.r, p[got:])
		if err != nil {
			b.restore(p[:got], fed)
			return endWithin(err, got)
		}
		got += n
	}
	return nil
}

// Peek returns a view of the next n bytes, which stay in the stream. It waits
// until so many have come. When the stream ends before, the error is io.EOF if
// there are no bytes at all, else io.ErrUnexpectedEOF: look at those that came
// with Peek(ctx, s.Buffered()).
func (b *Receiver) Peek(ctx context.Context, n int) ([]byte, error) {
	if n < 0 {
		return nil, errNegative
	}
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	defer b.leave()
	for b.buf.len() < n {
		if err := b.fill(ctx, n-b.buf.len()); err != nil {
			return nil, endWithin(err, b.buf.len())
		}
	}
	return b.buf.unread()[:n:n], nil
}

// Discard takes n bytes that are in the buffer, as Peek has shown them; views
// of them hold until the next receiving call. It does not wait: with fewer in
// the buffer it takes nothing and is an error.
func (b *Receiver) Discard(n int) error {
	if n < 0 {
		return errNegative
	}
	if err := b.enter(context.Background()); err != nil {
		return err
	}
	defer b.leave()
	if n > b.buf.len() {
		return errNotBuffered
	}
	b.buf.skip(n)
	return nil
}

// Feed puts a copy of p before the bytes that the wrapped stream sent and
// nobody received, and after those that earlier calls of Feed put there: what
// was fed is received in the order in which it was fed. It is for bytes of
// this stream that another layer has received. It does not wait, but belongs
// to the receiving direction, and ends views.
func (b *Receiver) Feed(p []byte) error {
	if err := b.enter(context.Background()); err != nil {
		return err
	}
	defer b.leave()
	b.buf.feed(p)
	return nil
}

// Detach ends the Receiver without closing what it wraps, and returns that
// together with the bytes that were read ahead and nobody received: both now
// belong to the caller. The Receiver is closed from then on. While a receiving
// call is in progress Detach does nothing and returns stream.ErrBusy.
func (b *Receiver) Detach() (inner stream.ByteReceiver, leftover []byte, err error) {
	if err := b.enter(context.Background()); err != nil {
		return nil, nil, err
	}
	defer b.leave()
	if b.closed.Swap(true) {
		return nil, nil, net.ErrClosed
	}
	leftover = b.buf.unread()
	b.buf.drop()
	return b.r, leftover, nil
}

// Close closes the wrapped stream. What the buffer holds is lost.
func (b *Receiver) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.forget()
	return b.r.Close()
}

// Abort ends the wrapped stream as stream.Abort does.
func (b *Receiver) Abort(cause error) error {
	if b.closed.Swap(true) {
		return nil
	}
	b.forget()
	return stream.Abort(b.r, cause)
}

// forget drops the buffer of a closed stream, unless a call is using it. Its
// memory does not go back to the pool: somebody may be reading a view of it.
func (b *Receiver) forget() {
	if b.turn.enter() == nil {
		b.buf.drop()
		b.turn.leave(0)
	}
}

// enter answers for the calls that cannot be served, in the order of the
// contract's line 1, and else takes the turn.
func (b *Receiver) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return stream.ContextError(ctx)
	}
	err := b.turn.enter()
	if !b.closed.Load() {
		return err
	}
	if err == nil {
		b.turn.leave(0)
	}
	return net.ErrClosed
}

func (b *Receiver) leave() { b.turn.leave(b.buf.len()) }

// take moves bytes from the buffer to p.
func (b *Receiver) take(p []byte) int {
	n := copy(p, b.buf.unread())
	b.buf.skip(n)
	b.buf.release()
	return n
}

// restore puts back what take took, and what was received after it.
func (b *Receiver) restore(p []byte, fed int) {
	if len(p) > 0 {
		b.buf.append(p)
		b.buf.fed = fed
	}
}

// fill receives once into the buffer: what is missing, or, if it may read
// ahead, as much as the stream seems to have. It takes memory for what has
// come and for reading ahead, not for what is missing.
func (b *Receiver) fill(ctx context.Context, missing int) error {
	if b.buf.len() == 0 {
		if err := b.waitWithoutBuffer(ctx); err != nil {
			return err
		}
	}
	room := b.buf.room(max(missing, b.ahead.now), b.ahead.now)
	n, err := receive(ctx, b.r, room)
	b.ahead.learn(n, len(room))
	b.buf.end += n
	b.turn.update(b.buf.len())
	return err
}

func (b *Receiver) waitWithoutBuffer(ctx context.Context) error {
	b.buf.release()
	if b.cannotWait {
		return nil
	}
	err := stream.WaitReceive(ctx, b.r)
	if errors.Is(err, errors.ErrUnsupported) {
		b.cannotWait = true
		return nil
	}
	return err
}

// receive is r.Receive, with the answers that the contract excludes made
// harmless: no bytes and no error would be asked for forever.
func receive(ctx context.Context, r stream.ByteReceiver, p []byte) (int, error) {
	n, err := r.Receive(ctx, p)
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return 0, err
}

// endWithin tells the end of the stream from one within something.
func endWithin(err error, got int) error {
	if err == io.EOF && got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
