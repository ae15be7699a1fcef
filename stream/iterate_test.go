package stream_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestChunksEndSilentlyAtTheEnd(t *testing.T) {
	buf := make([]byte, 8)
	var got []string
	for chunk, err := range stream.Chunks(t.Context(), &fake{pieces: []string{"ab", "c"}}, buf) {
		require.NoError(t, err)
		assert.Same(t, &buf[0], &chunk[0], "a chunk is a view")
		got = append(got, string(chunk))
	}
	assert.Equal(t, []string{"ab", "c"}, got)
}

func TestChunksYieldOneErrorAndLast(t *testing.T) {
	f := &fake{pieces: []string{"ab"}, receiveErr: errOwn}
	var got []string
	var errs []error
	for chunk, err := range stream.Chunks(t.Context(), f, make([]byte, 8)) {
		got, errs = append(got, string(chunk)), append(errs, err)
		if err != nil {
			assert.Nil(t, chunk)
		}
	}
	assert.Equal(t, []string{"ab", ""}, got)
	assert.Equal(t, []error{nil, errOwn}, errs)
	wantCalls(t, f.calls, "Receive", "Receive")
}

func TestChunksWithoutABufferIsErrEmptyBuffer(t *testing.T) {
	for _, err := range stream.Chunks(t.Context(), new(fake), nil) {
		require.ErrorIs(t, err, stream.ErrEmptyBuffer)
	}
}

func TestBreakingOutOfChunksLosesNothing(t *testing.T) {
	f := &fake{pieces: []string{"a", "b", "c"}}
	chunks := stream.Chunks(t.Context(), f, make([]byte, 8))
	for chunk, err := range chunks {
		require.NoError(t, err)
		assert.Equal(t, "a", string(chunk))
		break
	}
	wantCalls(t, f.calls, "Receive")
	var rest []string
	for chunk, err := range chunks {
		require.NoError(t, err)
		rest = append(rest, string(chunk))
	}
	assert.Equal(t, []string{"b", "c"}, rest, "ranging again does not start over")
}

func TestItemsEndSilentlyAtTheEnd(t *testing.T) {
	s, r := memory.New[int](3)
	defer closeAll(t, r)
	for i := range 3 {
		require.NoError(t, s.Send(t.Context(), i))
	}
	require.NoError(t, s.Close())
	var got []int
	for item, err := range stream.Items(t.Context(), r) {
		require.NoError(t, err)
		got = append(got, item)
	}
	assert.Equal(t, []int{0, 1, 2}, got)
}

func TestItemsYieldOneErrorAndLast(t *testing.T) {
	f := &objects{items: []string{"a"}, receiveErr: errOwn}
	var got []string
	var errs []error
	for item, err := range stream.Items(t.Context(), f) {
		got, errs = append(got, item), append(errs, err)
	}
	assert.Equal(t, []string{"a", ""}, got)
	assert.Equal(t, []error{nil, errOwn}, errs)
}

func TestBreakingOutOfItemsLosesNothing(t *testing.T) {
	f := &objects{items: []string{"a", "b"}}
	for item, err := range stream.Items(t.Context(), f) {
		require.NoError(t, err)
		assert.Equal(t, "a", item)
		break
	}
	item, err := f.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "b", item)
	_, err = f.Receive(t.Context())
	assert.Equal(t, io.EOF, err)
}
