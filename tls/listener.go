package tls

import (
	"context"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
)

// A Listener accepts sessions: streams with the handshake done. Several
// goroutines may accept at once. Its attributes are those of the listener
// below.
type Listener struct {
	prepared stream.Listener[*Conn]
}

var _ stream.Listener[*Conn] = (*Listener)(nil)

// NewListener returns a listener that does the handshake of a server with
// each stream that ln accepts. Handshakes run beside each other and beside
// Accept, so that a silent client holds up nobody: see
// Options.HandshakeTimeout, Options.InFlight and Options.OnError. They begin
// with the first Accept.
//
// It takes over ln. cfg must have a certificate or a way to get one, and must
// not be modified any more; for a configuration of each client's own, or new
// certificates, use its callbacks. The ClientHelloInfo.Conn that those get is
// an attr.Provider with the attributes of the transport. NewListener panics
// when ln or cfg is nil.
func NewListener[S stream.ByteStream](ln stream.Listener[S], cfg *Config, opt *Options) *Listener {
	if ln == nil {
		panic("tls: NewListener: nil ln")
	}
	if cfg == nil {
		panic("tls: NewListener: nil cfg")
	}
	own := opt.copy()
	handshake := func(ctx context.Context, s S) (*Conn, error) {
		return WrapServer(ctx, s, cfg, &own)
	}
	prepare := &listener.PrepareConfig[S]{Timeout: own.HandshakeTimeout, InFlight: own.InFlight}
	if own.OnError != nil {
		prepare.OnError = func(s S, err error) { own.OnError(s, err) }
	}
	return &Listener{listener.Prepare(ln, handshake, prepare)}
}

// Accept waits for the next session. A canceled Accept has taken none.
// Handshakes that fail are told to Options.OnError, not here.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) { return l.prepared.Accept(ctx) }

// Attributes returns those of the listener below.
func (l *Listener) Attributes() *attr.Set { return l.prepared.Attributes() }

// Close closes the listener below, and the streams whose handshake is under
// way or that nobody accepted.
func (l *Listener) Close() error { return l.prepared.Close() }
