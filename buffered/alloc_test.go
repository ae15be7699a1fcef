package buffered_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/race"
)

func TestReceivingAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes sync.Pool drop buffers")
	}
	r := buffered.NewReceiver(lines(1<<20), nil)
	ctx, delim, p := t.Context(), []byte("\n"), make([]byte, 64)
	for name, f := range map[string]func(){
		"Receive":        func() { r.Receive(ctx, p) },
		"ReceiveExactly": func() { r.ReceiveExactly(ctx, p) },
		"ReceiveUntil":   func() { r.ReceiveUntil(ctx, delim, 0) },
		"Peek":           func() { r.Peek(ctx, 64) },
		"Buffered":       func() { r.Buffered() },
	} {
		assert.Zero(t, testing.AllocsPerRun(1000, f), name)
	}
}
