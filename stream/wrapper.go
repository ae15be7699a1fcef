package stream

import (
	"context"
	"errors"
)

// A Wrapper is what to embed in a wrapper of one's own, instead of the stream
// itself:
//
//	type counting struct {
//		stream.Wrapper
//		received int64
//	}
//
// It forwards Shutdown, Abort and WaitReceive, which an embedded interface
// would lose. It forwards neither SendBuffers nor TrySend, which would go past
// an overridden Send. Embedding a concrete stream such as *tcp.Conn promotes
// every method it has, also those that go past the wrapper.
//
// What is forwarded goes past the wrapper too. One that holds received bytes
// overrides WaitReceive, and one that holds bytes to send, or overrides
// SendEOF, overrides Shutdown.
type Wrapper struct {
	ByteStream
}

// Shutdown is the wrapped stream's, and errors.ErrUnsupported without effect
// where that has none. Call the function [Shutdown], which then does it.
func (w Wrapper) Shutdown(ctx context.Context) error {
	if s, ok := w.ByteStream.(Shutdowner); ok {
		return s.Shutdown(ctx)
	}
	return errors.ErrUnsupported
}

// Abort is the wrapped stream's, and errors.ErrUnsupported without effect where
// that has none. Call the function [Abort], which then closes.
func (w Wrapper) Abort(cause error) error {
	if s, ok := w.ByteStream.(Aborter); ok {
		return s.Abort(cause)
	}
	return errors.ErrUnsupported
}

// WaitReceive is the wrapped stream's, see [WaitReceive].
func (w Wrapper) WaitReceive(ctx context.Context) error {
	return WaitReceive(ctx, w.ByteStream)
}
