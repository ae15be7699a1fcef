package quic

import (
	"context"
	"errors"
	"net"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// Packets is what a [Conn] carries beside its streams: packets that are
// encrypted as all of it is, but neither repeated when they are lost nor put
// in order (RFC 9221). Both sides have to have Config.Packets on: it is what
// allows the other side to send. One goroutine may receive while any number
// send, and any may close.
//
// Up to 128 packets wait to be received; what comes then is lost. Once the
// connection is broken every call returns the [stream.BrokenError] that says
// why.
type Packets struct {
	owner    *Conn
	receives bool // Config.Packets

	rx     structured.Guard
	waited <-chan struct{} // Done of the last Receive that could be canceled
	both   context.Context // ends when that does, or life
	unwait func()          // ends both

	tx      structured.Mutex
	max     int // the longest packet that could be sent when last asked
	queue   chan []byte
	spare   chan []byte // buffers that were sent
	started bool

	life context.Context // ends with Close
	end  context.CancelFunc
}

var _ stream.PacketStream[[]byte] = (*Packets)(nil)

func (p *Packets) init(c *Conn, receives bool) {
	p.owner, p.receives = c, receives
	p.queue, p.spare = make(chan []byte), make(chan []byte, 2)
	p.life, p.end = context.WithCancel(context.Background())
}

// Receive waits for a packet, whole and in memory of its own. A canceled
// Receive has taken none. The error is stream.ErrBusy while somebody else
// receives, and errors.ErrUnsupported where Config.Packets is off.
func (p *Packets) Receive(ctx context.Context) ([]byte, error) {
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	if !p.receives {
		return nil, errors.ErrUnsupported
	}
	if err := p.rx.Enter(); err != nil {
		return nil, err
	}
	defer p.rx.Leave()
	data, err := p.owner.qc.ReceiveDatagram(p.waiting(ctx))
	if err != nil {
		return nil, p.verdict(ctx, err)
	}
	return data, nil
}

// waiting returns a context that ends with ctx or with p. It is kept for calls
// with the same ctx.
func (p *Packets) waiting(ctx context.Context) context.Context {
	done := ctx.Done()
	if done == nil {
		return p.life
	}
	if done == p.waited {
		return p.both
	}
	if p.unwait != nil {
		p.unwait()
	}
	p.waited = done
	p.both, p.unwait = either(ctx, p.life)
	return p.both
}

// Send hands packet to QUIC, in memory of its own, and waits while 32 of them
// wait to be sent. Several goroutines may send, in turn. A canceled Send has
// sent nothing. A packet that is longer than what fits into one of the
// connection's own is a [*PacketSizeError]; where the peer does not take
// packets the error is errors.ErrUnsupported.
func (p *Packets) Send(ctx context.Context, packet []byte) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	if err := p.tx.Lock(ctx); err != nil {
		return stream.ContextError(ctx)
	}
	defer p.tx.Unlock()
	if err := p.check(len(packet)); err != nil {
		return p.verdict(ctx, err)
	}
	if !p.started {
		p.started = true
		go p.run() // ends with the connection, or with p when that takes packets
	}
	select {
	case p.queue <- append(p.buffer(), packet...):
		return nil
	case <-p.life.Done():
		return net.ErrClosed
	case <-p.owner.qc.Context().Done():
		return p.verdict(ctx, context.Cause(p.owner.qc.Context()))
	case <-ctx.Done():
		return stream.ContextError(ctx)
	}
}

// buffer returns an empty one.
func (p *Packets) buffer() []byte {
	select {
	case b := <-p.spare:
		return b[:0]
	default:
		return nil
	}
}

// tooLong is a packet that is longer than any that can be sent.
var tooLong [1 << 16]byte

// check wants the connection to be whole, and a packet of size bytes to be one
// that can be sent. What can be sent quic-go tells only when it refuses, which it
// does at once.
func (p *Packets) check(size int) error {
	if err := p.owner.ended(); err != nil {
		return err
	}
	if size <= p.max && p.max > 0 {
		return nil
	}
	err := p.owner.qc.SendDatagram(tooLong[:])
	e, ok := errors.AsType[*quicgo.DatagramTooLargeError](err)
	if !ok {
		return errors.ErrUnsupported
	}
	p.max = int(e.MaxDatagramPayloadSize)
	if size > p.max {
		return &PacketSizeError{Size: size, Max: p.max}
	}
	return nil
}

// run takes packets to quic-go, which may keep it waiting until there is room,
// and cannot be canceled.
func (p *Packets) run() {
	for {
		select {
		case packet := <-p.queue:
			_ = p.owner.qc.SendDatagram(packet) // or it is lost, as packets may be
			select {
			case p.spare <- packet:
			default:
			}
		case <-p.life.Done():
			return
		case <-p.owner.qc.Context().Done():
			return
		}
	}
}

// Attributes are those of the connection.
func (p *Packets) Attributes() *attr.Set { return p.owner.Attributes() }

// Close ends sending and receiving packets. The connection goes on.
func (p *Packets) Close() error {
	p.end()
	return nil
}

// enter answers for calls that cannot be served.
func (p *Packets) enter(ctx context.Context) error {
	if p.life.Err() != nil {
		return closedError(ctx)
	}
	return p.owner.enter(ctx)
}

// verdict is the error of a call that ended with err.
func (p *Packets) verdict(ctx context.Context, err error) error {
	if p.life.Err() != nil {
		return net.ErrClosed
	}
	if _, ok := err.(*PacketSizeError); ok || err == errors.ErrUnsupported {
		return err
	}
	return p.owner.verdict(ctx, err)
}
