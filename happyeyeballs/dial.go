package happyeyeballs

import (
	"context"
	"io"
)

// Dial connects to a host by racing attempts to its addresses, and returns the
// first connection that attempt makes. The host is a name or an IP address,
// which is not looked up.
//
// An attempt runs in a goroutine of its own, and up to all of them at once. It
// should return soon after its context is done, and return nothing that needs
// closing together with an error. It may call progress, from any goroutine but
// only before it returns, to say that the candidate has answered and more is to
// be done: after the TCP handshake and before that of TLS, say. That puts off
// the next attempt by the attempt delay, once for each attempt.
//
// The report is never nil. The error is an [*Error]. The context bounds the
// call alone; Dial panics if attempt is nil.
func Dial[S io.Closer](
	ctx context.Context, host string, port uint16,
	attempt func(ctx context.Context, c Candidate, progress func()) (S, error), cfg *Config,
) (S, *Report, error) {
	if attempt == nil {
		panic("happyeyeballs: Dial: nil attempt")
	}
	c := cfg.withDefaults()
	r := newRace(host, c, newSchedule(c, host, port), attempt)
	if ctx.Err() == nil {
		r.run(ctx)
	}
	if !r.won {
		return r.winner, r.report, failure(ctx, r.report, r.schedule.mismatch())
	}
	return r.winner, r.report, nil
}
