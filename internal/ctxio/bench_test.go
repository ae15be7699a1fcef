package ctxio_test

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// Each benchmark runs the engine and the bare net.Conn in turns and reports
// the median ratio of their times, "x-bare", beside both in nanoseconds.
// Results on a busy machine, and of round trips on more than one processor, are
// noise: use -cpu 1 and taskset.

// compare times rounds of perRound calls of both sides until the benchmark is
// over. The time of before, ahead of each side's turn, does not count.
func compare(b *testing.B, before, ours, bare func()) {
	b.Helper()
	b.ReportAllocs()
	var ratios, oursNs, bareNs []float64
	for i := 0; b.Loop(); i++ {
		side := func(f func()) float64 {
			before()
			return float64(timed(f)) / perRound
		}
		var o, n float64
		if i%2 == 0 { // whoever comes second finds the caches warm
			o, n = side(ours), side(bare)
		} else {
			n, o = side(bare), side(ours)
		}
		ratios, oursNs, bareNs = append(ratios, o/n), append(oursNs, o), append(bareNs, n)
	}
	b.ReportMetric(median(ratios), "x-bare")
	b.ReportMetric(median(oursNs), "ours-ns")
	b.ReportMetric(median(bareNs), "bare-ns")
	b.ReportMetric(0, "ns/op")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// contexts are what a call can be given: fresh makes one for a call, and
// ends it.
var contexts = []struct {
	name  string
	fresh func(parent context.Context) (context.Context, context.CancelFunc)
}{
	{"Background", func(context.Context) (context.Context, context.CancelFunc) {
		return background, func() {}
	}},
	{"one", func(parent context.Context) (context.Context, context.CancelFunc) {
		return parent, func() {}
	}},
	{"new", context.WithCancel},
}

const (
	messageSize = 64
	perRound    = 500
)

// BenchmarkReadyReceive receives bytes that are there already.
func BenchmarkReadyReceive(b *testing.B) {
	for _, c := range contexts {
		b.Run(c.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			peer, conn := tcpPair(b)
			s, buf := wrap(b, conn), make([]byte, messageSize)
			fill := make([]byte, perRound*messageSize)
			refill := func() {
				if _, err := peer.Write(fill); err != nil {
					b.Fatal(err)
				}
			}
			round := func(read func(context.Context) (int, error)) func() {
				return func() {
					for range perRound {
						cctx, stop := c.fresh(ctx)
						if n, err := read(cctx); n < messageSize || err != nil {
							b.Fatal(n, err)
						}
						stop()
					}
				}
			}
			ours := round(func(ctx context.Context) (int, error) { return s.Receive(ctx, buf) })
			bare := round(func(context.Context) (int, error) { return conn.Read(buf) })
			compare(b, refill, ours, bare)
		})
	}
}

// BenchmarkPingPong sends a message and waits for its echo.
func BenchmarkPingPong(b *testing.B) {
	for _, kind := range kinds {
		for _, c := range contexts {
			b.Run(kind.name+"/"+c.name, func(b *testing.B) {
				ctx, cancel := context.WithCancel(b.Context())
				defer cancel()
				conn, peer := kind.pair(b)
				echo(b, peer)
				s, buf := wrap(b, conn), make([]byte, messageSize)
				ours := func() {
					for range perRound {
						cctx, stop := c.fresh(ctx)
						roundTrip(cctx, b, s, buf)
						stop()
					}
				}
				bare := func() {
					for range perRound {
						_, stop := c.fresh(ctx)
						bareRoundTrip(b, conn, buf)
						stop()
					}
				}
				compare(b, func() {}, ours, bare)
			})
		}
	}
}

func bareRoundTrip(b *testing.B, conn net.Conn, buf []byte) {
	b.Helper()
	if _, err := conn.Write(buf); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(conn, buf); err != nil {
		b.Fatal(err)
	}
}
