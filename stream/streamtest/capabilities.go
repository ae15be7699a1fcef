package streamtest

import (
	"bytes"
	"context"
	"errors"

	"github.com/strata-go/strata/stream"
)

// capabilityChecks hold what the optional capabilities promise. A stream
// without one has to be without it consistently.
func capabilityChecks() []check {
	return []check{
		{name: "WaitReceive takes nothing", body: waitReceive},
		{name: "SendBuffers sends in order", body: sendBuffers, stored: true},
		{name: "A canceled SendBuffers tells what it took", body: canceledSendBuffers, clogged: true},
		{name: "TrySend does not wait", body: trySend, clogged: true},
	}
}

func waitReceive(ctx context.Context, p *probe) {
	if p.noWaitReceive {
		p.wantNoWaitReceive(ctx)
		p.sendBeside(ctx, "abc", func() { p.receive(ctx, "abc") })
		p.wantNoWaitReceive(ctx)
		return
	}
	c := p.blockedWaitReceive(ctx)
	s := p.startSend(ctx, []byte("abc"))
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("WaitReceive returned %v", err)
	}
	for range 2 {
		if err := stream.WaitReceive(ctx, p.r); err != nil {
			p.fatalf("WaitReceive with data there returned %v", err)
		}
	}
	p.receive(ctx, "abc")
	p.sent(ctx, s, 3)
	c = p.blockedWaitReceive(ctx)
	p.end(ctx)
	p.wait(ctx, c)
	p.receiveEOF(ctx)
}

func sendBuffers(ctx context.Context, p *probe) {
	bufs := [][]byte{[]byte("one "), nil, []byte("two "), {}, []byte("three"), nil}
	want := "one two three"
	c := p.start("SendBuffers", func() (int, error) {
		n, err := stream.SendBuffers(ctx, p.s, bufs)
		return int(n), err
	})
	if p.stored {
		p.sent(ctx, c, len(want))
	}
	p.receive(ctx, want)
	p.sent(ctx, c, len(want))
	if len(bufs) != 6 || string(bytes.Join(bufs, nil)) != want || len(bufs[0]) != 4 {
		p.fatalf("SendBuffers changed its buffers to %q", bufs)
	}
	for _, none := range [][][]byte{nil, {}, {nil, {}}} {
		if n, err := stream.SendBuffers(ctx, p.s, none); n != 0 || err != nil {
			p.fatalf("SendBuffers of nothing returned %d, %v", n, err)
		}
	}
	p.ends(ctx)
}

func canceledSendBuffers(ctx context.Context, p *probe) {
	if p.cancelBreaksSend {
		return // what it took is lost with the stream
	}
	data := p.bulk()
	// The first buffer is what does not fit: a stream without SendBuffers of
	// its own gets a Send for each, between which another call may come.
	first := len(data) - 2000
	bufs := [][]byte{data[:first], nil, data[first : first+1000], data[first+1000:]}
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.inside(ctx, "SendBuffers", func() (int, error) {
		n, err := stream.SendBuffers(cctx, p.s, bufs)
		return int(n), err
	})
	cancel(errCustom)
	n, err := p.wait(ctx, c)
	p.wantCanceled("the canceled SendBuffers", err)
	if len(bufs[0]) != first || len(bufs[2]) != 1000 {
		p.fatalf("a canceled SendBuffers changed its buffers")
	}
	end := p.start("the rest", func() (int, error) { return p.resume(ctx, data[n:min(n+1000, len(data))]) })
	p.receiveSuffix(ctx, data[:min(n+1000, len(data))])
	if _, err := p.wait(ctx, end); err != nil {
		p.fatalf("Send after a canceled SendBuffers: %v", err)
	}
}

func trySend(ctx context.Context, p *probe) {
	data := p.bulk()
	n, err := stream.TrySend(p.s, data)
	if errors.Is(err, errors.ErrUnsupported) {
		p.want("TrySend of nothing, where it is not supported", n, err, errors.ErrUnsupported)
		return
	}
	if n == len(data) || !errors.Is(err, stream.ErrWouldBlock) {
		p.fatalf("TrySend of more than the stream holds returned %d of %d, %v; want ErrWouldBlock", n, len(data), err)
	}
	again, err := stream.TrySend(p.s, data[n:])
	if !errors.Is(err, stream.ErrWouldBlock) {
		p.fatalf("TrySend with no room returned %d, %v; want ErrWouldBlock", again, err)
	}
	n += again
	size := min(n+1000, len(data))
	end := p.start("the rest", func() (int, error) { return p.resume(ctx, data[n:size]) })
	p.receiveSuffix(ctx, data[:size])
	if _, err := p.wait(ctx, end); err != nil {
		p.fatalf("Send after TrySend: %v", err)
	}
}
