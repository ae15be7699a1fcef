package memory

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// defaultBacklog is how many connections wait for Accept.
const defaultBacklog = 128

// errNotAccepted is why connections break that nobody accepts any more.
var errNotAccepted = errors.New("memory: the listener was closed before it accepted the connection")

// ListenConfig says what [Listen] makes. A nil ListenConfig and the zero one
// mean all defaults. Listen copies it.
type ListenConfig struct {
	// Pipe configures the connections.
	Pipe Config

	// Name is the listener's in addresses. Empty means "listener".
	Name string

	// Backlog is how many connections may wait for Accept before Connect has
	// to wait for room. Zero means 128. Negative means none: Connect waits
	// until its connection is accepted.
	Backlog int
}

// size returns the number of connections.
func (c *ListenConfig) size() int {
	if c.Backlog == 0 {
		return defaultBacklog
	}
	return max(0, c.Backlog)
}

// A Listener accepts connections in memory, and is the connector that makes
// them. Any number of goroutines may use it at once.
//
// The accepting end has the listener's name for its address, the connecting
// end the name and a number that counts connections.
type Listener struct {
	pipe    Config
	name    string
	addr    net.Addr
	made    atomic.Uint64 // connections, also those that were never accepted
	backlog *Receiver[*Conn]
	arrive  *Sender[*Conn]
	facts   attr.Set
}

var (
	_ stream.Listener[*Conn]  = (*Listener)(nil)
	_ stream.Connector[*Conn] = (*Listener)(nil)
)

var listenerFacts = attr.Define(
	attr.Value(sockattr.LocalAddr, func(l *Listener) net.Addr { return l.addr }),
)

// Listen returns a new listener. Nobody but its own [Listener.Connect] can
// reach it.
func Listen(cfg *ListenConfig) *Listener {
	if cfg == nil {
		cfg = new(ListenConfig)
	}
	l := &Listener{pipe: cfg.Pipe, name: cmp.Or(cfg.Name, "listener")}
	l.addr = Addr{Name: l.name}
	l.arrive, l.backlog = New[*Conn](cfg.size())
	listenerFacts.Init(&l.facts, l)
	return l
}

// Accept waits for the next connection, in the order in which they were made.
// A canceled Accept has taken none. The error is net.ErrClosed once the
// listener is closed.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	c, err := l.backlog.Receive(ctx)
	if err == io.EOF {
		err = net.ErrClosed
	}
	return c, err
}

// Connect makes a connection and returns it once there is room for its other
// end in the backlog, where that waits for Accept. A canceled Connect has made
// none. The error is net.ErrClosed once the listener is closed.
func (l *Listener) Connect(ctx context.Context) (*Conn, error) {
	ours := Addr{Name: l.name, Number: l.made.Add(1)}
	c, accepted := newPipe(&l.pipe, ours, l.addr)
	if err := l.arrive.Send(ctx, accepted); err != nil {
		return nil, err
	}
	return c, nil
}

// Close wakes every Accept and Connect that waits with net.ErrClosed, and
// aborts the connections that nobody has accepted: those who made them find
// them broken. Accepted connections live on. The error is always nil.
func (l *Listener) Close() error {
	l.arrive.Close()
	for {
		// Nothing arrives any more, so that this ends: with io.EOF, or with
		// net.ErrClosed if somebody else closes as well.
		c, err := l.backlog.TryReceive()
		if err != nil {
			break
		}
		c.Abort(errNotAccepted)
	}
	return l.backlog.Close()
}

// Attributes are netconn.LocalAddr, an [Addr].
func (l *Listener) Attributes() *attr.Set { return &l.facts }
