package stream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// numbers returns n bytes among which a lost or doubled one shows.
func numbers(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i % 251)
	}
	return p
}

func TestCopySendsEverythingUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, src := memory.Pipe(nil)
		dst, to := memory.Pipe(&memory.Config{Buffer: 1000})
		defer closeAll(t, from, src, dst, to)
		want := numbers(1 << 20)
		go func() { // ends with its Send and SendEOF
			_, err := from.Send(t.Context(), want)
			assert.NoError(t, err)
			assert.NoError(t, from.SendEOF(t.Context()))
		}()
		done := make(chan struct{})
		go func() { // ends with Copy
			defer close(done)
			n, err := stream.Copy(t.Context(), dst, src)
			assert.NoError(t, err)
			assert.EqualValues(t, len(want), n)
			assert.NoError(t, dst.SendEOF(t.Context()), "Copy leaves that to its caller")
		}()
		got, err := io.ReadAll(stream.NewReader(t.Context(), to))
		require.NoError(t, err)
		<-done
		assert.True(t, bytes.Equal(want, got))
	})
}

func TestCopyLeavesBothOpen(t *testing.T) {
	src, dst := &fake{pieces: []string{"ab", "c"}}, new(fake)
	n, err := stream.Copy(t.Context(), dst, src)
	require.NoError(t, err)
	assert.EqualValues(t, 3, n)
	wantCalls(t, src.calls, "Receive", "Receive", "Receive")
	wantCalls(t, dst.calls, "Send", "Send")
}

func TestCopyWaitsBeforeItBorrowsABuffer(t *testing.T) {
	src := &able{fake: fake{pieces: []string{"a"}}}
	_, err := stream.Copy(t.Context(), new(fake), src)
	require.NoError(t, err)
	wantCalls(t, src.calls, "WaitReceive", "Receive", "WaitReceive", "Receive")
}

func TestCopyReceivesAtOnceWhereWaitingIsUnsupported(t *testing.T) {
	src := &able{err: errors.ErrUnsupported, fake: fake{pieces: []string{"a"}}}
	n, err := stream.Copy(t.Context(), new(fake), src)
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

func TestCopyTakesTheEndFromWaitReceiveToo(t *testing.T) {
	n, err := stream.Copy(t.Context(), new(fake), &able{err: io.EOF})
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestCopyReturnsTheErrorsOfBothSidesUntouched(t *testing.T) {
	for _, tt := range []struct {
		name string
		src  stream.ByteReceiver
		dst  *fake
		n    int64
		want error
	}{
		{"of Receive", &fake{pieces: []string{"ab"}, receiveErr: errOwn}, new(fake), 2, errOwn},
		{"of a Receive that breaks the contract", &fake{pieces: []string{"ab", ""}}, new(fake), 2, io.ErrNoProgress},
		{"of WaitReceive", &able{err: errOwn}, new(fake), 0, errOwn},
		{"of Send", &fake{pieces: []string{"abc"}}, &fake{sendN: 2, sendErr: errOwn}, 2, errOwn},
		{"of Send, not taken for the end", &fake{pieces: []string{"abc"}}, &fake{sendErr: io.EOF}, 0, io.EOF},
		{"of a Send that breaks the contract", &fake{pieces: []string{"abc"}}, &fake{sendN: 1}, 1, io.ErrShortWrite},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := stream.Copy(t.Context(), tt.dst, tt.src)
			assert.Equal(t, tt.n, n)
			assert.Equal(t, tt.want, err)
		})
	}
}

func TestCanceledCopyCountsWhatTheDestinationTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, src := memory.Pipe(nil)
		dst, to := memory.Pipe(&memory.Config{Buffer: 1000})
		defer closeAll(t, from, src, dst, to)
		want := numbers(50_000)
		_, err := from.Send(t.Context(), want)
		require.NoError(t, err)

		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan int64)
		go func() { // ends with Copy
			n, err := stream.Copy(ctx, dst, src)
			assert.ErrorIs(t, err, errCause)
			done <- n
		}()
		first := make([]byte, 300)
		_, err = io.ReadFull(stream.NewReader(t.Context(), to), first)
		require.NoError(t, err)
		synctest.Wait() // Copy waits for room
		cancel(errCause)
		n := <-done
		require.NoError(t, dst.Close())
		rest, err := io.ReadAll(stream.NewReader(t.Context(), to))
		require.NoError(t, err)
		assert.EqualValues(t, 1300, n)
		assert.Equal(t, want[:n], append(first, rest...))
	})
}

func TestCloseOfTheSourceEndsCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, src := memory.Pipe(nil)
		defer closeAll(t, from, src)
		done := make(chan error)
		go func() { // ends with Copy
			_, err := stream.Copy(t.Context(), new(fake), src)
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, src.Close())
		require.ErrorIs(t, <-done, net.ErrClosed)
	})
}

// spring fills every buffer that it is given, but for those in short, which
// are counted from 0. It never ends.
type spring struct {
	fake
	short map[int]bool
	sizes []int // of the buffers
}

func (s *spring) Receive(ctx context.Context, p []byte) (int, error) {
	if err := stream.ContextError(ctx); err != nil {
		return 0, err
	}
	s.sizes = append(s.sizes, len(p))
	if s.short[len(s.sizes)-1] {
		return 1, nil
	}
	return len(p), nil
}

// stopping ends a copy after so many pieces.
type stopping struct {
	fake
	left int
}

func (s *stopping) Send(_ context.Context, p []byte) (int, error) {
	if s.left--; s.left == 0 {
		return len(p), errOwn
	}
	return len(p), nil
}

func TestCopyReceivesMoreAtOnceWhereMuchArrives(t *testing.T) {
	const small, large = 64 << 10, 256 << 10
	src := &spring{short: map[int]bool{2: true, 3: true}}
	_, err := stream.Copy(t.Context(), &stopping{left: 6}, src)
	require.ErrorIs(t, err, errOwn)
	assert.Equal(t, []int{small, large, large, small, small, large}, src.sizes)
}

func TestFewCopiesHoldALargeBuffer(t *testing.T) {
	const copies, limit = 70, 64
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var all [copies]*spring
		var running sync.WaitGroup
		for i := range all {
			all[i] = new(spring)
			dst, to := memory.Pipe(&memory.Config{Buffer: 64 << 10}) // room for the first piece
			running.Go(func() {
				_, _ = stream.Copy(ctx, dst, all[i])
				closeAll(t, dst, to)
			})
		}
		synctest.Wait()
		large := 0
		for _, src := range all {
			if src.sizes[len(src.sizes)-1] > 64<<10 {
				large++
			}
		}
		assert.Equal(t, limit, large)
		cancel()
		running.Wait()

		src := new(spring) // they were given back
		_, err := stream.Copy(t.Context(), &stopping{left: 2}, src)
		require.ErrorIs(t, err, errOwn)
		assert.Equal(t, 256<<10, src.sizes[1])
	})
}

// many receives one byte at a time without allocating.
type many struct {
	fake
	left int
}

func (m *many) Receive(_ context.Context, p []byte) (int, error) {
	if m.left == 0 {
		return 0, io.EOF
	}
	m.left--
	p[0] = 'x'
	return 1, nil
}

// taking sends without allocating.
type taking struct{ fake }

func (*taking) Send(_ context.Context, p []byte) (int, error) { return len(p), nil }

func TestCopyAllocatesNothingForAPiece(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	src, dst := new(many), new(taking)
	allocs := testing.AllocsPerRun(100, func() {
		src.left = 1000
		if _, err := stream.Copy(t.Context(), dst, src); err != nil {
			t.Error(err)
		}
	})
	assert.LessOrEqual(t, allocs, 3.0, "for 1,000 pieces")
}

// closeAll closes streams whose Close has no reason to fail.
func closeAll(t *testing.T, all ...stream.Resource) {
	t.Helper()
	for _, s := range all {
		assert.NoError(t, s.Close())
	}
}
