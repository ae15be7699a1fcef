package text

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/text/transform"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

const (
	chunk   = 4 << 10 // bytes received at a time
	maxHalf = 1 << 10 // bytes that a decoder may leave for the next time
	minRoom = 64      // into less nothing is decoded directly
)

var chunks = sync.Pool{New: func() any { return new([maxHalf + chunk]byte) }}

// decoding is a byte receiver that receives text as UTF-8. Its Receive never
// cuts a character, but where the caller's buffer is too small for one.
type decoding struct {
	attributes attr.Set
	r          stream.ByteReceiver
	decoder    decoder
	strict     bool
	closed     atomic.Bool

	half    []byte // the bytes of a character that has not come whole
	surplus []byte // text that the caller's buffer had no room for
	small   [minRoom]byte
	offset  int64 // bytes of text so far
	err     error // comes after the text, and stays

	unread atomic.Int64 // bytes in half and surplus
}

var decodingFacts = attr.Define(attr.From(stream.Unread, (*decoding).countUnread))

func newDecoding(r stream.ByteReceiver, cfg Config) *decoding {
	d := &decoding{r: r, decoder: newDecoder(cfg), strict: cfg.Errors == Strict}
	decodingFacts.Init(&d.attributes, d, r)
	return d
}

func (d *decoding) Attributes() *attr.Set { return &d.attributes }

func (d *decoding) countUnread() (int, error) {
	if d.closed.Load() {
		return 0, net.ErrClosed
	}
	return int(d.unread.Load()), nil
}

// WaitReceive waits for bytes. If they turn out to be half a character, the
// Receive after it waits again.
func (d *decoding) WaitReceive(ctx context.Context) error {
	if len(d.surplus) > 0 || d.err != nil {
		return stream.ContextError(ctx)
	}
	return stream.WaitReceive(ctx, d.r)
}

func (d *decoding) Receive(ctx context.Context, p []byte) (int, error) {
	for len(d.surplus) == 0 && d.err == nil {
		room := p
		if len(p) < minRoom {
			room = d.small[:]
		}
		n, err := d.receive(ctx, room)
		if err != nil {
			return 0, err
		}
		if n > 0 && len(p) >= minRoom {
			return n, nil
		}
		d.surplus = append(room[:n:n], d.surplus...)
	}
	if len(d.surplus) == 0 {
		return 0, d.err
	}
	n := copy(p, d.surplus)
	d.surplus = d.surplus[n:]
	d.count()
	return n, nil
}

// receive receives bytes once and decodes them into room, and into surplus
// what does not fit.
func (d *decoding) receive(ctx context.Context, room []byte) (int, error) {
	mem := chunks.Get().(*[maxHalf + chunk]byte)
	defer chunks.Put(mem)
	have := copy(mem[:], d.half)
	limit := min(chunk, max(len(room)/2, 1)) // text is seldom twice as long
	n, err := d.r.Receive(ctx, mem[have:have+limit])
	if err != nil && err != io.EOF {
		return 0, err
	}
	if err == io.EOF && have > 0 && d.strict {
		d.fail(errCutOff)
		return 0, nil
	}
	n = d.decode(room, mem[:have+n], err == io.EOF)
	if err == io.EOF && d.err == nil {
		d.err = io.EOF
	}
	return n, nil
}

// decode keeps what is left of raw in half.
func (d *decoding) decode(room, raw []byte, atEOF bool) int {
	n, used, err := d.decoder.decode(room, raw, atEOF)
	d.offset += int64(n)
	for err == transform.ErrShortDst {
		more := make([]byte, 4*(len(raw)-used)+minRoom)
		var m, u int
		m, u, err = d.decoder.decode(more, raw[used:], atEOF)
		if err == transform.ErrShortDst && m+u == 0 {
			err = errNoProgress
		}
		d.surplus = append(d.surplus, more[:m]...)
		d.offset += int64(m)
		used += u
	}
	d.half = append(d.half[:0], raw[used:]...)
	if err == nil && len(d.half) > maxHalf {
		err = errNoProgress
	}
	if err != nil {
		d.fail(err)
	}
	d.count()
	return n
}

// fail lets err come behind the text.
func (d *decoding) fail(err error) {
	d.err = &DecodeError{Offset: d.offset, Err: err}
}

func (d *decoding) count() { d.unread.Store(int64(len(d.half) + len(d.surplus))) }

func (d *decoding) Close() error {
	d.closed.Store(true)
	return d.r.Close()
}

func (d *decoding) Abort(cause error) error {
	d.closed.Store(true)
	return stream.Abort(d.r, cause)
}
