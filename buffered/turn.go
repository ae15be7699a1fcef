package buffered

import (
	"sync/atomic"

	"github.com/strata-go/strata/stream"
)

// A turn lets one receiving call in at a time, and tells everybody how many
// bytes are buffered. It is a structured.Guard and a counter in one word:
// leaving publishes the count, which as an operation of its own would be a
// third of the cost of receiving a short line.
type turn struct {
	word atomic.Uint64 // the count, and above it the busy bit
}

const busyBit = 1 << 63

func (t *turn) enter() error {
	word := t.word.Load()
	if word&busyBit != 0 || !t.word.CompareAndSwap(word, word|busyBit) {
		return stream.ErrBusy
	}
	return nil
}

// update publishes the count during a call.
func (t *turn) update(count int) { t.word.Store(busyBit | uint64(count)) }

func (t *turn) leave(count int) { t.word.Store(uint64(count)) }

func (t *turn) count() int { return int(t.word.Load() &^ busyBit) }
