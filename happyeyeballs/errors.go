package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Error reports a race that nobody won.
type Error struct {
	Host string

	// Errs has an [*AttemptError] for each address that was tried, in the
	// order in which they were; before them why a lookup failed, if the host
	// may have addresses that could not be learned. It is empty only after a
	// cancellation.
	Errs []error

	// Canceled is the cause and the error of the context if that ended the
	// race, and nil if not.
	Canceled error
}

func (e *Error) Error() string {
	var texts []string
	for _, err := range e.Unwrap() {
		texts = append(texts, err.Error())
	}
	return "happyeyeballs: " + e.Host + ": " + strings.Join(texts, "; ")
}

// Unwrap returns Errs, and Canceled if it is set.
func (e *Error) Unwrap() []error {
	if e.Canceled == nil {
		return e.Errs
	}
	return append(slices.Clone(e.Errs), e.Canceled)
}

// An AttemptError is why an address could not be connected to.
type AttemptError struct {
	Candidate Candidate
	Err       error
}

func (e *AttemptError) Error() string { return e.Candidate.Addr.String() + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *AttemptError) Unwrap() error { return e.Err }

var (
	errExited         = errors.New("the goroutine of the attempt exited")
	errResolverExited = errors.New("the goroutine of the resolver exited")
	errAttemptTimeout = fmt.Errorf("attempt timed out: %w", context.DeadlineExceeded)
)

// contextError returns an error that is both the cause of ctx and its error.
func contextError(ctx context.Context) error {
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(cause, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}

// failure returns the error of a race that nobody won.
func failure(ctx context.Context, r *Report) *Error {
	e := &Error{Host: r.Host, Errs: lookupErrors(r)}
	for _, a := range r.Attempts {
		if a.Err != nil {
			e.Errs = append(e.Errs, &AttemptError{Candidate: a.Candidate, Err: a.Err})
		}
	}
	if ctx.Err() != nil {
		e.Canceled = contextError(ctx)
	} else if len(e.Errs) == 0 {
		e.Errs = []error{noAddress(r)}
	}
	return e
}

// lookupErrors returns why addresses could not be learned. That there are none
// in one family is no error, and what a family said at last counts.
func lookupErrors(r *Report) []error {
	var errs []error
	for _, f := range []Family{IPv6, IPv4} {
		if err := lastAnswer(r, f).Err; err != nil && !isNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errs
}

// noAddress is the error of a host without addresses.
func noAddress(r *Report) error {
	for _, f := range []Family{IPv6, IPv4} {
		if err := lastAnswer(r, f).Err; err != nil {
			return err
		}
	}
	return notFound(r.Host)
}

func lastAnswer(r *Report, f Family) Answer {
	var last Answer
	for _, l := range r.Answers {
		if l.Family == f {
			last = l.Answer
		}
	}
	return last
}
