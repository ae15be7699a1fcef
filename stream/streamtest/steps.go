package streamtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/strata-go/strata/stream"
)

// pattern returns 32 MiB of random bytes, always the same: whoever has some
// of them in a row knows where they come from. They must not be changed.
var pattern = sync.OnceValue(func() []byte {
	p := make([]byte, 32<<20)
	rand.NewChaCha8([32]byte{}).Read(p)
	return p
})

// send sends all of data.
func (p *probe) send(ctx context.Context, data string) {
	n, err := p.s.Send(ctx, []byte(data))
	if n != len(data) || err != nil {
		p.fatalf("Send of %d bytes returned %d, %v", len(data), n, err)
	}
}

// receive wants exactly data to arrive next.
func (p *probe) receive(ctx context.Context, data string) {
	got := make([]byte, len(data))
	for have := 0; have < len(got); {
		n, err := p.receiveSome(ctx, got[have:])
		if err != nil {
			p.fatalf("Receive returned 0, %v; want %q after %q", err, data[have:], got[:have])
		}
		have += n
	}
	if string(got) != data {
		p.fatalf("received %q, want %q", got, data)
	}
}

// receiveSome is Receive, whose answer must be n > 0 or an error.
func (p *probe) receiveSome(ctx context.Context, buf []byte) (int, error) {
	n, err := p.r.Receive(ctx, buf)
	if (n > 0) != (err == nil) || n > len(buf) {
		p.fatalf("Receive into %d bytes returned %d, %v", len(buf), n, err)
	}
	return n, err
}

// receiveSuffix receives until io.EOF, and wants data to be the last of it:
// before it comes what clogged the connection.
func (p *probe) receiveSuffix(ctx context.Context, data []byte) {
	got, err := p.receiveAny(ctx, data)
	if err != io.EOF {
		p.fatalf("after %d bytes Receive returned %v; want io.EOF in the end", got, err)
	}
	if got != len(data) && !p.clogged {
		p.fatalf("received %d bytes in all, want %d", got, len(data))
	}
}

// receiveAny receives until an error, and returns that and how much came
// before. It wants what came to be the beginning of data; or, on a clogged
// connection, its end to be that of data.
func (p *probe) receiveAny(ctx context.Context, data []byte) (int, error) {
	if p.clogged {
		return p.receiveClogged(ctx, data)
	}
	buf, have := make([]byte, 64<<10), 0
	for {
		n, err := p.receiveSome(ctx, buf)
		if err != nil {
			return have, err
		}
		if !bytes.HasPrefix(data[have:], buf[:n]) {
			p.fatalf("bytes %d to %d are not those that were sent", have, have+n)
		}
		have += n
	}
}

func (p *probe) receiveClogged(ctx context.Context, data []byte) (int, error) {
	var got bytes.Buffer
	buf := make([]byte, 64<<10)
	for {
		n, err := p.receiveSome(ctx, buf)
		got.Write(buf[:n])
		if err == nil {
			continue
		}
		if err == io.EOF && !bytes.HasSuffix(got.Bytes(), data) {
			p.fatalf("the last of the %d bytes received are not the %d that were sent", got.Len(), len(data))
		}
		return got.Len(), err
	}
}

// receiveEOF wants the end of the stream now and from now on.
func (p *probe) receiveEOF(ctx context.Context) {
	for range 3 {
		n, err := p.r.Receive(ctx, make([]byte, 8))
		if n != 0 || err != io.EOF {
			p.fatalf("Receive returned %d, %v; want 0, io.EOF each time", n, err)
		}
	}
}

// ends ends the sending direction of s while r meets the end, since some
// streams hold nothing.
func (p *probe) ends(ctx context.Context) {
	c := p.startEnd(ctx)
	p.receiveEOF(ctx)
	p.ended(ctx, c)
}

// startEnd ends the sending direction of s in a call of its own.
func (p *probe) startEnd(ctx context.Context) *call {
	c := p.start("the end", func() (int, error) { return p.sendAll(ctx, nil, 1) })
	if p.stored {
		p.ended(ctx, c)
	}
	return c
}

// ended wants c to have ended the sending direction.
func (p *probe) ended(ctx context.Context, c *call) {
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("the end: %v", err)
	}
}

// end ends the sending direction of s, where somebody receives.
func (p *probe) end(ctx context.Context) {
	if p.a == nil || p.noHalfClose {
		p.close(p.s)
		return
	}
	if err := p.a.SendEOF(ctx); err != nil {
		p.fatalf("SendEOF: %v", err)
	}
}

// wantBroken is want for stream.ErrBroken and returns the *BrokenError.
func (p *probe) wantBroken(what string, n int, err error) *stream.BrokenError {
	broken, ok := errors.AsType[*stream.BrokenError](err)
	if n != 0 || !ok || !errors.Is(err, stream.ErrBroken) {
		p.fatalf("%s returned %d, %v; want 0 and a *stream.BrokenError", what, n, err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		p.fatalf("%s returned %v, which is not only broken", what, err)
	}
	return broken
}

// startSend sends data in a call of its own.
func (p *probe) startSend(ctx context.Context, data []byte) *call {
	return p.start("Send", func() (int, error) { return p.s.Send(ctx, data) })
}

// blockedReceive returns a Receive that waits for bytes.
func (p *probe) blockedReceive(ctx context.Context) *call {
	return p.inside(ctx, "Receive", func() (int, error) { return p.r.Receive(ctx, make([]byte, 8)) })
}

// blockedSend returns a Send of data that waits for room.
func (p *probe) blockedSend(ctx context.Context, data []byte) *call {
	return p.inside(ctx, "Send", func() (int, error) { return p.s.Send(ctx, data) })
}

// errNoAnswer is for calls that count what they receive.
var errNoAnswer = errors.New("Receive returned 0, nil")

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
