package text

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A Receiver receives text. One goroutine may receive at a time, another gets
// stream.ErrBusy.
type Receiver struct {
	r         *buffered.Receiver // of UTF-8, see decoding
	receiving structured.Guard
	closed    atomic.Bool
}

var (
	_ stream.ObjectReceiver[string] = (*Receiver)(nil)
	_ stream.Aborter                = (*Receiver)(nil)
)

// NewReceiver takes over r: Close closes it. It panics when r is nil.
func NewReceiver(r stream.ByteReceiver, cfg *Config) *Receiver {
	if r == nil {
		panic("text: NewReceiver: nil r")
	}
	decoded := newDecoding(r, cfg.orDefault())
	return &Receiver{r: buffered.NewReceiver(decoded, &buffered.Config{ReadAhead: 2 * chunk})}
}

// Attributes are those of the byte stream, under stream.Unread for what was
// received and not taken.
func (t *Receiver) Attributes() *attr.Set { return t.r.Attributes() }

// Receive waits for text and returns what there is, at least one character
// and only whole ones. When the stream ends in the middle of a character, the
// error is a *[DecodeError] that is io.ErrUnexpectedEOF, unless Config.Errors
// says otherwise. A canceled Receive has taken nothing.
func (t *Receiver) Receive(ctx context.Context) (string, error) {
	if err := stream.Enter(ctx, &t.receiving, &t.closed); err != nil {
		return "", err
	}
	defer t.receiving.Leave()
	for want := 1; ; {
		if _, err := t.r.Peek(ctx, want); err != nil {
			return "", err
		}
		view, err := t.r.Peek(ctx, t.r.Buffered())
		if err != nil {
			return "", err
		}
		if n := whole(view); n > 0 {
			s := string(view[:n])
			return s, t.r.Discard(n)
		}
		want = len(view) + 1
	}
}

// Lines yields the lines of the stream without their ends, which are LF or
// CRLF. A line may have max bytes as UTF-8, where 0 means [DefaultMaxLine]; a
// longer one is a *[LineTooLongError] as the last pair, and so is any other
// error. What stands behind the last line end is yielded too, unless it is
// empty, and then the sequence ends without an error. Leave the loop whenever
// you like: what was read ahead stays in the stream, and so does a line that
// was not yielded. The sequence can be used once.
func (t *Receiver) Lines(ctx context.Context, max int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for {
			line, err := t.receiveLine(ctx, max)
			if err == io.EOF {
				return
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// receiveLine asks for one byte more than max, which may be the CR of CRLF.
func (t *Receiver) receiveLine(ctx context.Context, max int) (string, error) {
	if max < 0 {
		return "", errNegativeMax
	}
	if max == 0 {
		max = DefaultMaxLine
	}
	if err := stream.Enter(ctx, &t.receiving, &t.closed); err != nil {
		return "", err
	}
	defer t.receiving.Leave()
	view, err := t.r.ReceiveUntil(ctx, []byte{'\n'}, max+1)
	if _, long := errors.AsType[*buffered.DelimiterNotFoundError](err); long {
		return "", &LineTooLongError{Max: max}
	}
	if err == io.ErrUnexpectedEOF {
		return t.lastLine(ctx, max)
	}
	if err != nil {
		return "", err
	}
	line := strings.TrimSuffix(string(view), "\r")
	if len(line) > max {
		if err := t.r.Feed([]byte(line + "\n")); err != nil {
			return "", err
		}
		return "", &LineTooLongError{Max: max}
	}
	return line, nil
}

// lastLine returns what stands behind the last line end.
func (t *Receiver) lastLine(ctx context.Context, max int) (string, error) {
	view, err := t.r.Peek(ctx, t.r.Buffered())
	if err != nil {
		return "", err
	}
	if len(view) > max {
		return "", &LineTooLongError{Max: max}
	}
	line := string(view)
	return line, t.r.Discard(len(view))
}

// Close closes the byte stream.
func (t *Receiver) Close() error {
	t.closed.Store(true)
	return t.r.Close()
}

// Abort ends the byte stream as stream.Abort does.
func (t *Receiver) Abort(cause error) error {
	t.closed.Store(true)
	return t.r.Abort(cause)
}

// whole returns how many bytes of p, which is UTF-8 but for where it was cut,
// are whole characters.
func whole(p []byte) int {
	for n := len(p); n > max(len(p)-utf8.UTFMax, 0); n-- {
		if utf8.RuneStart(p[n-1]) {
			if utf8.FullRune(p[n-1:]) {
				return len(p)
			}
			return n - 1
		}
	}
	return len(p)
}
