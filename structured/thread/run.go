package thread

import (
	"context"
	"errors"

	"github.com/strata-go/strata/structured"
)

// DefaultLimit is how many tokens [Default] has at first.
const DefaultLimit = 40

var defaultLimiter = structured.NewCapacityLimiter(DefaultLimit)

// Default returns the limiter that calls without one of their own share. It
// starts with [DefaultLimit] tokens; its SetTotal changes that for the whole
// program.
func Default() *structured.CapacityLimiter { return defaultLimiter }

// Run waits for a token of limiter, nil meaning [Default], calls f and
// returns what f returned. It calls f on its own goroutine and waits for it
// also when ctx is done in the meantime; f may look at ctx itself. A Run that
// is canceled before it has a token returns the cancellation, and has not
// called f.
func Run[T any](ctx context.Context, limiter *structured.CapacityLimiter, f func(ctx context.Context) (T, error)) (T, error) {
	limiter = orDefault("Run", ctx, limiter, f == nil)
	if err := limiter.Acquire(ctx); err != nil {
		var zero T
		return zero, err
	}
	defer limiter.Release()
	return f(ctx)
}

// Abandon is [Run] for a caller that cannot wait: when ctx is done, Abandon
// returns its cancellation, while f runs on, in a goroutine that nobody waits
// for. What f returns then is dropped, and the token is held until f ends, so
// that the number of calls that run stays bounded. A panic in f ends the
// program.
//
// If f has ended at the moment that ctx is done, Abandon returns what f
// returned.
func Abandon[T any](ctx context.Context, limiter *structured.CapacityLimiter, f func(ctx context.Context) (T, error)) (T, error) {
	limiter = orDefault("Abandon", ctx, limiter, f == nil)
	var zero T
	if err := limiter.Acquire(ctx); err != nil {
		return zero, err
	}
	ended := make(chan outcome[T], 1)
	go func() { // ends with f; nobody waits for it, as Abandon says
		o := outcome[T]{err: errGoexit}
		defer func() {
			crashOnPanic(recover())
			limiter.Release()
			ended <- o
		}()
		o.value, o.err = f(ctx)
	}()
	return await(ctx, ended)
}

// crashOnPanic goes on with a panic before anybody is told that the function
// has ended, so that the program does not go on while it dies.
func crashOnPanic(v any) {
	if v != nil {
		panic(v)
	}
}

type outcome[T any] struct {
	value T
	err   error
}

var errGoexit = errors.New("thread: the function ended by runtime.Goexit")

// await prefers an outcome to the cancellation.
func await[T any](ctx context.Context, ended <-chan outcome[T]) (T, error) {
	select {
	case o := <-ended:
		return o.value, o.err
	case <-ctx.Done():
	}
	select {
	case o := <-ended:
		return o.value, o.err
	default:
		var zero T
		return zero, canceled(ctx)
	}
}

func orDefault(caller string, ctx context.Context, limiter *structured.CapacityLimiter, noFunc bool) *structured.CapacityLimiter {
	if ctx == nil {
		panic("thread: " + caller + ": nil ctx")
	}
	if noFunc {
		panic("thread: " + caller + ": nil function")
	}
	if limiter == nil {
		return defaultLimiter
	}
	return limiter
}

// canceled returns the error of a context that is done: both its cause and
// its Err. An event that never happens waits for nothing else.
func canceled(ctx context.Context) error { return new(structured.Event).Wait(ctx) }
