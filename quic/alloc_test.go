package quic_test

import (
	"context"
	"testing"
	"time"

	quicgo "github.com/quic-go/quic-go"
	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// A void takes everything and returns zeros, without waiting.
type void struct{}

func (void) Read(p []byte) (int, error)        { return len(p), nil }
func (void) Peek(p []byte) (int, error)        { return len(p), nil }
func (void) Write(p []byte) (int, error)       { return len(p), nil }
func (void) TryWriteAll([]byte) error          { return nil }
func (void) Close() error                      { return nil }
func (void) CancelRead(quicgo.StreamErrorCode) {}

func (void) CancelWrite(quicgo.StreamErrorCode) {}
func (void) Context() context.Context           { return context.Background() }
func (void) SetReadDeadline(time.Time) error    { return nil }
func (void) SetWriteDeadline(time.Time) error   { return nil }

// What a stream allocates is quic-go's: nothing is added to it.
func TestCallsAddNoAllocations(t *testing.T) {
	cancelable, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, ctx := range map[string]context.Context{"background": context.Background(), "one context": cancelable} {
		for _, size := range []int{64, 64 << 10} {
			s := quic.StreamOver(void{}, void{})
			p := make([]byte, size)
			calls := map[string]func(){
				"Send":        func() { s.Send(ctx, p) },
				"Receive":     func() { s.Receive(ctx, p) },
				"WaitReceive": func() { s.WaitReceive(ctx) },
				"TrySend":     func() { stream.TrySend(s, p) },
			}
			for call, f := range calls {
				f() // an arming is kept from the second call on
				f()
				assert.Zero(t, testing.AllocsPerRun(100, f), "%s of %d bytes, %s", call, size, name)
			}
		}
	}
}
