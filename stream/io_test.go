package stream_test

import (
	"context"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func TestReaderIsAnIOReader(t *testing.T) {
	a, b := memory.Pipe(nil)
	defer closeAll(t, a, b)
	want := numbers(5000)
	_, err := a.Send(t.Context(), want)
	require.NoError(t, err)
	require.NoError(t, a.SendEOF(t.Context()))
	require.NoError(t, iotest.TestReader(stream.NewReader(t.Context(), b), want))
}

func TestReadOfNothingIsNothing(t *testing.T) {
	f := new(fake)
	n, err := stream.NewReader(t.Context(), f).Read(nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.Empty(t, f.calls, "Receive would be ErrEmptyBuffer")
}

func TestReaderAndWriterHaveTheErrorsOfTheStream(t *testing.T) {
	n, err := stream.NewReader(t.Context(), &fake{receiveErr: errOwn}).Read(make([]byte, 1))
	assert.Zero(t, n)
	assert.Equal(t, errOwn, err)
	n, err = stream.NewReader(t.Context(), new(fake)).Read(make([]byte, 1))
	assert.Zero(t, n)
	assert.Equal(t, io.EOF, err)
	n, err = stream.NewWriter(t.Context(), &fake{sendN: 1, sendErr: errOwn}).Write([]byte("abc"))
	assert.Equal(t, 1, n)
	assert.Equal(t, errOwn, err)
}

func TestReaderAndWriterEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	a, b := memory.Pipe(nil)
	defer closeAll(t, a, b)
	r, w := stream.NewReader(ctx, a), stream.NewWriter(ctx, a)
	_, err := io.WriteString(w, "ab")
	require.NoError(t, err)
	cancel(errCause)
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, errCause)
	_, err = w.Write([]byte("c"))
	require.ErrorIs(t, err, errCause)
}

func TestNilStreamsPanic(t *testing.T) {
	for want, f := range map[string]func(){
		"stream: NewReader: nil r":          func() { stream.NewReader(t.Context(), nil) },
		"stream: NewWriter: nil s":          func() { stream.NewWriter(t.Context(), nil) },
		"stream: Staple: nil r":             func() { stream.Staple(nil, new(fake)) },
		"stream: Staple: nil s":             func() { stream.Staple(new(fake), nil) },
		"stream: StapleObjects: nil r":      func() { stream.StapleObjects[string](nil, new(objects)) },
		"stream: StapleObjects: nil s":      func() { stream.StapleObjects[string](new(objects), nil) },
		"stream: FromObjects: nil o":        func() { stream.FromObjects(nil) },
		"stream: FromObjectReceiver: nil r": func() { stream.FromObjectReceiver(nil) },
		"stream: FromObjectSender: nil s":   func() { stream.FromObjectSender(nil) },
		"stream: ToObjects: nil s":          func() { stream.ToObjects(nil) },
		"stream: ToObjectReceiver: nil r":   func() { stream.ToObjectReceiver(nil) },
		"stream: ToObjectSender: nil s":     func() { stream.ToObjectSender(nil) },
	} {
		t.Run(want, func(t *testing.T) { assert.PanicsWithValue(t, want, f) })
	}
}
