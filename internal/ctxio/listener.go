package ctxio

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/strata-go/strata/stream"
)

// A Listener gives a net.Listener an Accept with a context. Make it with
// [Listener.Init]. It must not be copied.
type Listener struct {
	ln     net.Listener
	turn   chan struct{} // holds a value while somebody accepts
	done   chan struct{} // is closed by Close
	closed sync.Once

	dir  direction // of a net.Listener with deadlines
	hand *handover // for any other
}

// Init makes l the listener over ln, and takes ln over.
func (l *Listener) Init(ln net.Listener) {
	l.ln = ln
	l.turn = make(chan struct{}, 1)
	l.done = make(chan struct{})
	d, ok := ln.(interface{ SetDeadline(time.Time) error })
	if ok && d.SetDeadline(time.Time{}) == nil {
		l.dir.conn, l.dir.set = d, setBoth
		return
	}
	l.hand = newHandover(ln)
}

// Accept waits for the next connection. Several goroutines may call it: they
// take turns. A canceled Accept has taken no connection. Errors other than
// net.ErrClosed and the context's are the net.Listener's own, and the
// listener goes on.
func (l *Listener) Accept(ctx context.Context) (net.Conn, error) {
	if err := l.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-l.turn }()
	var conn net.Conn
	var err error
	if l.hand != nil {
		conn, err = l.hand.accept(ctx, l.done)
	} else {
		conn, err = l.accept(ctx)
	}
	if err != nil && l.isClosed() {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close closes the net.Listener. Again it is nil. Calls of Accept return
// net.ErrClosed.
func (l *Listener) Close() (err error) {
	l.closed.Do(func() {
		close(l.done)
		l.dir.close()
		err = l.ln.Close()
		if isClosed(err) {
			err = nil // somebody else closed it before
		}
		if l.hand != nil {
			l.turn <- struct{}{} // done makes whoever has it leave
			l.hand.close()
			<-l.turn
		}
	})
	return err
}

func (l *Listener) isClosed() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// enter waits for our turn. After nil the caller must give it back.
func (l *Listener) enter(ctx context.Context) error {
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	if l.isClosed() {
		return net.ErrClosed
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-l.done:
		return net.ErrClosed
	case <-ctx.Done():
		return stream.ContextError(ctx)
	}
}

// accept is the way with deadlines, as park is for connections.
func (l *Listener) accept(ctx context.Context) (net.Conn, error) {
	d := &l.dir
	if !d.suits(ctx) {
		d.clear()
		d.arm(ctx)
	}
	defer d.settle()
	for retried := false; ; retried = true {
		conn, err := l.ln.Accept()
		if err == nil || !timedOut(err) {
			return conn, err
		}
		d.reset()
		if err := stream.ContextError(ctx); err != nil {
			return nil, err
		}
		if retried || l.isClosed() {
			return nil, err
		}
	}
}
