package quic

import (
	"errors"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A Stream is one of the streams of a [Conn] that carry bytes both ways. One
// goroutine may receive while another sends, and any may close.
//
// It departs from stream's contract, line 6, as QUIC does: the directions fail
// by themselves. When the peer resets the one in which it sends, Receive
// returns a [stream.BrokenError] from then on, with a [*StreamError] that
// has the peer's code, and Send goes on; when it stops the one in which it
// receives, Send fails and Receive goes on. A failure of the connection is one
// for both, and for all of its streams: the same BrokenError. And line 2: what
// came before a reset, or before the connection failed, is lost if nobody has
// received it by then (RFC 9000 section 3.2). What came before an end is not,
// as long as the connection lives.
type Stream struct {
	receiving
	sending
	id    StreamID
	done  func() // told once that the stream is closed; may be nil
	facts attr.Set
}

var streamFacts = attr.Define(attr.Value(ID, func(s *Stream) StreamID { return s.id }))

var (
	_ stream.ByteStream    = (*Stream)(nil)
	_ stream.ReceiveWaiter = (*Stream)(nil)
	_ stream.TrySender     = (*Stream)(nil)
	_ stream.Aborter       = (*Stream)(nil)
)

func (c *Conn) stream(qs *quicgo.Stream) *Stream {
	s := &Stream{id: StreamID(qs.StreamID())}
	s.receiving.init(c, qs)
	s.sending.init(c, qs)
	streamFacts.Init(&s.facts, s, c)
	return s
}

// Close ends both directions: ours with a FIN, behind everything that was
// sent, and the peer's by telling it to stop, with code 0, if it has not ended
// it. A Send that is under way is cut off and our direction reset instead, so
// that the peer does not take a part for the whole. QUIC goes on delivering
// what it has taken for as long as the connection lives.
func (s *Stream) Close() error {
	return s.over(errors.Join(s.sending.io.Close(), s.receiving.io.Close()))
}

// Abort resets our direction and stops the peer's, with the [Code] that cause
// is or wraps, or else 0. What was sent and has not arrived is discarded.
func (s *Stream) Abort(cause error) error {
	return s.over(errors.Join(s.sending.io.Abort(cause), s.receiving.io.Abort(cause)))
}

// AbortSend resets our direction alone, with the [Code] that cause is or
// wraps, or else 0. A Send that is under way, and every later one, returns
// net.ErrClosed; receiving goes on.
func (s *Stream) AbortSend(cause error) error { return s.sending.io.Abort(cause) }

// AbortReceive tells the peer to stop sending, with the [Code] that cause is
// or wraps, or else 0. A Receive that is under way, and every later one,
// returns net.ErrClosed; sending goes on.
func (s *Stream) AbortReceive(cause error) error { return s.receiving.io.Abort(cause) }

// Attributes are [ID] and those of the connection.
func (s *Stream) Attributes() *attr.Set { return &s.facts }

// over returns err after the stream was closed.
func (s *Stream) over(err error) error {
	if s.done != nil {
		s.done()
	}
	return err
}

// A SendStream is a stream that only this side sends on. It fails as a
// direction of a [Stream] does. One goroutine may send, and any may close.
type SendStream struct {
	sending
	id    StreamID
	facts attr.Set
}

var sendStreamFacts = attr.Define(attr.Value(ID, func(s *SendStream) StreamID { return s.id }))

var (
	_ stream.ByteSender = (*SendStream)(nil)
	_ stream.TrySender  = (*SendStream)(nil)
	_ stream.Aborter    = (*SendStream)(nil)
)

func (c *Conn) sendStream(qs *quicgo.SendStream) *SendStream {
	s := &SendStream{id: StreamID(qs.StreamID())}
	s.sending.init(c, qs)
	sendStreamFacts.Init(&s.facts, s, c)
	return s
}

// Close ends the stream with a FIN, as [Stream.Close] does our direction.
func (s *SendStream) Close() error { return s.io.Close() }

// Abort resets the stream, as [Stream.AbortSend] does our direction.
func (s *SendStream) Abort(cause error) error { return s.io.Abort(cause) }

// Attributes are [ID] and those of the connection.
func (s *SendStream) Attributes() *attr.Set { return &s.facts }

// A ReceiveStream is a stream that only the peer sends on. It fails as a
// direction of a [Stream] does. One goroutine may receive, and any may close.
type ReceiveStream struct {
	receiving
	id    StreamID
	facts attr.Set
}

var receiveStreamFacts = attr.Define(attr.Value(ID, func(s *ReceiveStream) StreamID { return s.id }))

var (
	_ stream.ByteReceiver  = (*ReceiveStream)(nil)
	_ stream.ReceiveWaiter = (*ReceiveStream)(nil)
	_ stream.Aborter       = (*ReceiveStream)(nil)
)

func (c *Conn) receiveStream(qs *quicgo.ReceiveStream) *ReceiveStream {
	s := &ReceiveStream{id: StreamID(qs.StreamID())}
	s.receiving.init(c, qs)
	receiveStreamFacts.Init(&s.facts, s, c)
	return s
}

// Close tells the peer to stop sending, with code 0, unless it has ended the
// stream.
func (s *ReceiveStream) Close() error { return s.io.Close() }

// Abort is Close with the [Code] that cause is or wraps.
func (s *ReceiveStream) Abort(cause error) error { return s.io.Abort(cause) }

// Attributes are [ID] and those of the connection.
func (s *ReceiveStream) Attributes() *attr.Set { return &s.facts }
