package tls

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
)

// incoming is the receiving half of what crypto/tls takes for its connection.
// It never hands over bytes beyond the record that crypto/tls is reading: what
// follows close_notify is not TLS any more, and belongs to whoever comes next.
//
// It receives into crypto/tls's own buffer, so that it holds none of its own
// while it waits. What turns out to be beyond the record is moved to one.
type incoming struct {
	out *outgoing // has the transport

	// ctx is that of the call in progress: net.Conn's Read has none. It is nil
	// while crypto/tls may not ask for more than what it already has.
	ctx context.Context

	framing framing
	ahead   []byte // borrowed; nil while nothing is ahead
	start   int    // what of it was handed over
	bulk    bool   // the last Receive filled all the room there was

	err error // of the Receive that was interrupted

	flight *flight // while the handshake goes on
}

// bulkFrom is how much room a Receive must have filled to be a sign that more
// is waiting: less would be too little to judge by.
const bulkFrom = 4 << 10

// An interruption ends a Read of crypto/tls's so that it can be resumed, which
// takes an error that is itself a net.Error both Timeout and Temporary.
type interruption struct{}

func (*interruption) Error() string   { return "interrupted" }
func (*interruption) Timeout() bool   { return true }
func (*interruption) Temporary() bool { return true }

var errInterrupted = new(interruption)

// A transportError carries an error through crypto/tls unseen. In particular
// crypto/tls must not see io.EOF, which it would return as if it had been
// close_notify.
type transportError struct{ err error }

func (e *transportError) Error() string { return e.err.Error() }

func (in *incoming) read(p []byte) (int, error) {
	if !in.hasFor(p) && in.flight != nil {
		listener.WaitsForPeer(in.ctx, true)
		defer listener.WaitsForPeer(in.ctx, false)
	}
	for !in.hasFor(p) {
		if err := in.mayReceive(); err != nil {
			return 0, err
		}
		if len(in.ahead) == 0 && !in.bulk {
			return in.receive(p)
		}
		if err := in.fill(in.ctx); err != nil {
			return 0, in.fail(err)
		}
	}
	return in.handOver(p), nil
}

// mayReceive returns nil if crypto/tls may have more than what is ahead.
func (in *incoming) mayReceive() error {
	if in.ctx == nil {
		return errInterrupted
	}
	if in.flight != nil {
		in.flight.launch(in.ctx)
	}
	if in.out.flooded.Load() {
		return &transportError{errUnanswered}
	}
	return nil
}

// hasFor tells whether enough is ahead to hand some of it over: the rest of
// the current record, or all of the next. Less only if it must be, since
// crypto/tls allocates for each time that it asks, and where it is no record:
// what does not come would be waited for before crypto/tls sees that.
func (in *incoming) hasFor(p []byte) bool {
	rest := len(in.ahead) - in.start
	if rest == 0 || !in.framing.between() {
		return rest > 0
	}
	next := in.ahead[in.start:]
	size := recordLen(next)
	return size > 0 && (rest >= min(size, len(p)) || !looksLikeRecord(next))
}

// receive receives into crypto/tls's own buffer.
func (in *incoming) receive(p []byte) (int, error) {
	n, err := receive(in.ctx, in.out.s, p)
	if err != nil {
		return 0, in.fail(err)
	}
	if in.flight != nil {
		in.flight.hear(p[:n])
	}
	in.bulk = n == len(p) && n >= bulkFrom
	now := in.framing.advance(p[:n])
	if now < n {
		in.ahead = append(borrow(n-now), p[now:n]...)
	}
	return now, nil
}

// handOver moves bytes of the current record from what is ahead to p.
func (in *incoming) handOver(p []byte) int {
	rest := in.ahead[in.start:]
	n := in.framing.advance(rest[:min(len(p), len(rest))])
	copy(p, rest[:n])
	in.start += n
	if in.start == len(in.ahead) {
		in.release()
	}
	return n
}

// fill receives at least one byte, and as many as there are and there is room
// for, behind what is ahead.
func (in *incoming) fill(ctx context.Context) error {
	if in.ahead == nil {
		// Waiting must not take a buffer. Transports that cannot wait without
		// take one, until the next Receive that does not fill it.
		err := stream.WaitReceive(ctx, in.out.s)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	in.makeRoom()
	room := in.ahead[len(in.ahead):cap(in.ahead)]
	n, err := receive(ctx, in.out.s, room)
	in.ahead = in.ahead[:len(in.ahead)+n]
	in.bulk = n >= min(len(room), recordSize)
	if len(in.ahead) == 0 {
		in.release()
	}
	return err
}

// makeRoom moves what is ahead to the front of a buffer in which there is room
// for the rest of the record, or for more while more is coming.
func (in *incoming) makeRoom() {
	rest := in.ahead[in.start:]
	size := max(recordLen(rest), smallSize)
	if in.bulk {
		size = bulkSize
	}
	if cap(in.ahead) >= size {
		in.ahead = append(in.ahead[:0], rest...)
	} else {
		roomy := append(borrow(size), rest...)
		giveBack(in.ahead)
		in.ahead = roomy
	}
	in.start = 0
}

// fetch receives until ctx is done or there is no room left. Errors come again
// when crypto/tls asks.
func (in *incoming) fetch(ctx context.Context) {
	in.bulk = true
	for len(in.ahead)-in.start < bulkSize {
		if in.fill(ctx) != nil {
			break
		}
	}
	in.bulk = false
}

func (in *incoming) release() {
	giveBack(in.ahead)
	in.ahead, in.start = nil, 0
}

// fail says it to crypto/tls in a way that it may go on from, if it may.
func (in *incoming) fail(err error) error {
	if !passing(in.ctx, err) {
		return &transportError{err}
	}
	in.err = err
	return errInterrupted
}

// unread is how many bytes came that crypto/tls has made nothing of yet.
func (in *incoming) unread() int {
	return len(in.ahead) - in.start + in.framing.passed
}

// passing tells errors that end a call from those that end the stream.
func passing(ctx context.Context, err error) bool {
	if err == io.EOF || errors.Is(err, stream.ErrBroken) {
		return false
	}
	return ctx.Err() != nil || errors.Is(err, stream.ErrBusy) || errors.Is(err, os.ErrDeadlineExceeded)
}

// receive is s.Receive, with an answer that stream's contract excludes made
// harmless: no bytes and no error would be asked for forever.
func receive(ctx context.Context, s stream.ByteReceiver, p []byte) (int, error) {
	n, err := s.Receive(ctx, p)
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return 0, err
}
