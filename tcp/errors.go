package tcp

import (
	"context"
	"strings"

	"github.com/strata-go/strata/stream"
)

// A DialError reports that no connection could be made. It unwraps to every
// error in Errs: those of the addresses, in the order in which they were
// tried, or why there was none to try; after a cancellation the last is the
// context's.
type DialError struct {
	Addr string // as given to Dial
	Errs []error
}

func dialError(ctx context.Context, addr string, errs []error) *DialError {
	if canceled := stream.ContextError(ctx); canceled != nil {
		errs[len(errs)-1] = canceled // what it interrupted says less
	}
	return &DialError{Addr: addr, Errs: errs}
}

func (e *DialError) Error() string {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		texts[i] = err.Error()
	}
	return "tcp: dial " + e.Addr + ": " + strings.Join(texts, "; ")
}

// Unwrap returns Errs.
func (e *DialError) Unwrap() []error { return e.Errs }
