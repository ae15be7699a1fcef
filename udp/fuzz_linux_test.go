package udp_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/udp"
)

// FuzzControl parses any bytes as control messages; what they say is written
// and parsed again.
func FuzzControl(f *testing.F) {
	six := udp.AppendControl(nil, udp.Control{Local: netip.MustParseAddr("2001:db8::1"), Interface: 7, TOS: 0x29}, false)
	four := udp.AppendControl(nil, udp.Control{Local: netip.MustParseAddr("192.0.2.1"), Interface: -7, TOS: 0x29}, true)
	f.Add([]byte{})
	f.Add(make([]byte, 64)) // a length of 0
	f.Add(six)
	f.Add(four)
	f.Add(six[:len(six)-9]) // cut short
	f.Add(append(six, four...))
	f.Fuzz(func(t *testing.T, b []byte) {
		said := udp.ParseControl(b)
		written := udp.AppendControl(nil, said, false)
		want := said
		want.Segment = 0 // which has another name on the way out
		if want.Local.IsMulticast() || want.Local.IsUnspecified() {
			want.Local = netip.Addr{} // nothing is sent from there
		}
		again := udp.ParseControl(written)
		if !again.Local.IsValid() || again.Local.IsUnspecified() {
			again.Local = netip.Addr{}
		}
		assert.Equal(t, want, again)
	})
}

// FuzzTakeApart takes packets apart that the kernel has joined.
func FuzzTakeApart(f *testing.F) {
	f.Add([]byte("aaabbbc"), 3)
	f.Add([]byte("aaabbb"), 3)
	f.Add([]byte("a"), 0)
	f.Add([]byte{}, 0)
	f.Add([]byte("abc"), -1)
	f.Add([]byte("abc"), 1<<30)
	f.Fuzz(func(t *testing.T, data []byte, segment int) {
		packets := udp.TakeApart(data, segment)
		require.Equal(t, string(data), string(bytes.Join(packets, nil)))
		if segment <= 0 || segment >= len(data) {
			assert.Len(t, packets, 1)
			return
		}
		for i, p := range packets {
			if i < len(packets)-1 {
				require.Len(t, p, segment)
			}
			require.NotEmpty(t, p)
		}
	})
}
