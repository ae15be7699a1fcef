package streamtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"

	"github.com/strata-go/strata/stream"
)

// dataChecks hold lines 2, 3 and 8 of the contract: what was sent arrives,
// once and in order, and then the end.
func dataChecks() []check {
	return []check{
		{name: "What is sent arrives", body: sentArrives, stored: true},
		{name: "A Send of nothing has no effect", body: emptySend, stored: true},
		{name: "Receive keeps to its buffer", body: receiveKeepsToBuffer, stored: true},
		{name: "Send leaves the buffer to its caller", body: sendLeavesBuffer, stored: true},
		{name: "Data comes before the end", body: dataBeforeEnd, stored: true},
		{name: "The end stays", body: endStays, stored: true},
		{name: "The end arrives where nothing was sent", body: endOfNothing, stored: true},
		{name: "A Receive that waits meets the data", body: waitingReceiveMeetsData},
		{name: "A Receive that waits meets the end", body: waitingReceiveMeetsEnd},
		{name: "A large Send arrives whole", body: largeSend},
		{name: "Random pieces arrive whole", body: randomPieces},
	}
}

func sentArrives(ctx context.Context, p *probe) {
	p.sendBeside(ctx, "x", func() { p.receive(ctx, "x") })
	p.sendBeside(ctx, "hello, world", func() { p.receive(ctx, "hello,"); p.receive(ctx, " world") })
}

// sendBeside sends while then receives, since some streams hold nothing.
func (p *probe) sendBeside(ctx context.Context, data string, then func()) {
	c := p.startSend(ctx, []byte(data))
	if p.stored {
		p.sent(ctx, c, len(data)) // or then would meet an end
	}
	then()
	p.sent(ctx, c, len(data))
}

// sent wants c to be a Send that took all of its n bytes.
func (p *probe) sent(ctx context.Context, c *call, n int) {
	if got, err := p.wait(ctx, c); got != n || err != nil {
		p.fatalf("Send of %d bytes returned %d, %v", n, got, err)
	}
}

func emptySend(ctx context.Context, p *probe) {
	for _, nothing := range [][]byte{nil, {}} {
		n, err := p.s.Send(ctx, nothing)
		if n != 0 || err != nil {
			p.fatalf("Send of nothing returned %d, %v; want 0, nil", n, err)
		}
	}
	p.sendBeside(ctx, "y", func() { p.receive(ctx, "y") })
}

func receiveKeepsToBuffer(ctx context.Context, p *probe) {
	data := "0123456789abcdef"
	p.sendBeside(ctx, data, func() {
		for have := 0; have < len(data); {
			buf := bytes.Repeat([]byte{'-'}, 8)
			n, err := p.receiveSome(ctx, buf[:3])
			if err != nil || string(buf[:n]) != data[have:have+n] || string(buf[3:]) != "-----" {
				p.fatalf("Receive into 3 bytes of 8 returned %d, %v and left %q", n, err, buf)
			}
			have += n
		}
	})
}

// sendLeavesBuffer changes the buffer right after each Send, before anybody
// received what was in it.
func sendLeavesBuffer(ctx context.Context, p *probe) {
	const rounds = 64
	want := pattern()[:rounds*16]
	c := p.start("Sends", func() (int, error) {
		buf := make([]byte, 16)
		for i := range rounds {
			piece := want[i*16 : (i+1)*16]
			copy(buf, piece)
			if n, err := p.s.Send(ctx, buf); n != len(buf) || err != nil {
				return n, errors.Join(errors.New("Send is incomplete"), err)
			}
			if !bytes.Equal(buf, piece) {
				return 0, errors.New("Send changed its buffer")
			}
			clear(buf)
		}
		return 0, nil
	})
	if p.stored {
		p.wait(ctx, c)
	}
	p.receive(ctx, string(want))
	if _, err := p.wait(ctx, c); err != nil {
		p.fatalf("%w", err)
	}
}

// dataBeforeEnd receives only when the end is already there, except from a
// stream that holds nothing.
func dataBeforeEnd(ctx context.Context, p *probe) {
	c := p.start("Send and the end", func() (int, error) { return p.resume(ctx, []byte("last words")) })
	if p.stored {
		p.wait(ctx, c)
	}
	p.yield()
	p.receive(ctx, "last ")
	p.receive(ctx, "words")
	p.receiveEOF(ctx)
	p.sent(ctx, c, len("last words"))
}

func endStays(ctx context.Context, p *probe) {
	p.ends(ctx)
	if err := stream.WaitReceive(ctx, p.r); !p.noWaitReceive && err != nil && err != io.EOF {
		p.fatalf("WaitReceive at the end returned %v; want nil, since Receive does not block", err)
	}
	n, err := p.r.Receive(ctx, make([]byte, 1<<10))
	p.want("Receive after the end", n, err, io.EOF)
}

func endOfNothing(ctx context.Context, p *probe) {
	n, err := p.s.Send(ctx, nil)
	p.want("Send of nothing", n, err, nil)
	p.ends(ctx)
}

func waitingReceiveMeetsData(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.send(ctx, "z")
	if n, err := p.wait(ctx, c); n != 1 || err != nil {
		p.fatalf("the waiting Receive returned %d, %v; want 1, nil", n, err)
	}
}

func waitingReceiveMeetsEnd(ctx context.Context, p *probe) {
	c := p.blockedReceive(ctx)
	p.end(ctx)
	n, err := p.wait(ctx, c)
	p.want("the waiting Receive", n, err, io.EOF)
}

func largeSend(ctx context.Context, p *probe) {
	data := p.large(4 << 20)
	c := p.start("Send and end", func() (int, error) { return p.resume(ctx, data) })
	p.receiveSuffix(ctx, data)
	p.sent(ctx, c, len(data))
}

func randomPieces(ctx context.Context, p *probe) {
	data := p.large(1 << 20)
	c := p.start("Sends and end", func() (int, error) { return p.sendAll(ctx, data, 16384) })
	p.receivePieces(ctx, data)
	p.receiveEOF(ctx)
	p.sent(ctx, c, len(data))
}

// sendPieces sends data in random pieces of at most size bytes. It fails
// nothing, for use in a call, as sendAll.
func (p *probe) sendPieces(ctx context.Context, data []byte, size int) (sent int, err error) {
	for err == nil && sent < len(data) {
		n, piece := 0, data[sent:min(len(data), sent+1+rand.IntN(size))]
		n, err = p.s.Send(ctx, piece)
		sent += n
		if err == nil && n != len(piece) {
			err = io.ErrShortWrite
		}
	}
	return sent, err
}

// sendAll sends data as sendPieces does and then ends.
func (p *probe) sendAll(ctx context.Context, data []byte, size int) (int, error) {
	n, err := p.sendPieces(ctx, data, size)
	if err != nil {
		return n, err
	}
	if p.a == nil || p.noHalfClose {
		return n, p.s.Close()
	}
	return n, p.a.SendEOF(ctx)
}

// receivePieces receives data with buffers of random sizes.
func (p *probe) receivePieces(ctx context.Context, data []byte) {
	buf := make([]byte, 16384)
	for have := 0; have < len(data); {
		size := min(1+rand.IntN(len(buf)), len(data)-have)
		n, err := p.receiveSome(ctx, buf[:size])
		if err != nil {
			p.fatalf("after %d bytes of %d Receive returned %v", have, len(data), err)
		}
		if !bytes.Equal(buf[:n], data[have:have+n]) {
			p.fatalf("bytes %d to %d are not those that were sent", have, have+n)
		}
		have += n
	}
}
