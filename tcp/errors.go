package tcp

import (
	"context"
	"errors"
	"strings"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/stream"
)

// A DialError reports that no connection could be made. It unwraps to every
// error in Errs.
type DialError struct {
	Addr string // as given to Dial

	// Errs has a *net.OpError for each address that was tried, in the order in
	// which they were; before them why a lookup failed, if that left
	// addresses unknown, or why there were none to try; and last, after a
	// cancellation, the context's.
	Errs []error

	// Race tells more about the addresses of a name. Nil if there was nothing
	// to race.
	Race *happyeyeballs.Report
}

// dialError makes a DialError of why a call failed.
func dialError(ctx context.Context, addr string, err error) *DialError {
	e := &DialError{Addr: addr}
	if race, ok := errors.AsType[*happyeyeballs.Error](err); ok {
		for _, err := range race.Errs {
			e.Errs = append(e.Errs, withoutCandidate(err))
		}
	} else {
		e.Errs = []error{err}
	}
	if canceled := stream.ContextError(ctx); canceled != nil {
		e.Errs = append(e.Errs, canceled)
	}
	return e
}

// withoutCandidate returns why an attempt failed, since that names the address
// too.
func withoutCandidate(err error) error {
	if a, ok := errors.AsType[*happyeyeballs.AttemptError](err); ok {
		return a.Err
	}
	return err
}

func (e *DialError) Error() string {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		// An attempt's error says "dial tcp" as well, and its address.
		texts[i] = strings.TrimPrefix(err.Error(), "dial tcp ")
		texts[i] = strings.TrimPrefix(texts[i], e.Addr+": ")
	}
	prefix := "tcp: dial "
	if e.Addr != "" {
		prefix += e.Addr + ": "
	}
	return prefix + strings.Join(texts, "; ")
}

// Unwrap returns Errs.
func (e *DialError) Unwrap() []error { return e.Errs }
