package listener

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	firstBackoff = 5 * time.Millisecond
	lastBackoff  = time.Second
)

// backoff is how long to wait before accepting again.
type backoff struct {
	logger *slog.Logger
	delay  time.Duration // zero outside an episode
}

// wait reports whether to accept again after err, once it is time to.
func (b *backoff) wait(ctx context.Context, err error) bool {
	if isAny(err, diedInBacklog) {
		return true
	}
	if !isAny(err, passing) {
		return false
	}
	if b.delay == 0 {
		b.logger.ErrorContext(ctx, "accept failed, retrying", "error", err)
	}
	b.delay = min(max(2*b.delay, firstBackoff), lastBackoff)
	timer := time.NewTimer(b.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}

// reset ends the episode.
func (b *backoff) reset() { b.delay = 0 }

func isAny[E error](err error, targets []E) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
