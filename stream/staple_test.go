package stream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// lockstep returns a stapled stream whose Send blocks until its peer
// receives, and the far ends of what it receives and sends.
func lockstep() (s *stream.Stapled, from, to *memory.Conn) {
	from, r := memory.Pipe(&memory.Config{Buffer: -1})
	w, to := memory.Pipe(&memory.Config{Buffer: -1})
	return stream.Staple(r, w), from, to
}

func TestStapledReceivesFromOneAndSendsToTheOther(t *testing.T) {
	r, s := &fake{pieces: []string{"in"}}, new(fake)
	st := stream.Staple(r, s)
	p := make([]byte, 8)
	n, err := st.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "in", string(p[:n]))
	n, err = st.Send(t.Context(), []byte("out"))
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	wantCalls(t, r.calls, "Receive")
	wantCalls(t, s.calls, "Send")
	_, err = st.Receive(t.Context(), nil)
	require.ErrorIs(t, err, stream.ErrEmptyBuffer)
}

func TestReceiversAttributesWinInAStapledStream(t *testing.T) {
	shared, only := attr.New[string]("test.shared"), attr.New[string]("test.only")
	tell := func(keys ...attr.Key[string]) func(string) *attr.Set {
		var facts []attr.Fact[string]
		for _, k := range keys {
			facts = append(facts, attr.Value(k, func(s string) string { return s }))
		}
		return func(s string) *attr.Set { return attr.Define(facts...).For(s) }
	}
	receiverFacts, senderFacts := tell(shared)("receiver"), tell(shared, only)("sender")
	for name, p := range map[string]attr.Provider{
		"bytes":   stream.Staple(&fake{facts: receiverFacts}, &fake{facts: senderFacts}),
		"objects": stream.StapleObjects[string](&objects{facts: receiverFacts}, &objects{facts: senderFacts}),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := shared.Get(p)
			require.NoError(t, err)
			assert.Equal(t, "receiver", got)
			got, err = only.Get(p)
			require.NoError(t, err)
			assert.Equal(t, "sender", got)
		})
	}
}

func TestSendEOFOfAStapledStreamIsTheSenders(t *testing.T) {
	s := &fake{eofErr: errors.ErrUnsupported}
	st := stream.Staple(new(fake), s)
	require.ErrorIs(t, st.SendEOF(t.Context()), errors.ErrUnsupported)
	wantCalls(t, s.calls, "SendEOF")
}

func TestSendEOFOfAStapledStreamIsElseTheSendersClose(t *testing.T) {
	r, from := memory.Pipe(nil)
	w, to := memory.Pipe(nil)
	defer closeAll(t, from, to)
	st := stream.Staple(receiver{r}, sender{w})
	defer closeAll(t, st)
	require.NoError(t, st.SendEOF(t.Context()))
	require.NoError(t, st.SendEOF(t.Context()), "it is idempotent")
	_, err := to.Receive(t.Context(), make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	_, err = st.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)

	_, err = from.Send(t.Context(), []byte("still"))
	require.NoError(t, err)
	n, err := st.Receive(t.Context(), make([]byte, 8))
	require.NoError(t, err, "receiving goes on")
	assert.Equal(t, 5, n)
}

func TestSendEOFByCloseHonorsTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	s := new(fake)
	require.ErrorIs(t, stream.Staple(new(fake), sender{s}).SendEOF(ctx), errCause)
	assert.Empty(t, s.calls)
}

func TestSendingDirectionOfAStapledStreamIsBusyDuringASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, from := memory.Pipe(nil)
		w, to := memory.Pipe(&memory.Config{Buffer: -1})
		st := stream.Staple(r, sender{w}) // SendEOF is the Close of w
		defer closeAll(t, st, from, to)
		done := make(chan error)
		go func() { // ends when to receives
			_, err := st.Send(t.Context(), []byte("abc"))
			done <- err
		}()
		synctest.Wait()
		require.ErrorIs(t, st.SendEOF(t.Context()), stream.ErrBusy)
		_, err := st.Send(t.Context(), []byte("x"))
		require.ErrorIs(t, err, stream.ErrBusy)
		_, err = st.SendBuffers(t.Context(), nil)
		require.ErrorIs(t, err, stream.ErrBusy)
		_, err = st.TrySend([]byte("x"))
		require.ErrorIs(t, err, stream.ErrBusy)

		p := make([]byte, 8)
		n, err := to.Receive(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, "abc", string(p[:n]), "the first caller is unharmed")
		require.NoError(t, <-done)
		require.NoError(t, st.SendEOF(t.Context()), "the direction is free again")
	})
}

func TestCloseOfAStapledStreamClosesBothAndJoinsErrors(t *testing.T) {
	r, s := &fake{closeErr: errOwn}, &fake{closeErr: errClose}
	err := stream.Staple(r, s).Close()
	require.ErrorIs(t, err, errOwn)
	require.ErrorIs(t, err, errClose)
	wantCalls(t, r.calls, "Close")
	wantCalls(t, s.calls, "Close")
}

func TestCloseOfAStapledStreamWakesBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, from, to := lockstep()
		defer closeAll(t, from, to)
		done := make(chan error, 2)
		go func() { // ends when st is closed
			_, err := st.Receive(t.Context(), make([]byte, 1))
			done <- err
		}()
		go func() { // ends when st is closed
			_, err := st.Send(t.Context(), []byte("x"))
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, st.Close())
		require.ErrorIs(t, <-done, net.ErrClosed)
		require.ErrorIs(t, <-done, net.ErrClosed)
		require.NoError(t, st.Close(), "it is idempotent")
	})
}

func TestStapledStreamIsClosedAfterCloseWhateverTheSenderSays(t *testing.T) {
	st := stream.Staple(new(fake), new(fake)) // fakes forget that they are closed
	require.NoError(t, st.Close())
	_, err := st.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, st.SendEOF(t.Context()), net.ErrClosed)
	_, err = st.SendBuffers(t.Context(), nil)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = st.TrySend(nil)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestAbortOfAStapledStreamAbortsBoth(t *testing.T) {
	r, s := &able{err: errOwn}, &able{err: errClose}
	st := stream.Staple(r, s)
	err := stream.Abort(st, errCause)
	require.ErrorIs(t, err, errOwn)
	require.ErrorIs(t, err, errClose)
	wantCalls(t, r.calls, "Abort: the cause")
	wantCalls(t, s.calls, "Abort: the cause")
	require.ErrorIs(t, st.SendEOF(t.Context()), net.ErrClosed)
}

func TestCapabilitiesOfAStapledStreamAreThoseOfItsSides(t *testing.T) {
	r, s := &able{err: errOwn}, &able{err: errOwn, sentN: 2}
	st := stream.Staple(r, s)
	assert.Equal(t, errOwn, stream.WaitReceive(t.Context(), st))
	n, err := stream.SendBuffers(t.Context(), st, [][]byte{[]byte("abc")})
	assert.EqualValues(t, 2, n)
	assert.Equal(t, errOwn, err)
	m, err := stream.TrySend(st, []byte("abc"))
	assert.Equal(t, 2, m)
	assert.Equal(t, errOwn, err)
	wantCalls(t, r.calls, "WaitReceive")
	wantCalls(t, s.calls, "SendBuffers", "TrySend")

	plain := stream.Staple(new(fake), new(fake))
	require.ErrorIs(t, stream.WaitReceive(t.Context(), plain), errors.ErrUnsupported)
	_, err = stream.TrySend(plain, nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	n, err = stream.SendBuffers(t.Context(), plain, [][]byte{[]byte("abc")})
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
}

func TestFailureOfOneSideLeavesTheOther(t *testing.T) {
	r, from := memory.Pipe(nil)
	w, to := memory.Pipe(nil)
	st := stream.Staple(r, w)
	defer closeAll(t, st, from)
	require.NoError(t, stream.Abort(to, errCause))
	_, err := st.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, stream.ErrBroken)
	_, err = from.Send(t.Context(), []byte("still"))
	require.NoError(t, err)
	n, err := st.Receive(t.Context(), make([]byte, 8))
	require.NoError(t, err)
	assert.Equal(t, 5, n)
}

func TestStapledSendAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	s, p := stream.Staple(new(fake), new(taking)), []byte("x")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := s.Send(t.Context(), p); err != nil {
			t.Error(err)
		}
	}))
}
