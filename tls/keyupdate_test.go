package tls_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// TestKeyUpdateDoesNotWaitForABlockedSend has the peer ask for new keys while
// it receives nothing and a Send is blocked: Receive goes on, and the answer
// comes behind what Send had encrypted.
func TestKeyUpdateDoesNotWaitForABlockedSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newRawPeer(t, &memory.Config{Buffer: 3000}, nil)
		defer s.Close()
		defer p.s.Close()
		const size = 300_000
		sent := make(chan error, 1)
		go func() {
			n, err := s.Send(t.Context(), pattern(0, size))
			assert.Equal(t, size, n)
			sent <- err
		}()
		synctest.Wait()
		for range 3 {
			p.send(p.keyUpdate(), p.seal(typeData, []byte("hello")))
			buf := make([]byte, 100)
			n, err := s.Receive(t.Context(), buf) // a bubble tells if this hangs
			require.NoError(t, err)
			require.Equal(t, "hello", string(buf[:n]))
		}
		var got []byte
		updates := 0
		for len(got) < size {
			kind, content, err := p.next(t.Context())
			require.NoError(t, err)
			switch kind {
			case typeData:
				got = append(got, content...)
			case typeHandshake:
				require.Equal(t, []byte{24, 0, 0, 1, 0}, content)
				require.NotEmpty(t, got)
				updates++
			}
		}
		require.NoError(t, <-sent)
		require.Equal(t, pattern(0, size), got)
		require.Equal(t, 3, updates)
	})
}

// TestKeyUpdateIsAnsweredByTheNextSend holds that Receive itself sends
// nothing, and that the answer and the data go together.
func TestKeyUpdateIsAnsweredByTheNextSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newRawPeer(t, nil, nil)
		defer s.Close()
		defer p.s.Close()
		p.send(p.keyUpdate(), p.seal(typeData, []byte("a")))
		require.Equal(t, "a", string(receiveExactly(t, t.Context(), s, 1)))
		synctest.Wait()
		done, cancel := canceledSoon(t)
		_, _, err := p.next(done)
		cancel()
		require.Error(t, err, "Receive sent the answer")
		_, err = s.Send(t.Context(), []byte("b"))
		require.NoError(t, err)
		kind, _, err := p.next(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, typeHandshake, kind)
		kind, content, err := p.next(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, typeData, kind)
		require.Equal(t, "b", string(content))
	})
}

// TestNothingFollowsCloseNotify has the peer ask for new keys after our
// close_notify: an answer would be taken for plaintext after an Unwrap.
func TestNothingFollowsCloseNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newRawPeer(t, nil, nil)
		defer p.s.Close()
		require.NoError(t, s.SendEOF(t.Context()))
		kind, content, err := p.next(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, typeAlert, kind)
		require.Equal(t, []byte{1, 0}, content)
		p.send(p.keyUpdate(), p.seal(typeData, []byte("a")), p.seal(typeAlert, []byte{1, 0}), []byte("more"))
		require.Equal(t, "a", string(receiveExactly(t, t.Context(), s, 1)))
		below, err := s.Unwrap(t.Context())
		require.NoError(t, err)
		defer below.Close()
		require.Equal(t, "more", string(receiveExactly(t, t.Context(), below, 4)))
		_, err = below.Send(t.Context(), []byte("plain"))
		require.NoError(t, err)
		require.Empty(t, p.received)
		require.Equal(t, "plain", string(receiveExactly(t, t.Context(), p.s, 5)))
	})
}

// TestKeyUpdateFloodBreaks has the peer ask for new keys without end, which
// must not fill our memory with answers.
func TestKeyUpdateFloodBreaks(t *testing.T) {
	for _, role := range []string{"client", "server"} {
		synctest.Test(t, func(t *testing.T) {
			s, p := newRawPeerOf(t, role, nil, nil)
			defer s.Close()
			defer p.s.Close()
			buf := make([]byte, 10)
			rounds := 0
			for ; rounds < 1000; rounds++ {
				for range 10 {
					p.send(p.keyUpdate())
				}
				p.send(p.seal(typeData, []byte("a")))
				if _, err := s.Receive(t.Context(), buf); err != nil {
					require.ErrorIs(t, err, stream.ErrBroken)
					require.ErrorContains(t, err, "new keys faster")
					break
				}
			}
			require.Less(t, rounds, 300)
			require.Greater(t, rounds, 200)
		})
	}
}

// TestPaddedAndEmptyRecordsAreReceived sends what crypto/tls does not.
func TestPaddedAndEmptyRecordsAreReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newRawPeer(t, nil, nil)
		defer s.Close()
		defer p.s.Close()
		padded := append(append([]byte("abc"), typeData), make([]byte, 500)...)
		p.send(p.seal(0, padded), p.seal(typeData, nil), p.seal(typeData, []byte("def")))
		require.NoError(t, stream.WaitReceive(t.Context(), s))
		require.Equal(t, "abcdef", string(receiveExactly(t, t.Context(), s, 6)))
		requireNothing(t, s)
	})
}
