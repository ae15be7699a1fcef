package proxyproto

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
)

// WrapServer receives the header that s begins with and returns s with what
// it says as attributes. Bytes that came behind the header are received from
// the returned stream first; whoever speaks TLS next hands it to
// tls.WrapServer as it is.
//
// It takes over s: Close closes it, and so does a failure, which is an
// [*UntrustedError], a [*HeaderError], io.EOF when s ended before its first
// byte, io.ErrUnexpectedEOF when it ended in the header, or what Receive
// returned.
func WrapServer(ctx context.Context, s stream.ByteStream, cfg *Config) (*buffered.Stream, error) {
	if s == nil {
		return nil, errors.New("proxyproto: WrapServer: nil stream")
	}
	if err := stream.ContextError(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("proxyproto: %w", err), s.Close())
	}
	own := cfg.copy()
	if !own.Trust(s) {
		return own.passThrough(s)
	}
	l := newLayer(s)
	b := buffered.New(l, nil)
	if err := l.receiveHeader(ctx, b); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// passThrough does with s what the policy says.
func (c *Config) passThrough(s stream.ByteStream) (*buffered.Stream, error) {
	if c.Untrusted == PassThrough {
		return buffered.New(s, nil), nil
	}
	addr, _ := sockattr.RemoteAddr.Lookup(s)
	return nil, errors.Join(&UntrustedError{Addr: addr}, s.Close())
}

// A layer has the facts of a header over a stream. It lies below the buffer
// into which the header is received, so that it stays when that is detached.
type layer struct {
	stream.Wrapper
	facts  attr.Set
	header *Header
	tls    *ClientTLS
}

func newLayer(s stream.ByteStream) *layer {
	l := &layer{Wrapper: stream.Wrapper{ByteStream: s}, header: new(Header)}
	facts.Init(&l.facts, l, s)
	return l
}

func (l *layer) Attributes() *attr.Set { return &l.facts }

// SendBuffers is that of the stream below. It and TrySend may be forwarded
// here since Send is not overridden.
func (l *layer) SendBuffers(ctx context.Context, bufs [][]byte) (int64, error) {
	return stream.SendBuffers(ctx, l.ByteStream, bufs)
}

// TrySend is that of the stream below.
func (l *layer) TrySend(p []byte) (int, error) { return stream.TrySend(l.ByteStream, p) }

// receiveHeader takes the header from b, which nobody else has yet.
func (l *layer) receiveHeader(ctx context.Context, b *buffered.Stream) error {
	for need := 1; ; {
		if _, err := b.Peek(ctx, need); err != nil {
			return notReceived(err, b.Buffered())
		}
		p, err := b.Peek(ctx, b.Buffered())
		if err != nil {
			return fmt.Errorf("proxyproto: %w", err)
		}
		h, n, err := parse(p)
		if err != nil {
			return err
		}
		if h != nil {
			l.take(h)
			return b.Discard(n)
		}
		need = n
	}
}

func (l *layer) take(h *Header) {
	l.header = h
	if v, ok := h.Value(TypeTLS); ok {
		l.tls, _ = parseTLS(v) // which parse has checked
	}
}

// A silentError reports a connection that ended before its first byte.
type silentError struct{ error }

func (e silentError) Unwrap() error { return e.error }

// notReceived is err where got bytes of a header came.
func notReceived(err error, got int) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, stream.ErrBroken)
	err = fmt.Errorf("proxyproto: %w", err)
	if got == 0 && ended {
		return silentError{err}
	}
	return err
}
