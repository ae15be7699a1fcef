package stream

import (
	"context"
	"errors"

	"github.com/strata-go/strata/attr"
)

// Stapled is a byte stream made of a receiver and a sender, such as the
// output and the input of a process. [Staple] makes it.
//
// Its directions are as independent as their streams are: when one breaks,
// the other lives on, unless both belong to one connection. A canceled Send
// leaves behind what the sender says.
type Stapled struct {
	receiver ByteReceiver
	sender   ByteSender
	facts    *attr.Set
	sending  direction
}

var _ ByteStream = (*Stapled)(nil)

// Staple makes one stream that receives from r and sends to s, and owns both.
// Where both have an attribute, that of r wins. Staple panics when one of them
// is nil.
func Staple(r ByteReceiver, s ByteSender) *Stapled {
	need(r, "Staple: nil r")
	need(s, "Staple: nil s")
	return &Stapled{receiver: r, sender: s, facts: attr.Merge(r, s)}
}

// Attributes are the receiver's, then the sender's.
func (s *Stapled) Attributes() *attr.Set { return s.facts }

// Receive is the receiver's.
func (s *Stapled) Receive(ctx context.Context, p []byte) (int, error) {
	return s.receiver.Receive(ctx, p)
}

// WaitReceive is the receiver's, see [WaitReceive].
func (s *Stapled) WaitReceive(ctx context.Context) error {
	return WaitReceive(ctx, s.receiver)
}

// Send is the sender's.
func (s *Stapled) Send(ctx context.Context, p []byte) (int, error) {
	if err := s.sending.enter(ctx); err != nil {
		return 0, err
	}
	defer s.sending.leave()
	return s.sender.Send(ctx, p)
}

// SendBuffers is the sender's, see [SendBuffers].
func (s *Stapled) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	if err := s.sending.enter(ctx); err != nil {
		return 0, err
	}
	defer s.sending.leave()
	return SendBuffers(ctx, s.sender, bufs)
}

// TrySend is the sender's, see [TrySend].
func (s *Stapled) TrySend(p []byte) (int, error) {
	if err := s.sending.enter(context.Background()); err != nil {
		return 0, err
	}
	defer s.sending.leave()
	return TrySend(s.sender, p)
}

// SendEOF is the sender's SendEOF where it has one, also if that is
// errors.ErrUnsupported; the Close of such a sender would end more than was
// asked for. Else it is the sender's Close.
func (s *Stapled) SendEOF(ctx context.Context) error {
	if err := s.sending.enter(ctx); err != nil {
		return err
	}
	defer s.sending.leave()
	return endSending(ctx, s.sender)
}

// Close closes the sender and the receiver, both always, and joins their
// errors.
func (s *Stapled) Close() error {
	s.sending.closed.Store(true)
	return errors.Join(s.sender.Close(), s.receiver.Close())
}

// Abort aborts the sender and the receiver, see [Abort], and joins their
// errors.
func (s *Stapled) Abort(cause error) error {
	s.sending.closed.Store(true)
	return errors.Join(Abort(s.sender, cause), Abort(s.receiver, cause))
}
