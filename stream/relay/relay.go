package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// DefaultHalfOpen is how long a relay with one direction left may be idle.
const DefaultHalfOpen = 2 * time.Minute

// Config says how [Run] goes about it. A nil Config and the zero Config mean
// all defaults. Run copies it.
type Config struct {
	// HalfOpen is how long the direction that is left may be idle once the
	// other has ended. After that the relay fails with an [*IdleError]. Zero
	// means DefaultHalfOpen, 2 minutes; negative means no limit.
	HalfOpen time.Duration
}

// Counts are the bytes that a relay has handed over. After a failure they are
// those that the streams took, of which some may not have been delivered.
type Counts struct {
	AToB int64
	BToA int64
}

// An IdleError reports that nothing came for too long over the one direction
// that was left.
type IdleError struct {
	HalfOpen time.Duration
}

func (e *IdleError) Error() string {
	return fmt.Sprintf("relay: half-open and idle for %v", e.HalfOpen)
}

// Timeout returns true.
func (e *IdleError) Timeout() bool { return true }

// Run sends to b what a receives and to a what b receives. When a direction
// ends it calls SendEOF on the other stream, and goes on with the direction
// that is left. It takes over both streams and closes them at the end.
//
// Run returns nil when both directions have ended. When a stream fails, when
// ctx is done, or when the relay was half-open and idle for too long, it
// aborts both streams (stream.Abort) so that neither peer takes that for a
// clean end, and returns why. A stream that breaks while bytes are sent to it
// may have said something before: a server that answers and hangs up, say, in
// the middle of a request that it does not want. That is passed on first.
//
// To a stream that cannot half-close, which is errors.ErrUnsupported, the end
// is told by closing it when the other direction ends too. Run panics when a or
// b is nil.
func Run(ctx context.Context, a, b stream.ByteStream, cfg *Config) (Counts, error) {
	if a == nil {
		panic("relay: Run: nil a")
	}
	if b == nil {
		panic("relay: Run: nil b")
	}
	r := &relay{idle: newIdle(cfg)}
	defer r.idle.stop()
	err := r.run(ctx, a, b)
	if err == nil {
		return r.counts, errors.Join(a.Close(), b.Close())
	}
	// What made one side fail is what the other is told.
	_ = stream.Abort(a, err)
	_ = stream.Abort(b, err)
	return r.counts, err
}

type relay struct {
	idle   *idle
	counts Counts
}

func (r *relay) run(ctx context.Context, a, b stream.ByteStream) error {
	err := structured.Run(ctx, func(_ context.Context, g *structured.Group) error {
		r.idle.expire = g.Cancel
		there, back := make(chan struct{}), make(chan struct{})
		g.Go("a to b", func(ctx context.Context) error { return r.copy(ctx, b, a, &r.counts.AToB, there, back) })
		g.Go("b to a", func(ctx context.Context) error { return r.copy(ctx, a, b, &r.counts.BToA, back, there) })
		return nil
	})
	if idle := r.idle.err(); idle != nil && err == nil {
		return idle
	}
	return err
}

// copy is one direction, with its end, which it tells by closing done. When it
// fails because dst is broken, it waits for the other direction, which
// receives what dst has left.
func (r *relay) copy(ctx context.Context, dst, src stream.ByteStream, count *int64, done chan<- struct{}, other <-chan struct{}) (err error) {
	to := &meter{ByteSender: dst, idle: r.idle}
	if *count, err = stream.Copy(ctx, to, src); err == nil {
		err = to.end(ctx, dst)
	}
	close(done)
	if err != nil && !errors.Is(to.err, stream.ErrBroken) {
		return err
	}
	r.idle.end()
	if err != nil {
		select {
		case <-other:
		case <-ctx.Done():
		}
	}
	return err
}

// A meter tells idle when bytes move.
type meter struct {
	stream.ByteSender
	idle *idle
	err  error // of sending
}

func (m *meter) Send(ctx context.Context, p []byte) (n int, err error) {
	m.idle.touch() // they came
	n, m.err = m.ByteSender.Send(ctx, p)
	m.idle.touch() // and went
	return n, m.err
}

func (m *meter) end(ctx context.Context, dst stream.ByteStream) error {
	if m.err = dst.SendEOF(ctx); errors.Is(m.err, errors.ErrUnsupported) {
		m.err = nil
	}
	return m.err
}
