package tls

import (
	"context"
	cryptotls "crypto/tls"
	"time"

	"github.com/strata-go/strata/listener"
)

// handshake runs crypto/tls's handshake, sending and receiving at once: a
// server sends session tickets behind its Finished while the client sends its
// own, and over a transport without buffers each would wait for the other.
func (c *Conn) handshake(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	f := &flight{out: &c.out, cancel: cancel}
	defer f.ground() // and should a callback panic, as well
	c.in.ctx, c.in.flight = ctx, f
	err := c.std.HandshakeContext(ctx)
	if err == nil {
		c.state = c.std.ConnectionState()
		err = c.finish(ctx, f)
	} else if ctx.Err() == nil {
		f.offer(ctx) // the alert
	} else if failed := f.ground(); failed != nil {
		err = failed // and that is why the rest was canceled
	}
	if err != nil {
		return err
	}
	_ = f.ground()
	c.in.ctx, c.in.flight = nil, nil
	c.out.establish()
	return nil
}

// finish sees to it that the peer gets what it needs to finish as well.
func (c *Conn) finish(ctx context.Context, f *flight) error {
	switch {
	case c.state.Version < cryptotls.VersionTLS13:
		return f.land(ctx)
	case c.server:
		// The client's Finished answered all that it waited for. What is left
		// are session tickets, which can wait for the first Send.
		return nil
	}
	// The server may be sending tickets, and not receive before we did.
	return f.landReceiving(ctx, &c.in)
}

// A flight is what crypto/tls wrote during a handshake, on its way to the peer.
type flight struct {
	first  [maxHeard]byte
	heard  []byte // what came first of the peer's, in first
	out    *outgoing
	cancel context.CancelCauseFunc // ends the handshake
	landed chan struct{}           // of the last launch; nil before the first
	err    error                   // why sending failed; set once landed is closed
}

// maxHeard is how many of the peer's first bytes an error shows.
const maxHeard = 16

// hear keeps the first bytes of the peer.
func (f *flight) hear(p []byte) {
	f.heard = f.first[:len(f.heard)+copy(f.first[len(f.heard):], p)]
}

// launch sends what was written, and returns while it is under way. What is
// written meanwhile goes with it.
func (f *flight) launch(ctx context.Context) {
	if !f.out.claim() {
		return
	}
	if f.landed != nil {
		<-f.landed // it has given up its claim, and is about to end
	}
	if f.err != nil || f.out.try() {
		return
	}
	landed := make(chan struct{})
	f.landed = landed
	go func() { // ends when all is sent, or with ctx; ground waits for it
		defer close(landed)
		if err := f.out.flush(ctx); err != nil {
			f.err = err
			f.cancel(err)
		}
	}()
}

// land sends what was written, and waits until it is sent.
func (f *flight) land(ctx context.Context) error {
	f.launch(ctx)
	if f.landed != nil {
		listener.WaitsForPeer(ctx, true) // to receive
		<-f.landed
		listener.WaitsForPeer(ctx, false)
	}
	return f.err
}

// landReceiving is land for a peer that may send before it receives.
func (f *flight) landReceiving(ctx context.Context, in *incoming) error {
	f.launch(ctx)
	if f.landed == nil {
		return nil
	}
	receiving, stop := context.WithCancel(ctx)
	defer stop()
	go func(landed chan struct{}) { // ends when f has landed, which land waits for
		<-landed
		stop()
	}(f.landed)
	in.fetch(receiving)
	return f.land(ctx)
}

// offer is land for no longer than farewellTime.
func (f *flight) offer(ctx context.Context) {
	late := time.AfterFunc(farewellTime, func() { f.cancel(nil) })
	defer late.Stop()
	_ = f.land(ctx)
}

// ground ends the sending, and returns why it failed. What was not sent is
// still in the queue.
func (f *flight) ground() error {
	f.cancel(nil)
	if f.landed != nil {
		<-f.landed
	}
	return f.err
}
