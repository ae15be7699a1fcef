package quic

import (
	"context"
	"net"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
)

// Streams is a [Conn] as a listener: it accepts the streams that the peer
// opens, for listener.Serve and the like.
type Streams struct {
	owner *Conn

	mu   sync.Mutex
	live int             // accepted and not closed
	life context.Context // ends with Close
	end  context.CancelFunc
}

var _ stream.Listener[*Stream] = (*Streams)(nil)

func (l *Streams) init(c *Conn) {
	l.owner = c
	l.life, l.end = context.WithCancel(context.Background())
}

// Conn returns the connection.
func (l *Streams) Conn() *Conn { return l.owner }

// Accept is the AcceptStream of the connection.
func (l *Streams) Accept(ctx context.Context) (*Stream, error) {
	if l.life.Err() != nil {
		return nil, closedError(ctx)
	}
	both, stop := either(ctx, l.life)
	defer stop()
	s, err := l.owner.AcceptStream(both)
	switch {
	case err == nil && l.add(s):
		return s, nil
	case err == nil:
		_ = s.Abort(nil) // always nil
		return nil, net.ErrClosed
	case ctx.Err() == nil && l.life.Err() != nil:
		return nil, net.ErrClosed
	}
	return nil, err
}

// add counts s in, unless l is closed.
func (l *Streams) add(s *Stream) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life.Err() != nil {
		return false
	}
	l.live++
	s.done = sync.OnceFunc(l.remove)
	return true
}

func (l *Streams) remove() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live--
	l.retire()
}

// Attributes are those of the connection.
func (l *Streams) Attributes() *attr.Set { return l.owner.Attributes() }

// Close ends accepting: from now on streams that the peer opens are reset.
// Those that were accepted live on, and with the last of them the connection
// ends, though Close does not wait for that: as soon as what was sent on it has
// had the time to arrive, see [Conn.Shutdown].
func (l *Streams) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.life.Err() == nil {
		l.end()
		go l.refuseAll() // ends with the connection
		l.retire()
	}
	return nil
}

// refuseAll resets streams that nobody will accept any more.
func (l *Streams) refuseAll() {
	for {
		s, err := l.owner.AcceptStream(context.Background())
		if err != nil {
			return
		}
		_ = s.Abort(nil) // always nil
	}
}

// retire closes the connection if nobody uses it any more.
func (l *Streams) retire() {
	if l.live == 0 && l.life.Err() != nil {
		l.owner.closeSoon()
	}
}

// either returns a context that ends with ctx or with life, and has the values
// of ctx. To be done with it, call stop.
func either(ctx, life context.Context) (both context.Context, stop func()) {
	both, cancel := context.WithCancel(ctx)
	unwatch := context.AfterFunc(life, cancel)
	return both, func() { unwatch(); cancel() }
}

// StreamsConfig says how [NewStreamListener] goes about it. A nil
// StreamsConfig and the zero one mean all defaults.
type StreamsConfig struct {
	// OnEnd is told why a connection has ended, unless the listener was
	// closed: an [*ApplicationError] where the peer closed it. It may run
	// several times at once, and must not close the listener, whose Close
	// waits for it. Nil drops it.
	OnEnd func(c *Conn, err error)
}

// A StreamListener accepts the streams of all connections that another
// listener accepts. Several goroutines may accept at once. Its attributes are
// those of the listener below.
type StreamListener struct {
	flat stream.Listener[*Stream]
}

var _ stream.Listener[*Stream] = (*StreamListener)(nil)

// NewStreamListener returns a listener of the streams of all connections that
// ln accepts, so that a handler of streams, as of TCP connections, need not
// care that there are connections. They are accepted from the first Accept on,
// and one with many streams holds up no other. NewStreamListener takes over
// ln, and panics when it is nil.
func NewStreamListener(ln stream.Listener[*Conn], cfg *StreamsConfig) *StreamListener {
	if ln == nil {
		panic("quic: NewStreamListener: nil ln")
	}
	flat := new(listener.FlatConfig[*Streams])
	if cfg != nil && cfg.OnEnd != nil {
		onEnd := cfg.OnEnd
		flat.OnError = func(inner *Streams, err error) { onEnd(inner.owner, err) }
	}
	return &StreamListener{listener.Flat(listener.Map(ln, (*Conn).Streams), flat)}
}

// Accept waits for the next stream of any connection that something was sent
// on. A canceled Accept has taken none.
func (l *StreamListener) Accept(ctx context.Context) (*Stream, error) { return l.flat.Accept(ctx) }

// Attributes returns those of the listener below.
func (l *StreamListener) Attributes() *attr.Set { return l.flat.Attributes() }

// Close closes the listener below, and resets the streams that nobody has
// accepted. Streams that were live on, each connection until its last one is
// closed: see [Streams.Close]. To wait for that, use [Listener.Shutdown].
func (l *StreamListener) Close() error { return l.flat.Close() }
