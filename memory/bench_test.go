package memory_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/strata-go/strata/memory"
)

// Each benchmark moves items, or bytes, through a stream of ours and through
// its rival with the same buffer: a channel, used in a select with ctx.Done(),
// or a net.Pipe. What happens on two cores depends on who sleeps when, so
// compare the medians of several interleaved runs: -count=10.

// traffic is who sends and receives.
type traffic struct {
	name   string
	size   int
	pairs  int // of a sender and a receiver
	cancel bool
}

func BenchmarkObjects(b *testing.B) {
	for _, tr := range []traffic{
		{"unbuffered/1x1/background", 0, 1, false},
		{"unbuffered/1x1/cancelable", 0, 1, true},
		{"unbuffered/4x4/background", 0, 4, false},
		{"unbuffered/4x4/cancelable", 0, 4, true},
		{"buffered/1x1/background", 64, 1, false},
		{"buffered/1x1/cancelable", 64, 1, true},
		{"buffered/4x4/background", 64, 4, false},
		{"buffered/4x4/cancelable", 64, 4, true},
	} {
		ctx := context.Background()
		if tr.cancel {
			ctx = b.Context()
		}
		b.Run(tr.name+"/memory", func(b *testing.B) {
			s, r := memory.New[int](tr.size)
			tr.run(b,
				func(i int) error { return s.Send(ctx, i) },
				func() error { _, err := r.Receive(ctx); return err })
		})
		b.Run(tr.name+"/channel", func(b *testing.B) {
			c := make(chan int, tr.size)
			tr.run(b,
				func(i int) error {
					select {
					case c <- i:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				},
				func() error {
					select {
					case <-c:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
		})
	}
}

// run moves b.N items.
func (tr traffic) run(b *testing.B, send func(int) error, receive func() error) {
	b.Helper()
	b.ReportAllocs()
	var wg sync.WaitGroup
	for i := range tr.pairs {
		share := b.N*(i+1)/tr.pairs - b.N*i/tr.pairs
		wg.Go(func() {
			for item := range share {
				if err := send(item); err != nil {
					b.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range share {
				if err := receive(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// pingPong sends p and waits until as much came back.
func pingPong(b *testing.B, size int, send, receive func([]byte) (int, error)) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(size))
	p := make([]byte, size)
	for b.Loop() {
		if _, err := send(p); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < size; {
			n, err := receive(p)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
}

func BenchmarkPipe(b *testing.B) {
	for _, tt := range []struct {
		name string
		size int
	}{{"64B", 64}, {"64KiB", 64 << 10}} {
		for _, form := range []struct {
			name string
			cfg  *memory.Config
		}{{"buffered", nil}, {"lockstep", lockstep}} {
			b.Run(tt.name+"/"+form.name, func(b *testing.B) {
				ctx := b.Context()
				client, server := memory.Pipe(form.cfg)
				var wg sync.WaitGroup
				wg.Go(func() { echo(ctx, server) })
				pingPong(b, tt.size,
					func(p []byte) (int, error) { return client.Send(ctx, p) },
					func(p []byte) (int, error) { return client.Receive(ctx, p) })
				_ = client.Close()
				wg.Wait()
			})
		}
		b.Run(tt.name+"/net.Pipe", func(b *testing.B) {
			client, server := net.Pipe()
			var wg sync.WaitGroup
			wg.Go(func() {
				buf := make([]byte, 64<<10)
				for {
					n, err := server.Read(buf)
					if err != nil {
						return
					}
					_, _ = server.Write(buf[:n])
				}
			})
			pingPong(b, tt.size, client.Write, client.Read)
			_ = client.Close()
			wg.Wait()
		})
	}
}
