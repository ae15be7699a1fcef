package netconn

import (
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/stream"
)

// A Stream is a net.Conn as a byte stream. One goroutine may receive while
// another sends; a second one in the same direction gets stream.ErrBusy.
type Stream struct {
	set  attr.Set
	conn net.Conn // as it was given to Wrap
	io   ctxio.Conn
	below
}

var (
	_ stream.ByteStream    = (*Stream)(nil)
	_ stream.ReceiveWaiter = (*Stream)(nil)
	_ stream.BuffersSender = (*Stream)(nil)
	_ stream.TrySender     = (*Stream)(nil)
	_ stream.Aborter       = (*Stream)(nil)
)

// Wrap makes a stream of conn and takes conn over: nobody else may use it, or
// set its deadlines, before [Stream.Detach]. It panics when conn is nil.
//
// Bytes must be what conn carries: a datagram socket is no stream. Where conn
// wraps another net.Conn and has a method NetConn (or UnderlyingConn, or Raw)
// that tells it, the attributes of that one answer too: of a *crypto/tls.Conn
// those of package tls, of a *net.UnixConn the peer's credentials. A
// *crypto/tls.Conn has its attributes once its handshake is done.
//
// A cancellation sets a deadline in the past. On a net.Conn whose deadlines
// cannot be set it closes conn instead, and the stream is broken.
func Wrap(conn net.Conn) *Stream {
	if conn == nil {
		panic("netconn: Wrap: nil conn")
	}
	s := &Stream{conn: conn}
	s.below.init(s)
	s.io.Init(s.below.engine(conn))
	return s
}

// Attributes tell what conn, and whatever it wraps, knows.
func (s *Stream) Attributes() *attr.Set { return &s.set }

// Receive waits for bytes and puts them into p, at least one. A canceled
// Receive has taken nothing.
func (s *Stream) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := s.io.Receive(ctx, p)
	s.below.settle()
	return n, err
}

// WaitReceive waits until Receive would not block, without a buffer. It is
// errors.ErrUnsupported for whatever is not exactly a *net.TCPConn or
// *net.UnixConn, and on Windows.
func (s *Stream) WaitReceive(ctx context.Context) error { return s.io.WaitReceive(ctx) }

// Send sends all of p. A canceled Send has sent the first n bytes; Send(p[n:])
// resumes it, but over a foreign *crypto/tls.Conn the stream is broken.
func (s *Stream) Send(ctx context.Context, p []byte) (int, error) {
	n, err := s.io.Send(ctx, p)
	s.below.settle()
	return n, err
}

// SendBuffers sends bufs in order, with writev where conn is a socket. What a
// cancel leaves behind is what it is for Send.
func (s *Stream) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	return s.io.SendBuffers(ctx, bufs)
}

// TrySend sends what the socket's buffer takes at once, else
// stream.ErrWouldBlock. It is errors.ErrUnsupported where WaitReceive is.
func (s *Stream) TrySend(p []byte) (int, error) { return s.io.TrySend(p) }

// SendEOF ends the sending direction by conn's CloseWrite. It is
// errors.ErrUnsupported where conn has none. It may be called again.
func (s *Stream) SendEOF(ctx context.Context) error { return s.io.SendEOF(ctx) }

// Close closes conn, again and from any goroutine too. Calls under way return
// net.ErrClosed. The farewell of a *crypto/tls.Conn may take 100 ms.
func (s *Stream) Close() error { return s.io.Close() }

// Abort closes conn so that the peer of a TCP connection sees a reset, also
// one below other wrappers. Elsewhere it is Close.
func (s *Stream) Abort(cause error) error { return s.io.Abort(cause) }

// Detach ends the stream, whose methods return net.ErrClosed from now on, and
// returns the net.Conn that was given to [Wrap], open and without a deadline.
// No context of an earlier call can reach it. The error is stream.ErrBusy
// while a call is under way, and net.ErrClosed after Close.
func (s *Stream) Detach() (net.Conn, error) {
	if _, err := s.io.Detach(); err != nil {
		return nil, err
	}
	return s.conn, nil
}
