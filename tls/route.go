package tls

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// routeBacklog is how many sessions of one protocol wait to be accepted.
const routeBacklog = 128

// Route splits a listener by the protocol that was agreed on (ALPN): it returns
// a listener for each of the protocols, in their order. "" is for sessions
// without one. The protocols that ln's Config offers in NextProtos should be
// the same.
//
//	routes := tls.Route(ln, "h2", "http/1.1")
//
// Sessions of a protocol that has no route, or whose route is closed, are
// closed, and so are further ones of a route on which 128 wait to be accepted.
// Route takes over ln, which is closed with the last route. It panics when ln is
// nil, there is no protocol, or one is named twice.
func Route(ln stream.Listener[*Conn], protocols ...string) []*Routed {
	if ln == nil {
		panic("tls: Route: nil ln")
	}
	if len(protocols) == 0 {
		panic("tls: Route: no protocols")
	}
	ctx, cancel := context.WithCancel(context.Background())
	shared := &router{ln: ln, cancel: cancel, failed: make(chan error), done: make(chan struct{})}
	for i, protocol := range protocols {
		if slices.Contains(protocols[:i], protocol) {
			panic("tls: Route: protocol " + protocol + " twice")
		}
		shared.routes = append(shared.routes, &Routed{
			protocol: protocol,
			router:   shared,
			waiting:  make(chan *Conn, routeBacklog),
			closing:  make(chan struct{}),
			released: make(chan struct{}),
		})
	}
	shared.open.Store(int32(len(protocols)))
	shared.launch = func() { go shared.acceptAll(ctx) } // ends when the last route is closed, which waits
	return slices.Clone(shared.routes)
}

// A Routed is the listener of one protocol, see [Route]. Several goroutines may
// accept at once. Its attributes are those of the listener below.
type Routed struct {
	protocol string
	router   *router
	waiting  chan *Conn

	mu       sync.Mutex // held for moments only
	closed   bool
	closing  chan struct{}
	released chan struct{} // closed when Close is done
	err      error         // of Close
}

var _ stream.Listener[*Conn] = (*Routed)(nil)

// Accept waits for the next session of the protocol. A canceled Accept has
// taken none. An error of accepting below is returned by one Accept of one of
// the routes.
func (r *Routed) Accept(ctx context.Context) (*Conn, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	select {
	case <-r.closing:
		return nil, net.ErrClosed
	case s := <-r.waiting:
		return s, nil
	default:
		r.router.start.Do(r.router.launch)
	}
	select {
	case s := <-r.waiting:
		return s, nil
	case err := <-r.router.failed:
		return nil, err
	case <-r.closing:
		return nil, net.ErrClosed
	case <-r.router.done: // the listener below is closed
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, stream.ContextError(ctx)
	}
}

// Attributes returns those of the listener below.
func (r *Routed) Attributes() *attr.Set { return r.router.ln.Attributes() }

// Close closes the sessions that nobody accepted, and with the last route the
// listener below.
func (r *Routed) Close() error {
	r.mu.Lock()
	again := r.closed
	r.closed = true
	r.mu.Unlock()
	if again {
		<-r.released
		return r.err
	}
	defer close(r.released)
	close(r.closing)
	for len(r.waiting) > 0 { // and none are added
		select {
		case s := <-r.waiting:
			_ = s.Close() // nobody is left to hear of an error
		default: // an Accept was faster
		}
	}
	if r.router.open.Add(-1) == 0 {
		r.err = r.router.close()
	}
	return r.err
}

// put takes s for an Accept, if it can.
func (r *Routed) put(s *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	select {
	case r.waiting <- s:
		return true
	default:
		return false
	}
}

// A router is what the routes of one listener share.
type router struct {
	ln     stream.Listener[*Conn]
	routes []*Routed
	open   atomic.Int32 // how many are not closed

	start  sync.Once
	launch func()
	cancel context.CancelFunc
	failed chan error    // errors of accepting, handed over one by one
	done   chan struct{} // closed when nothing more is accepted
}

func (r *router) acceptAll(ctx context.Context) {
	defer close(r.done)
	for {
		s, err := r.ln.Accept(ctx)
		switch {
		case err == nil:
			r.pass(s)
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			select {
			case r.failed <- err:
			case <-ctx.Done():
				return
			}
		}
	}
}

// pass gives s to the route of its protocol, or closes it.
func (r *router) pass(s *Conn) {
	for _, route := range r.routes {
		if route.protocol == s.state.NegotiatedProtocol && route.put(s) {
			return
		}
	}
	_ = s.Close() // the peer learns of it, and nobody else asked
}

func (r *router) close() error {
	r.cancel()
	err := r.ln.Close()
	r.start.Do(func() { close(r.done) })
	<-r.done
	return err
}
