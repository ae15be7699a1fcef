package ctxio

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strata-go/strata/stream"
)

// Listeners gives several net.Listeners one Accept. Where they are sockets it
// takes nothing from one before somebody wants it, so that what it has not
// handed out is still in the kernel's queue, for another process perhaps. It
// must not be copied.
type Listeners struct {
	watched []*watched
	ready   chan *watched // those with connections, handed over one by one
	done    chan struct{} // is closed by Close
	start   sync.Once
	closed  sync.Once
	tasks   sync.WaitGroup
}

// A watched is a Listener with a goroutine that waits for its connections. The
// two take turns: whoever was handed the watched accepts, and then resumes the
// goroutine.
type watched struct {
	Listener
	sentry *sentry // nil where there is no waiting without accepting
	resume chan struct{}
	ahead  atomic.Pointer[result] // accepted already, where there is no sentry
}

// NewListeners takes lns over. With an error they are closed, which a shortage
// of descriptors is: there is one more for each socket.
func NewListeners(lns []net.Listener) (*Listeners, error) {
	l := &Listeners{ready: make(chan *watched), done: make(chan struct{})}
	var short error
	for _, ln := range lns {
		w := &watched{resume: make(chan struct{}, 1)}
		w.Init(ln)
		if short == nil {
			w.sentry, short = newSentry(ln)
		}
		l.watched = append(l.watched, w)
	}
	if short != nil {
		return nil, errors.Join(short, l.Close())
	}
	return l, nil
}

// Accept is [Listener.Accept] for all of them.
func (l *Listeners) Accept(ctx context.Context) (net.Conn, error) {
	for {
		if err := stream.ContextError(ctx); err != nil {
			return nil, err
		}
		select {
		case <-l.done:
			return nil, net.ErrClosed
		default:
			l.start.Do(l.watch)
		}
		select {
		case w := <-l.ready:
			conn, err := w.take()
			w.resume <- struct{}{}
			if err != stream.ErrWouldBlock {
				return conn, err
			}
		case <-l.done:
		case <-ctx.Done():
		}
	}
}

// Close closes all of them. Again it is nil.
func (l *Listeners) Close() (err error) {
	l.closed.Do(func() {
		close(l.done)
		errs := make([]error, len(l.watched))
		for i, w := range l.watched {
			errs[i] = errors.Join(w.sentry.close(), w.Close())
		}
		err = errors.Join(errs...)
		l.start.Do(func() {})
		l.tasks.Wait()
		for _, w := range l.watched {
			w.drop()
		}
	})
	return err
}

// watch starts the goroutines, which end when their listeners are closed.
// Close waits for them.
func (l *Listeners) watch() {
	for _, w := range l.watched {
		l.tasks.Go(func() {
			for {
				w.wait()
				select {
				case l.ready <- w:
				case <-l.done:
					return
				}
				select {
				case <-w.resume:
				case <-l.done:
					return
				}
			}
		})
	}
}

// wait returns when take has an answer, if only an error.
func (w *watched) wait() {
	if w.sentry != nil {
		_ = w.sentry.wait() // fails only once Close is under way
		return
	}
	conn, err := w.Accept(context.Background())
	w.ahead.Store(&result{conn, err})
}

// stolen is how long to wait for a connection that was there and, as it seems,
// is not any more.
const stolen = 10 * time.Millisecond

// take accepts what wait has seen. The error is stream.ErrWouldBlock if another
// process was faster.
func (w *watched) take() (net.Conn, error) {
	if r := w.ahead.Swap(nil); r != nil {
		return r.conn, r.err
	}
	return w.acceptWithin(stolen)
}

// drop closes what nobody came for. Somebody may be coming just now.
func (w *watched) drop() {
	if r := w.ahead.Swap(nil); r != nil && r.conn != nil {
		_ = r.conn.Close()
	}
}

// acceptWithin accepts, or returns stream.ErrWouldBlock after d.
func (l *Listener) acceptWithin(d time.Duration) (net.Conn, error) {
	if err := l.enter(context.Background()); err != nil {
		return nil, err
	}
	defer func() { <-l.turn }()
	l.dir.clear()
	_ = l.dir.set(l.dir.conn, time.Now().Add(d)) // fails only if it is closed, which Accept will find
	conn, err := l.ln.Accept()
	l.dir.reset()
	switch {
	case err != nil && l.isClosed():
		return nil, net.ErrClosed
	case err != nil && timedOut(err):
		return nil, stream.ErrWouldBlock
	}
	return conn, err
}
