package happyeyeballs_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/strata-go/strata/happyeyeballs"
)

// instant is a connection to anywhere.
type instant struct{}

func (instant) Close() error { return nil }

// BenchmarkDial is what a race costs around the lookup and the attempt.
func BenchmarkDial(b *testing.B) {
	v6Addrs, v4Addrs := addrs("2001:db8::1 2001:db8::2"), addrs("192.0.2.1 192.0.2.2")
	cfg := &happyeyeballs.Config{
		Source: dualStack,
		Resolver: resolverFunc(func(_ context.Context, _ happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
			answer(happyeyeballs.Answer{Family: v6, Addrs: v6Addrs})
			answer(happyeyeballs.Answer{Family: v4, Addrs: v4Addrs})
			return nil
		}),
	}
	attempt := func(context.Context, happyeyeballs.Candidate, func()) (instant, error) { return instant{}, nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := happyeyeballs.Dial(b.Context(), "host.test", 443, attempt, cfg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSort(b *testing.B) {
	dsts := addrs("192.0.2.1 2001:db8::1 fd00::1 192.0.2.2 2001:db8::2 2002:c000:201::1 ::1 fe80::1")
	sources := make([]netip.Addr, len(dsts))
	for i, a := range dsts {
		sources[i] = dualStack(a)
	}
	b.ReportAllocs()
	for b.Loop() {
		happyeyeballs.Sorted(dsts, sources)
	}
}

// BenchmarkDialAddress is what a race of two transports to one address costs
// around the attempt.
func BenchmarkDialAddress(b *testing.B) {
	cfg := &happyeyeballs.Config{Service: &happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{
		{ALPN: "h3", Transport: happyeyeballs.QUIC}, {ALPN: "h2", Transport: happyeyeballs.TCP},
	}}}
	attempt := func(context.Context, happyeyeballs.Candidate, func()) (instant, error) { return instant{}, nil }
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := happyeyeballs.Dial(b.Context(), "127.0.0.1", 443, attempt, cfg); err != nil {
			b.Fatal(err)
		}
	}
}
