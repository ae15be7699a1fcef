package happyeyeballs_test

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/happyeyeballs"
)

// sorted sorts lines of "destination source"; no source means that the
// destination cannot be reached.
func sorted(pairs [][2]string) []string {
	var dsts, sources []netip.Addr
	for _, p := range pairs {
		source, _ := netip.ParseAddr(p[1])
		dsts, sources = append(dsts, netip.MustParseAddr(p[0])), append(sources, source)
	}
	var got []string
	for _, a := range happyeyeballs.Sorted(dsts, sources) {
		got = append(got, a.String())
	}
	return got
}

func TestDestinationsSortByRFC6724(t *testing.T) {
	// Each case is given with the one that comes first in the first place.
	tests := []struct {
		name  string
		pairs [][2]string
		equal bool // no rule but 10 decides
	}{
		{"rule 1: reachable ones", [][2]string{{"192.0.2.1", "192.0.2.9"}, {"2001:db8::1", ""}}, false},
		{"rule 2: the scope of the source, IPv6", [][2]string{{"2001:db8:1::1", "2001:db8:1::2"}, {"198.51.100.121", "169.254.13.78"}}, false},
		{"rule 2: the scope of the source, IPv4", [][2]string{{"198.51.100.121", "198.51.100.117"}, {"2001:db8:1::1", "fe80::1"}}, false},
		{"rule 5: the label of the source", [][2]string{{"2001:db8:1::1", "2001:db8:1::2"}, {"2002:c633:6401::1", "2001:db8:1::2"}}, false},
		{"rule 5: 6to4 from 6to4", [][2]string{{"2002:c633:6401::1", "2002:c633:6401::2"}, {"2001:db8:1::1", "2002:c633:6401::2"}}, false},
		{"rule 6: IPv6 before IPv4", [][2]string{{"2001:db8:1::1", "2001:db8:1::2"}, {"10.1.2.3", "10.1.2.4"}}, false},
		{"rule 6: loopback before the rest", [][2]string{{"::1", "::1"}, {"2001:db8::1", "2001:db8::2"}}, false},
		{"rule 6: IPv4 before unique local", [][2]string{{"192.0.2.1", "192.0.2.2"}, {"fd00::1", "fd00::2"}}, false},
		{"rule 6: IPv4 before Teredo", [][2]string{{"192.0.2.1", "192.0.2.2"}, {"2001::1", "2001::2"}}, false},
		{"rule 6: native before 6to4", [][2]string{{"2001:db8:1::1", "2001:db8:1::2"}, {"2002:c633:6401::1", "2002:c633:6401::2"}}, false},
		{"rule 6: IPv4 before 6bone and site-local", [][2]string{{"192.0.2.1", "192.0.2.2"}, {"fec0::1", "fec0::2"}, {"3ffe::1", "3ffe::2"}}, false},
		{"rule 8: the smaller scope", [][2]string{{"fe80::1", "fe80::2"}, {"2001:db8:1::1", "2001:db8:1::2"}}, false},
		{"rule 9: the nearer network", [][2]string{{"2001:db8:1::1", "2001:db8:1::2"}, {"2001:db8:3ffe::1", "2001:db8:3f44::2"}}, false},
		{"rule 9 ends with the network", [][2]string{{"2001:db8:1::ffff", "2001:db8:1::1"}, {"2001:db8:1::2", "2001:db8:1::1"}}, true},
		{"rule 9 needs a source", [][2]string{{"2001:db8:1::1", ""}, {"1::1", ""}}, true},
		{"rule 9 is not for IPv4", [][2]string{{"10.200.0.1", "10.0.0.1"}, {"10.0.0.2", "10.0.0.1"}}, true},
		{"rule 10: the order of the resolver", [][2]string{{"192.0.2.9", "192.0.2.1"}, {"192.0.2.3", "192.0.2.1"}, {"192.0.2.7", "192.0.2.1"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, p := range tt.pairs {
				want = append(want, p[0])
			}
			assert.Equal(t, want, sorted(tt.pairs))
			if tt.equal {
				return
			}
			slices.Reverse(tt.pairs)
			got := sorted(tt.pairs)
			assert.Equal(t, want[0], got[0])
		})
	}
}

func TestSortingDoesNotDependOnTheOrder(t *testing.T) {
	pairs := [][2]string{
		{"::1", "::1"},
		{"fe80::1", "fe80::2"},
		{"2001:db8:1::1", "2001:db8:1::2"},
		{"2001:db8:4000::1", "2001:db8:1::2"},
		{"127.0.0.1", "127.0.0.1"},
		{"192.0.2.1", "192.0.2.2"},
		{"2002:c633:6401::1", "2001:db8:1::2"},
		{"fd00::1", "2001:db8:1::2"},
		{"2001:db8:2::1", ""},
	}
	want := sorted(pairs)
	for seed := range uint64(200) {
		shuffled := slices.Clone(pairs)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(pairs), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		if diff := cmp.Diff(want, sorted(shuffled)); diff != "" {
			t.Fatalf("seed %d: order mismatch (-want +got):\n%s", seed, diff)
		}
	}
}

func TestKernelKnowsItsSources(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	assert.Equal(t, loopback, happyeyeballs.KernelSource(loopback))
	assert.False(t, happyeyeballs.KernelSource(netip.MustParseAddr("fe80::1%no-such-interface")).IsValid())
}
