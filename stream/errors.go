package stream

import (
	"errors"
	"fmt"

	"github.com/strata-go/strata/structured"
)

// The conditions for which the standard library has no error. See line 9 of
// the contract for those that it has.
var (
	// ErrBusy reports that another call is using this direction of the
	// stream. That call is unharmed. It is structured.ErrBusy.
	ErrBusy = structured.ErrBusy

	// ErrBroken is what every [*BrokenError] is.
	ErrBroken = errors.New("stream broken")

	// ErrWouldBlock reports that a call which does not wait could not do all
	// of its work now.
	ErrWouldBlock = errors.New("operation would block")

	// ErrEmptyBuffer reports a Receive with no room for even one byte.
	ErrEmptyBuffer = errors.New("empty receive buffer")
)

// A BrokenError reports that the connection has failed for a reason other
// than this side's own Close: the peer reset it, the network is gone, the
// bytes cannot be what they should be. Both directions then return the same
// BrokenError from every call. It is [ErrBroken] and unwraps to its cause.
type BrokenError struct {
	Cause error // such as syscall.ECONNRESET or io.ErrUnexpectedEOF; may be nil
}

// Broken returns the BrokenError for cause: the one that cause already wraps,
// so that a failure told through several layers stays the same error, or a
// new one.
func Broken(cause error) *BrokenError {
	if b, ok := errors.AsType[*BrokenError](cause); ok {
		return b
	}
	return &BrokenError{Cause: cause}
}

func (e *BrokenError) Error() string {
	if e.Cause == nil {
		return ErrBroken.Error()
	}
	return ErrBroken.Error() + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Cause }

// Is reports whether target is [ErrBroken].
func (e *BrokenError) Is(target error) bool { return target == ErrBroken }

// A PartialSendError reports that the Send of an object stream made of bytes
// was cut short when some of its item had gone out already, by a cancellation
// for example. The item counts as sent: what is left of it goes first with the
// next Send, Flush or SendEOF. Whoever sends the item again, sends it twice.
type PartialSendError struct {
	Left int   // bytes that have not gone out
	Err  error // what cut the Send short
}

func (e *PartialSendError) Error() string {
	return fmt.Sprintf("%d bytes of the item are not yet sent: %v", e.Left, e.Err)
}

// Unwrap returns what cut the Send short.
func (e *PartialSendError) Unwrap() error { return e.Err }
