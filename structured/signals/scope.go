package signals

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"

	"github.com/strata-go/strata/structured"
)

// Config says how [Scope] goes about it. A nil Config and the zero Config mean
// all defaults. Scope copies it.
type Config struct {
	// Signals are the kinds that cancel. Nil means SIGINT and SIGTERM.
	Signals []os.Signal

	// Again is called with each signal of these kinds after the first, one
	// call at a time. Nil means that the signals have their usual effect
	// again as soon as the first has come, so that a second Ctrl-C ends a
	// program whose shutdown takes too long.
	Again func(os.Signal)
}

func (c *Config) withDefaults() Config {
	var full Config
	if c != nil {
		full = Config{Signals: slices.Clone(c.Signals), Again: c.Again}
	}
	if full.Signals == nil {
		full.Signals = []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return full
}

// An Error is the cause with which [Scope] cancels.
type Error struct {
	Signal os.Signal
}

func (e *Error) Error() string { return "received signal: " + e.Signal.String() }

// Scope runs f under a context that the first signal cancels, with an
// [*Error] that carries the signal as its cause. It returns what f returns,
// once that has: so the error tells of the signal if f's own does, as that of
// a canceled stream does, and is nil if f took the signal as a request to end
// and did. When Scope returns, signals have their effect of before.
//
//	err := signals.Scope(ctx, run, nil)
//	if sig, ok := errors.AsType[*signals.Error](err); ok {
//		log.Printf("stopped by %v", sig.Signal)
//	}
//
// A panic of f passes through, once signals have their effect of before. Scope
// panics when ctx or f is nil, or Config.Signals is one that [Open] would
// refuse.
func Scope(ctx context.Context, f func(ctx context.Context) error, cfg *Config) error {
	if ctx == nil {
		panic("signals: Scope: nil ctx")
	}
	if f == nil {
		panic("signals: Scope: nil f")
	}
	c := cfg.withDefaults()
	r := Open(c.Signals...)
	defer r.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var err error
	groupErr := structured.Run(context.WithoutCancel(ctx), func(watching context.Context, g *structured.Group) error {
		watching, stop := context.WithCancel(watching)
		defer stop()
		g.Go("signals", func(context.Context) error {
			c.watch(watching, r, cancel)
			return nil
		})
		err = f(ctx)
		return nil
	})
	if groupErr != nil { // f called runtime.Goexit
		return errors.Join(err, groupErr)
	}
	return err
}

// watch ends when ctx or r does.
func (c *Config) watch(ctx context.Context, r *Receiver, cancel context.CancelCauseFunc) {
	sig, err := r.Receive(ctx)
	if err != nil {
		return
	}
	if c.Again == nil {
		r.Close() // before anybody hears of the first signal
	}
	cancel(&Error{Signal: sig})
	for {
		sig, err := r.Receive(ctx)
		if err != nil {
			return
		}
		c.Again(sig)
	}
}
