package streamtest

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/strata-go/strata/stream"
)

// cancelChecks hold lines 2, 3 and 9 of the contract for calls that are
// canceled while they wait.
func cancelChecks() []check {
	return []check{
		{name: "A canceled Receive took nothing", body: canceledReceive},
		{name: "A canceled Receive no longer uses its buffer", body: canceledReceiveBuffer},
		{name: "A canceled WaitReceive took nothing", body: canceledWaitReceive},
		{name: "A deadline ends Receive", body: deadlineReceive},
		{name: "A deadline ends Send", body: deadlineSend, clogged: true},
		{name: "A canceled Send tells what it took", body: canceledSend, clogged: true},
		{name: "A canceled Send no longer uses its buffer", body: canceledSendBuffer, clogged: true},
		{name: "A late cancel of Receive does not reach the next", body: lateCancelReceive},
		{name: "A late cancel of Send does not reach the next", body: lateCancelSend},
		{name: "Close works after cancellations", body: closeAfterCancel},
	}
}

func canceledReceive(ctx context.Context, p *probe) {
	for range 3 {
		cctx, cancel := context.WithCancelCause(ctx)
		c := p.blockedReceive(cctx)
		cancel(errCustom)
		n, err := p.wait(ctx, c)
		p.want("the canceled Receive", n, err, errCustom)
		p.wantCanceled("the canceled Receive", err)
		p.sendBeside(ctx, "all of it", func() { p.receive(ctx, "all of it") })
	}
	p.ends(ctx)
}

func canceledReceiveBuffer(ctx context.Context, p *probe) {
	bufs := [2][]byte{make([]byte, 8), make([]byte, 8)}
	next := make(chan []byte, 2)
	next <- bufs[0]
	next <- bufs[1]
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.inside(ctx, "Receive", func() (int, error) { return p.r.Receive(cctx, <-next) })
	cancel(errCustom)
	p.wait(ctx, c)
	for _, buf := range bufs {
		copy(buf, "01234567") // a data race where the Receive still writes
	}
	p.sendBeside(ctx, "abc", func() { p.receive(ctx, "abc") })
	for _, buf := range bufs {
		if string(buf) != "01234567" {
			p.fatalf("a canceled Receive wrote %q into its buffer after it had returned", buf)
		}
	}
}

func canceledWaitReceive(ctx context.Context, p *probe) {
	if p.noWaitReceive {
		p.wantNoWaitReceive(ctx)
		return
	}
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.blockedWaitReceive(cctx)
	cancel(errCustom)
	_, err := p.wait(ctx, c)
	p.wantCanceled("the canceled WaitReceive", err)
	p.sendBeside(ctx, "abc", func() { p.receive(ctx, "abc") })
}

func deadlineReceive(ctx context.Context, p *probe) {
	dctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	n, err := p.r.Receive(dctx, make([]byte, 8))
	p.want("Receive with a deadline", n, err, context.DeadlineExceeded)
	p.wantTimeout("Receive with a deadline", err, true)
	p.sendBeside(ctx, "on", func() { p.receive(ctx, "on") })
}

func deadlineSend(ctx context.Context, p *probe) {
	dctx, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err := p.s.Send(dctx, p.bulk())
	p.want("Send with a deadline", 0, err, context.DeadlineExceeded)
	p.wantTimeout("Send with a deadline", err, true)
}

// canceledSend resumes a Send several times, each time with what the one
// before did not take, and wants every byte to arrive once.
func canceledSend(ctx context.Context, p *probe) {
	data := p.bulk()
	sent := p.cancelSend(ctx, data)
	if p.cancelBreaksSend {
		_, err := p.s.Send(ctx, []byte("x"))
		p.wantBroken("Send after a canceled one", 0, err)
		return
	}
	sent += p.cancelSend(ctx, data[sent:])
	size := min(len(data), sent+4096)
	c := p.start("Sends", func() (int, error) { return p.resume(ctx, data[sent:size]) })
	p.receiveSuffix(ctx, data[:size])
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("Send after two canceled ones: %v", err)
	}
}

// cancelSend starts to send data, cancels when that waits, and returns how
// much was taken.
func (p *probe) cancelSend(ctx context.Context, data []byte) int {
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.blockedSend(cctx, data)
	cancel(errCustom)
	n, err := p.wait(ctx, c)
	p.wantCanceled("the canceled Send", err)
	if n < 0 || n > len(data) || n == len(data) && !p.encodes {
		p.fatalf("the canceled Send of %d bytes returned %d, %v", len(data), n, err)
	}
	return n
}

// resume sends data after a canceled Send and then ends, for use in a call.
func (p *probe) resume(ctx context.Context, data []byte) (int, error) {
	n, err := p.s.Send(ctx, data)
	if err != nil {
		return n, err
	}
	_, err = p.sendAll(ctx, nil, 1)
	return n, err
}

func canceledSendBuffer(ctx context.Context, p *probe) {
	if p.cancelBreaksSend {
		return // what was under way is lost with the stream
	}
	data := bytes.Clone(p.bulk())
	sent := p.cancelSend(ctx, data)
	want := bytes.Clone(data[:sent])
	clear(data)
	c := p.start("SendEOF", func() (int, error) { return p.sendAll(ctx, nil, 1) })
	p.receiveSuffix(ctx, want)
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("the end after a canceled Send: %v", err)
	}
}

// lateCancels is how often a check tries to cancel a call just as it returns.
const lateCancels = 300

// lateCancelReceive cancels each Receive at the moment when it returns: the
// one after it must not notice.
func lateCancelReceive(ctx context.Context, p *probe) {
	for i := range lateCancels {
		c := p.startSend(ctx, []byte("x"))
		if !p.lateCancel(ctx, i, func(cctx context.Context) (int, error) { return p.r.Receive(cctx, make([]byte, 1)) }) {
			p.receive(ctx, "x")
		}
		p.sent(ctx, c, 1)
		p.sendBeside(ctx, "y", func() { p.receive(ctx, "y") })
	}
}

func lateCancelSend(ctx context.Context, p *probe) {
	if p.cancelBreaksSend {
		p.lateCancelOfDoneSend(ctx)
		return
	}
	want := 0
	c := p.startCount(ctx)
	for i := range lateCancels {
		if p.lateCancel(ctx, i, func(cctx context.Context) (int, error) { return p.s.Send(cctx, []byte("x")) }) {
			want++
		}
		p.send(ctx, "y")
		want++
	}
	p.end(ctx)
	if n, err := p.wait(ctx, c); n != want || err != nil {
		p.fatalf("received %d bytes, %v; want the %d of which Send said that it took them", n, err, want)
	}
}

// lateCancelOfDoneSend cancels only after Send returned.
func (p *probe) lateCancelOfDoneSend(ctx context.Context) {
	c := p.startCount(ctx)
	for range lateCancels {
		cctx, cancel := context.WithCancel(ctx)
		if n, err := p.s.Send(cctx, []byte("x")); n != 1 || err != nil {
			p.fatalf("Send after a late cancel returned %d, %v", n, err)
		}
		cancel()
	}
	p.end(ctx)
	if n, err := p.wait(ctx, c); n != lateCancels || err != nil {
		p.fatalf("received %d bytes, %v; want %d", n, err, lateCancels)
	}
}

// lateCancel makes a call of one byte and cancels it at about the time when
// it returns, or for odd rounds right after. It tells whether the byte went.
func (p *probe) lateCancel(ctx context.Context, round int, f func(context.Context) (int, error)) bool {
	cctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errCustom)
	if round%2 == 0 {
		go cancel(errCustom) // ends at once
	}
	n, err := f(cctx)
	if err == nil && n == 1 || p.encodes && n == 1 {
		return true
	}
	p.want("a call that is canceled as it returns", n, err, errCustom)
	return false
}

// startCount counts the bytes until the end.
func (p *probe) startCount(ctx context.Context) *call {
	return p.start("Receives", func() (int, error) {
		total, buf := 0, make([]byte, 64)
		for {
			n, err := p.r.Receive(ctx, buf)
			total += n
			if n == 0 && err == nil {
				err = errNoAnswer
			}
			if err != nil {
				return total, ignoreEOF(err)
			}
		}
	})
}

func closeAfterCancel(ctx context.Context, p *probe) {
	p.wantDone(p.receiveQuestions(), "before Close")
	p.wantDone(p.sendQuestions(), "before Close")
	cctx, cancel := context.WithCancelCause(ctx)
	c := p.blockedReceive(cctx)
	cancel(errCustom)
	p.wait(ctx, c)
	p.ends(ctx)
	p.close(p.s)
	p.close(p.r)
}

func (p *probe) blockedWaitReceive(ctx context.Context) *call {
	return p.inside(ctx, "WaitReceive", func() (int, error) { return 0, stream.WaitReceive(ctx, p.r) })
}

// wantNoWaitReceive wants WaitReceive to be what a stream without it has.
func (p *probe) wantNoWaitReceive(ctx context.Context) {
	if err := stream.WaitReceive(ctx, p.r); !errors.Is(err, errors.ErrUnsupported) {
		p.fatalf("WaitReceive returned %v, want errors.ErrUnsupported", err)
	}
}
