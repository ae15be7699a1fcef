package streamtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
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

// receiveRest receives until io.EOF and returns all of it.
func (p *probe) receiveRest(ctx context.Context) []byte {
	var got bytes.Buffer
	buf := make([]byte, 64<<10)
	for {
		n, err := p.receiveSome(ctx, buf)
		got.Write(buf[:n])
		if err == io.EOF {
			return got.Bytes()
		}
		if err != nil {
			p.fatalf("after %d bytes Receive returned %v; want io.EOF in the end", got.Len(), err)
		}
	}
}

// receiveSuffix receives until io.EOF, and wants data to be the last of it:
// before it comes what clogged the connection.
func (p *probe) receiveSuffix(ctx context.Context, data []byte) {
	got := p.receiveRest(ctx)
	if !p.clogged && len(got) != len(data) {
		p.fatalf("received %d bytes in all, want %d", len(got), len(data))
	}
	if !bytes.HasSuffix(got, data) {
		p.fatalf("the %d bytes received do not end in the %d that were sent (%s)", len(got), len(data), diff(got, data))
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

// end ends the sending direction of s.
func (p *probe) end(ctx context.Context) {
	if p.a == nil || p.noHalfClose {
		p.close(p.s)
		return
	}
	if err := p.a.SendEOF(ctx); err != nil {
		p.fatalf("SendEOF: %v", err)
	}
}

// close closes s, which must succeed without anybody's help.
func (p *probe) close(s stream.Resource) {
	c := p.start("Close", func() (int, error) { return 0, s.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Close: %v", err)
	}
}

// want ends the check unless a call returned n == 0 and err is target.
func (p *probe) want(what string, n int, err, target error) {
	if n != 0 || !errors.Is(err, target) {
		p.fatalf("%s returned %d, %v; want 0, %v", what, n, err, target)
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

// startReceive receives in a call of its own, at most size bytes.
func (p *probe) startReceive(ctx context.Context, size int) *call {
	return p.start("Receive", func() (int, error) { return p.r.Receive(ctx, make([]byte, size)) })
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

// diff tells where got stops to be the end of a stream of data.
func diff(got, data []byte) string {
	if len(got) < len(data) {
		return "fewer"
	}
	got = got[len(got)-len(data):]
	for i := range data {
		if got[i] != data[i] {
			return "different from byte " + strconv.Itoa(i) + " on"
		}
	}
	return "equal"
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
