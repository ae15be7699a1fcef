package file_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/file"
	"github.com/strata-go/strata/stream/streamtest"
)

func TestARegularFileHoldsTheContract(t *testing.T) {
	streamtest.TestStored(t, &streamtest.OneWayMaker{
		Pipe: func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
			path := filepath.Join(t.TempDir(), "file")
			s, err := file.Create(path)
			if err != nil {
				return nil, nil, err
			}
			r, err := file.Open(path)
			if err != nil {
				s.Close()
				return nil, nil, err
			}
			return s, r, nil
		},
		NoBroken: true,
	})
}

func TestAPipeHoldsTheContract(t *testing.T) {
	streamtest.TestOneWay(t, &streamtest.OneWayMaker{
		Pipe: func(context.Context) (stream.ByteSender, stream.ByteReceiver, error) {
			r, w, err := os.Pipe()
			if err != nil {
				return nil, nil, err
			}
			return file.Wrap(w), file.Wrap(r), nil
		},
		NoWaitReceive: true,
	})
}

// write makes a file and returns its path.
func write(t *testing.T, data string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(data), 0o600))
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestOpenReceivesTheFile(t *testing.T) {
	s, err := file.Open(write(t, "Hello"))
	require.NoError(t, err)
	defer s.Close()
	p := make([]byte, 3)
	for _, want := range []string{"Hel", "lo"} {
		n, err := s.Receive(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, want, string(p[:n]))
	}
	for range 2 {
		n, err := s.Receive(t.Context(), p)
		assert.Equal(t, io.EOF, err)
		assert.Zero(t, n)
	}
}

func TestCreateEmptiesAndAppendAdds(t *testing.T) {
	path := write(t, "old and long")
	for _, tt := range []struct {
		open func(string) (*file.Stream, error)
		data string
		want string
	}{
		{file.Create, "new", "new"},
		{file.Append, " more", "new more"},
		{file.Append, "", "new more"},
	} {
		s, err := tt.open(path)
		require.NoError(t, err)
		n, err := s.Send(t.Context(), []byte(tt.data))
		require.NoError(t, err)
		assert.Equal(t, len(tt.data), n)
		require.NoError(t, s.Close())
		assert.Equal(t, tt.want, read(t, path))
	}
	s, err := file.Append(path + " that is new")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Empty(t, read(t, path+" that is new"))
}

func TestOpeningWhatCannotBeOpenedNamesIt(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "file")
	for _, open := range []func(string) (*file.Stream, error){file.Open, file.Create, file.Append} {
		_, err := open(missing)
		require.ErrorIs(t, err, os.ErrNotExist)
		assert.ErrorContains(t, err, missing)
		_, err = open("")
		assert.ErrorIs(t, err, os.ErrNotExist)
	}
	assert.PanicsWithValue(t, "file: Wrap: nil f", func() { file.Wrap(nil) })
}

func TestSeekGoesAnywhere(t *testing.T) {
	s, err := file.Open(write(t, "0123456789"))
	require.NoError(t, err)
	p := make([]byte, 2)
	for _, tt := range []struct {
		offset int64
		whence int
		at     int64
		want   string
	}{
		{4, io.SeekStart, 4, "45"},
		{-1, io.SeekCurrent, 5, "56"},
		{-3, io.SeekEnd, 7, "78"},
		{0, io.SeekStart, 0, "01"},
	} {
		at, err := s.Seek(tt.offset, tt.whence)
		require.NoError(t, err)
		assert.Equal(t, tt.at, at)
		_, err = s.Receive(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, tt.want, string(p))
	}
	_, err = s.Seek(-1, io.SeekStart)
	require.Error(t, err)
	assert.NotErrorIs(t, err, stream.ErrBroken)
	_, err = s.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), p)
	assert.Equal(t, io.EOF, err)
	_, err = s.Seek(0, io.SeekStart)
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), p)
	assert.NoError(t, err, "the end is not for ever")
	require.NoError(t, s.Close())
	_, err = s.Seek(0, io.SeekStart)
	assert.Equal(t, net.ErrClosed, err)

	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	pipe := file.Wrap(r)
	_, err = pipe.Seek(0, io.SeekStart)
	assert.Equal(t, errors.ErrUnsupported, err)
	require.NoError(t, pipe.Close())
	_, err = pipe.Seek(0, io.SeekStart)
	assert.Equal(t, net.ErrClosed, err)
}

func TestWrapTakesAFileForBothDirections(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	s := file.Wrap(f)
	_, err = s.Send(t.Context(), []byte("both ways"))
	require.NoError(t, err)
	assert.Equal(t, errors.ErrUnsupported, s.SendEOF(t.Context()))
	_, err = s.Seek(0, io.SeekStart)
	require.NoError(t, err)
	p := make([]byte, 9)
	require.NoError(t, buffered.NewReceiver(s, nil).ReceiveExactly(t.Context(), p))
	assert.Equal(t, "both ways", string(p))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}

// calls makes each call that sends or receives.
func calls(ctx context.Context, s *file.Stream) (receive, send map[string]error) {
	receive, send = make(map[string]error), make(map[string]error)
	_, receive["Receive"] = s.Receive(ctx, make([]byte, 1))
	receive["WaitReceive"] = s.WaitReceive(ctx)
	_, send["Send"] = s.Send(ctx, []byte("x"))
	send["SendEOF"] = s.SendEOF(ctx)
	return receive, send
}

func TestADirectionThatTheFileHasNotIsUnsupportedAndHarmless(t *testing.T) {
	path := write(t, "data")
	open := func(flag int) *os.File {
		f, err := os.OpenFile(path, flag, 0)
		require.NoError(t, err)
		return f
	}
	in, err := file.Open(path)
	require.NoError(t, err)
	for _, s := range []*file.Stream{in, file.Wrap(open(os.O_RDONLY))} {
		_, sends := calls(canceled(t), s)
		assert.ErrorIs(t, sends["Send"], context.Canceled)
		_, sends = calls(t.Context(), s)
		assert.Equal(t, map[string]error{"Send": errors.ErrUnsupported, "SendEOF": errors.ErrUnsupported}, sends)
		_, err := s.Receive(t.Context(), make([]byte, 1))
		assert.NoError(t, err)
		require.NoError(t, s.Close())
		_, sends = calls(t.Context(), s)
		assert.Equal(t, map[string]error{"Send": net.ErrClosed, "SendEOF": net.ErrClosed}, sends)
	}
	out, err := file.Append(path)
	require.NoError(t, err)
	for _, s := range []*file.Stream{out, file.Wrap(open(os.O_WRONLY))} {
		receives, sends := calls(t.Context(), s)
		assert.Equal(t, map[string]error{"Receive": errors.ErrUnsupported, "WaitReceive": errors.ErrUnsupported}, receives)
		assert.Equal(t, map[string]error{"Send": nil, "SendEOF": nil}, sends)
		_, err := s.Receive(t.Context(), nil)
		assert.Equal(t, stream.ErrEmptyBuffer, err)
		require.NoError(t, s.Close())
	}
}

func TestSendEOFEndsWhatOnlySends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	regular, err := file.Create(path)
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	for _, s := range []*file.Stream{regular, file.Wrap(w)} {
		_, err = s.Send(t.Context(), []byte("all"))
		require.NoError(t, err)
		require.ErrorIs(t, s.SendEOF(canceled(t)), context.Canceled)
		require.NoError(t, s.SendEOF(t.Context()))
		require.NoError(t, s.SendEOF(t.Context()))
		_, err = s.Send(t.Context(), []byte("more"))
		assert.Equal(t, net.ErrClosed, err)
		require.NoError(t, s.Close())
		assert.Equal(t, net.ErrClosed, s.SendEOF(t.Context()))
	}
	assert.Equal(t, "all", read(t, path))
	received, err := io.ReadAll(stream.NewReader(t.Context(), file.Wrap(r)))
	require.NoError(t, err)
	assert.Equal(t, "all", string(received))
	require.NoError(t, r.Close())
}

func TestAFailureOfTheSystemIsBroken(t *testing.T) {
	s, err := file.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	_, first := s.Receive(t.Context(), make([]byte, 1))
	broken, ok := errors.AsType[*stream.BrokenError](first)
	require.True(t, ok, "%v", first)
	assert.ErrorAs(t, first, new(*os.PathError))
	_, again := s.Receive(t.Context(), make([]byte, 1))
	assert.Same(t, broken, again)
}

func TestAFullDeviceIsBroken(t *testing.T) {
	s, err := file.Append("/dev/full")
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	defer s.Close()
	n, err := s.Send(t.Context(), []byte("x"))
	assert.Zero(t, n)
	assert.ErrorIs(t, err, stream.ErrBroken)
	assert.ErrorContains(t, err, "no space left on device")
	for range 2 {
		assert.Equal(t, err, s.SendEOF(t.Context()), "what was sent is not all there")
	}
}

func TestAppendSendsToTheEndWhereverThePositionIs(t *testing.T) {
	path := write(t, "hello ")
	s, err := file.Append(path)
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Seek(0, io.SeekStart)
	require.NoError(t, err)
	_, err = s.Send(t.Context(), []byte("world"))
	require.NoError(t, err)
	assert.Equal(t, "hello world", read(t, path))
}

func TestAPipeInBlockingModeWorks(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	r.Fd() // which leaves the pipe in blocking mode
	w.Fd()
	in, out := file.Wrap(r), file.Wrap(w)
	_, err = out.Send(t.Context(), []byte("data"))
	require.NoError(t, err)
	assert.Equal(t, errors.ErrUnsupported, in.WaitReceive(t.Context()), "it would have to block")
	p := make([]byte, 8)
	n, err := in.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "data", string(p[:n]))
	require.NoError(t, in.Close())
	_, err = out.Send(t.Context(), []byte("x"))
	assert.ErrorIs(t, err, stream.ErrBroken)
	require.NoError(t, out.Close())
}

func TestALongSendLooksAtItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	s, err := file.Create(path)
	require.NoError(t, err)
	defer s.Close()
	p := []byte(strings.Repeat("0123456789abcdef", 4<<20/16))
	n, err := s.Send(&doneAfter{Context: t.Context(), looks: 3}, p)
	require.ErrorIs(t, err, context.Canceled)
	assert.Positive(t, n)
	assert.Less(t, n, len(p))
	_, err = s.Send(t.Context(), p[n:])
	require.NoError(t, err)
	assert.True(t, read(t, path) == string(p), "resumed with what was left")
}

// doneAfter is canceled from a look at it on.
type doneAfter struct {
	context.Context
	looks int
}

func (d *doneAfter) Err() error {
	if d.looks--; d.looks < 0 {
		return context.Canceled
	}
	return nil
}

// canceled returns a context that is done.
func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestAttributes(t *testing.T) {
	path := write(t, "x")
	s, err := file.Open(path)
	require.NoError(t, err)
	got, err := file.Path.Get(s)
	require.NoError(t, err)
	assert.Equal(t, path, got)
	f, err := file.File.Get(s)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	assert.EqualValues(t, 1, info.Size())
	assert.NotContains(t, attr.LogValue(s).String(), "file.file", "a raw handle is not for logs")

	require.NoError(t, s.Close())
	got, err = file.Path.Get(s)
	require.NoError(t, err)
	assert.Equal(t, path, got)
	_, err = file.File.Get(s)
	assert.Equal(t, net.ErrClosed, err)

	opened, err := os.Open(path)
	require.NoError(t, err)
	wrapped := file.Wrap(opened)
	defer wrapped.Close()
	got, _ = file.Path.Lookup(wrapped)
	assert.Equal(t, path, got)

	r, w, err := os.Pipe()
	require.NoError(t, err)
	for _, end := range []*os.File{r, w} {
		s := file.Wrap(end)
		_, err = file.Path.Get(s)
		assert.ErrorIs(t, err, attr.ErrNotFound)
		require.NoError(t, s.Close())
	}
}
