package quic

import (
	"context"
	"sync/atomic"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/internal/tlsattr"
)

// An arrival is a connection on its way to Accept. The context of the
// connection has it.
type arrival struct {
	hello atomic.Pointer[tlsattr.Hello]

	// accepted tells that Accept has the connection, and returns false if it
	// has ended before, of which OnError is told then. It is nil without one.
	accepted func() bool
}

type arrivalKey struct{}

// arriving is what quic-go calls first for a connection that it makes for a
// client.
func (t *Transport) arriving(ctx context.Context, client *quicgo.ClientInfo) (context.Context, error) {
	a := new(arrival)
	if ln := t.listening(); ln != nil && ln.onError != nil {
		addr := addrPort(client.RemoteAddr)
		a.accepted = context.AfterFunc(ctx, func() { ln.lost(addr, context.Cause(ctx)) })
	}
	return context.WithValue(ctx, arrivalKey{}, a), nil
}

// arrivalOf returns the arrival of a connection by its context, and nil of one
// that was dialed.
func arrivalOf(ctx context.Context) *arrival {
	a, _ := ctx.Value(arrivalKey{}).(*arrival)
	return a
}

// hear notes what the client has said.
func hear(ctx context.Context, h *tlsattr.Hello) { arrivalOf(ctx).hello.Store(h) }
