package streamtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync/atomic"

	"github.com/strata-go/strata/stream"
)

// A storm is random calls, canceled at random instants, while the other end
// does the same, with every byte accounted for.

// stormPeriod is after how many bytes the bytes of a storm repeat.
const stormPeriod = 1 << 20

func stormChecks() []check {
	return []check{{name: "A storm of cancels loses nothing", body: oneWayStorm}}
}

func oneWayStorm(ctx context.Context, p *probe) {
	st := newStorm(p)
	sends := p.start("a storm of Sends", func() (int, error) {
		n, err := st.send(ctx)
		if err == nil {
			_, err = p.sendAll(ctx, nil, 1)
		}
		return n, err
	})
	receives := p.start("a storm of Receives", func() (int, error) { return st.receive(ctx) })
	p.wantCalm(ctx, sends, receives)
}

// wantCalm wants the two ends of a storm to agree.
func (p *probe) wantCalm(ctx context.Context, sends, receives *call) {
	received, err := p.wait(ctx, receives)
	if err != nil {
		p.fatalf("after %d bytes of a storm: %w", received, err)
	}
	sent, err := p.wait(ctx, sends)
	if err != nil {
		p.fatalf("after %d bytes of a storm: %w", sent, err)
	}
	if sent != received {
		p.fatalf("Send took %d bytes in all, and %d arrived", sent, received)
	}
}

// storm is one direction of one.
type storm struct {
	*probe
	total atomic.Int64  // of bytes that will have been sent, once known
	gaps  bool          // something else receives too
	moves chan struct{} // closed when the first bytes arrived
}

func newStorm(p *probe) *storm {
	st := &storm{probe: p, moves: make(chan struct{})}
	st.total.Store(-1)
	return st
}

// send sends pieces of the pattern, and last a byte without cancellation, so
// that a receiver can tell by the total that nothing more comes.
func (st *storm) send(ctx context.Context) (sent int, err error) {
	for range st.operations {
		piece := patternAt(sent, rand.IntN(st.randomSize()))
		cctx, stop := st.sendContext(ctx)
		n, err := st.s.Send(cctx, piece)
		stop()
		if n < 0 || n > len(piece) || err == nil && n < len(piece) || err != nil && n == len(piece) && n > 0 && !st.encodes {
			return sent, fmt.Errorf("Send of %d bytes returned %d, %v", len(piece), n, err)
		}
		sent += n
		if err != nil && !errors.Is(err, errCustom) {
			return sent, fmt.Errorf("Send: %w", err)
		}
	}
	st.total.Store(int64(sent) + 1)
	n, err := st.s.Send(ctx, patternAt(sent, 1))
	if err != nil {
		err = fmt.Errorf("Send: %w", err)
	}
	return sent + n, err
}

// receive receives until the end, or as much as will have been sent.
func (st *storm) receive(ctx context.Context) (received int, err error) {
	buf := make([]byte, 8192)
	for int64(received) != st.total.Load() || !st.noHalfClose {
		cctx, stop := someContext(ctx)
		if !st.noWaitReceive && rand.IntN(8) == 0 {
			err = stream.WaitReceive(cctx, st.r)
		}
		n := 0
		if err == nil || err == io.EOF {
			n, err = st.r.Receive(cctx, buf[:1+rand.IntN(st.randomSize())])
		}
		stop()
		if (n > 0) != (err == nil) {
			return received, fmt.Errorf("Receive returned %d, %v", n, err)
		}
		if received == 0 && n > 0 {
			close(st.moves)
		}
		for have := 0; have < n; {
			want := patternAt(received, n-have)
			if !st.gaps && !bytes.Equal(buf[have:have+len(want)], want) {
				return received, fmt.Errorf("byte %d or one soon after it is not what was sent", received)
			}
			have += len(want)
			received += len(want)
		}
		if err == io.EOF {
			return received, nil
		}
		if err != nil && !errors.Is(err, errCustom) {
			return received, fmt.Errorf("Receive: %w", err)
		}
		err = nil
	}
	return received, nil
}

// patternAt returns up to size bytes of those that a storm sends from
// position at on.
func patternAt(at, size int) []byte {
	at %= stormPeriod
	return pattern()[at:min(at+size, stormPeriod)]
}

// randomSize returns a size, seldom a large one.
func (st *storm) randomSize() int {
	if rand.IntN(8) == 0 {
		return len(st.large(8191))
	}
	return 64
}

// sendContext is someContext, unless that would break the stream.
func (st *storm) sendContext(ctx context.Context) (context.Context, func()) {
	if st.cancelBreaksSend {
		return ctx, func() {}
	}
	return someContext(ctx)
}

// someContext returns a context that is never canceled, or was before, or
// will be some turns of the scheduler from now. Its end comes with stop, at
// the latest.
func someContext(ctx context.Context) (_ context.Context, stop func()) {
	kind := rand.IntN(8)
	if kind < 3 {
		return ctx, func() {}
	}
	cctx, cancel := context.WithCancelCause(ctx)
	if kind == 3 {
		cancel(errCustom)
		return cctx, func() {}
	}
	turns := rand.IntN(20)
	go func() { // ends after its turns
		for range turns {
			runtime.Gosched()
		}
		cancel(errCustom)
	}()
	return cctx, func() { cancel(errCustom) }
}
