package tls_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/tls"
)

// FuzzSession puts any bytes, in two pieces, before the handshake of either
// side and behind that of a session: no panic, no hang, and not one byte of it
// received.
func FuzzSession(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"), uint8(3))
	f.Add([]byte("\x17\x03\x03\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), uint8(9))
	f.Add([]byte("\x15\x03\x03\x00\x02\x01\x00\x14\x03\x03\x00\x01\x01"), uint8(0))
	server, client := usualConfigs(f, tls.VersionTLS13)
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		first, second := data[:min(int(cut), len(data))], data[min(int(cut), len(data)):]
		put := func(s *memory.Conn) {
			for _, p := range [][]byte{first, second} {
				_, err := s.Send(t.Context(), p)
				require.NoError(t, err)
			}
			require.NoError(t, s.SendEOF(t.Context()))
		}
		for _, isClient := range []bool{true, false} {
			a, b := memory.Pipe(&memory.Config{Buffer: 1 << 20})
			put(a)
			var err error
			if isClient {
				_, err = tls.WrapClient(t.Context(), b, client, nil)
			} else {
				_, err = tls.WrapServer(t.Context(), b, server, nil)
			}
			require.Error(t, err)
			requireClosed(t, b)
			require.NoError(t, a.Close())
		}
		a, b := memory.Pipe(&memory.Config{Buffer: 1 << 20})
		c, s, err := wrap(context.Background(), a, b, server, client, nil)
		require.NoError(t, err)
		put(a)
		n, err := s.Receive(t.Context(), make([]byte, 100))
		require.Error(t, err)
		require.Zero(t, n)
		require.NoError(t, s.Close())
		require.NoError(t, c.Close())
	})
}
