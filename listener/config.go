package listener

import (
	"context"
	"log/slog"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// DefaultGrace is how long [Serve] lets handlers finish after it stopped.
const DefaultGrace = 5 * time.Second

// Config says how [Serve] goes about it. A nil Config and the zero Config
// mean all defaults. Serve copies it.
type Config[S stream.Resource] struct {
	// Limit is how many streams are handled at once. At the limit Serve
	// stops accepting, so that further ones wait in the listener's backlog.
	// Zero and negative mean no limit.
	Limit int

	// Grace is how long handlers may take to finish once the context of
	// Serve is done. What still runs then is canceled. Zero means
	// DefaultGrace, 5 s; negative cancels at once, and leaves alone what
	// waits in the backlog or was accepted ahead.
	Grace time.Duration

	// Ready, if not nil, is called once, when Serve is about to accept for
	// the first time.
	Ready func()

	// CapturePanics makes an error of a handler's panic, a
	// *structured.PanicError with its value and stack, so that the other
	// streams live on. By default a panic ends the program: it leaves locked
	// what the handler had locked, and others may wait for that forever.
	CapturePanics bool

	// OnError is told the error that a handler returned, joined with that of
	// closing its stream. The stream is closed by then, but its fixed
	// attributes still answer. Handlers run at the same time, and so may
	// OnError. Nil logs to Logger.
	OnError func(ctx context.Context, s S, err error)

	// Logger is told about errors of handlers, and once per episode that
	// accepting has to be tried again, for want of descriptors or memory as a
	// rule. Nil means slog.Default().
	Logger *slog.Logger
}

func (c *Config[S]) withDefaults() Config[S] {
	var full Config[S]
	if c != nil {
		full = *c
	}
	if full.Grace == 0 {
		full.Grace = DefaultGrace
	}
	if full.Logger == nil {
		full.Logger = slog.Default()
	}
	if full.OnError == nil {
		logger := full.Logger
		full.OnError = func(ctx context.Context, s S, err error) {
			logger.ErrorContext(ctx, "handler failed", "error", err, "stream", attr.LogValue(s))
		}
	}
	return full
}
