package happyeyeballs

import (
	"cmp"
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

func (e *AttemptError) Error() string { return e.Candidate.String() + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *AttemptError) Unwrap() error { return e.Err }

// A ProtocolError reports a host whose service records have none of the
// protocols that were asked for, so that there was nothing to try.
type ProtocolError struct {
	Host    string
	Offered []string // by ALPN, sorted
}

func (e *ProtocolError) Error() string {
	return e.Host + " speaks none of our protocols, but " + strings.Join(e.Offered, ", ")
}

var (
	errExited         = errors.New("the goroutine of the attempt exited")
	errResolverExited = errors.New("the goroutine of the resolver exited")
	errNoRecords      = fmt.Errorf("the resolver does not look for service records: %w", errors.ErrUnsupported)
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

// failure returns the error of a race that nobody won, in which none is why
// nothing was tried, if that is known.
func failure(ctx context.Context, r *Report, none error) *Error {
	e := &Error{Host: r.Host, Errs: lookupErrors(r)}
	for _, a := range r.Attempts {
		if a.Err != nil {
			e.Errs = append(e.Errs, &AttemptError{Candidate: a.Candidate, Err: a.Err})
		}
	}
	if ctx.Err() != nil {
		e.Canceled = contextError(ctx)
	} else if len(e.Errs) == 0 {
		e.Errs = []error{cmp.Or(none, noAddress(r))}
	}
	return e
}

// lookupErrors returns why something could not be learned. That there is none
// is no error, and what was said at last counts.
func lookupErrors(r *Report) []error {
	var errs []error
	for _, a := range lastAnswers(r) {
		if a.Err != nil && !isNotFound(a.Err) {
			errs = append(errs, a.Err)
		}
	}
	return errs
}

// noAddress is the error of a host without addresses.
func noAddress(r *Report) error {
	for _, a := range lastAnswers(r) {
		if a.Err != nil {
			return a.Err
		}
	}
	return notFound(r.Host)
}

// lastAnswers returns the last answers of each kind about each name: first
// those about the first name, of which records come first.
func lastAnswers(r *Report) []Answer {
	var hosts []string
	for _, l := range r.Answers {
		if !slices.Contains(hosts, l.Host) {
			hosts = append(hosts, l.Host)
		}
	}
	var last []Answer
	for _, host := range hosts {
		for _, f := range kinds {
			for _, l := range slices.Backward(r.Answers) {
				if l.Host == host && l.Family == f {
					last = append(last, l.Answer)
					break
				}
			}
		}
	}
	return last
}
