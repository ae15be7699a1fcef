package proxyproto

import (
	"context"
	"errors"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
)

// A Listener accepts streams whose header was received. Several goroutines
// may accept at once. Its attributes are those of the listener below.
type Listener struct {
	prepared stream.Listener[*buffered.Stream]
}

var _ stream.Listener[*buffered.Stream] = (*Listener)(nil)

// NewListener returns a listener that does [WrapServer] with each stream that
// ln accepts. Headers are waited for beside each other and beside Accept, so
// that a silent proxy holds up nobody, from the first Accept on. It takes over
// ln, and panics when ln is nil.
func NewListener[S stream.ByteStream](ln stream.Listener[S], cfg *Config) *Listener {
	if ln == nil {
		panic("proxyproto: NewListener: nil ln")
	}
	own := cfg.copy()
	wrap := func(ctx context.Context, s S) (*buffered.Stream, error) {
		listener.WaitsForPeer(ctx, true)
		return WrapServer(ctx, s, &own)
	}
	return &Listener{listener.Prepare(ln, wrap, &listener.PrepareConfig[S]{
		Timeout:  own.HeaderTimeout,
		InFlight: own.InFlight,
		OnError: func(s S, err error) {
			_, silent := errors.AsType[silentError](err)
			if own.OnError != nil && !silent {
				own.OnError(s, err)
			}
		},
	})}
}

// Accept waits for the next stream whose header was received. A canceled
// Accept has taken none. What is wrong with a header is told to
// Config.OnError, not here.
func (l *Listener) Accept(ctx context.Context) (*buffered.Stream, error) {
	return l.prepared.Accept(ctx)
}

// Attributes returns those of the listener below.
func (l *Listener) Attributes() *attr.Set { return l.prepared.Attributes() }

// Close closes the listener below, and the streams that wait for their header
// or that nobody accepted.
func (l *Listener) Close() error { return l.prepared.Close() }
