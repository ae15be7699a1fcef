package buffered_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/strata-go/strata/buffered"
)

// model is a Receiver at its simplest: everything there is to receive, and how
// much of it, at the front, was fed.
type model struct {
	all []byte
	fed int
}

func (m *model) take(n int) []byte {
	p := m.all[:n:n]
	m.all = m.all[n:]
	m.fed = max(m.fed-n, 0)
	return p
}

func (m *model) feed(p []byte) {
	m.all = append(append(bytes.Clone(m.all[:m.fed]), p...), m.all[m.fed:]...)
	m.fed += len(p)
}

// end is the error for what cannot be had any more.
func (m *model) end() error {
	if len(m.all) == 0 {
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

// until returns what ReceiveUntil must.
func (m *model) until(delim []byte, limit int) ([]byte, error) {
	if len(delim) == 0 {
		return nil, errAny
	}
	i := bytes.Index(m.all, delim)
	switch {
	case i >= 0 && i <= limit:
		p := m.take(i + len(delim))
		return p[:i], nil
	case len(m.all) >= limit+len(delim):
		return nil, errAny
	}
	return nil, m.end()
}

var errAny = errors.New("any error but the end")

// FuzzReceiver makes the calls that program says, and wants what the model
// answers.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte("HELO\r\nMAIL\r\n\r\nrest"), []byte("u\x05e\x03p\x02fxr\x01u\x01"), []byte("\r\n"), 3, 0)
	f.Add(bytes.Repeat([]byte("aaab"), 2000), []byte("u\xffu\xffp\xffu\xff"), []byte("aab"), 1000, -1)
	f.Add([]byte("abc"), []byte("p\x03f\x09f\x09e\x0f"), []byte("x"), 1, 2)
	f.Fuzz(func(t *testing.T, data, program, delim []byte, cut, readAhead int) {
		if cut < 0 || readAhead > 1<<16 || len(program) > 200 || len(data) > 1<<16 {
			return
		}
		s := &script{chunks: []string{string(data)}, cut: cut}
		if len(data) == 0 {
			s.chunks = nil
		}
		r := buffered.NewReceiver(s, &buffered.Config{ReadAhead: readAhead})
		m := &model{all: data}
		for ; len(program) >= 2; program = program[2:] {
			step(t, r, m, delim, program[0], int(program[1]))
			if r.Buffered() > len(m.all) {
				t.Fatalf("%d bytes are buffered, of %d that there are", r.Buffered(), len(m.all))
			}
		}
		rest, err := io.ReadAll(reader(func(p []byte) (int, error) { return r.Receive(t.Context(), p) }))
		if err != nil || !bytes.Equal(rest, m.all) {
			t.Fatalf("the rest is %q, %v, want %q", rest, err, m.all)
		}
	})
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func step(t *testing.T, r *buffered.Receiver, m *model, delim []byte, op byte, n int) {
	ctx := t.Context()
	var got, want []byte
	var err, wantErr error
	switch op {
	case 'u':
		want, wantErr = m.until(delim, n+1)
		got, err = r.ReceiveUntil(ctx, delim, n+1)
	case 'e':
		got = make([]byte, n)
		err = r.ReceiveExactly(ctx, got)
		if want, wantErr = m.all, m.end(); n <= len(m.all) {
			want, wantErr = m.take(n), nil
		}
	case 'p':
		got, err = r.Peek(ctx, n)
		if want, wantErr = m.all, m.end(); n <= len(m.all) {
			want, wantErr = m.all[:n], nil
		}
	case 'f':
		fed := bytes.Repeat([]byte{op}, n)
		err = r.Feed(fed)
		m.feed(fed)
	case 'r':
		got = make([]byte, n+1)
		n, err = r.Receive(ctx, got)
		if got = got[:n]; err == nil {
			want = m.take(min(n, len(m.all)))
		} else {
			wantErr = m.end()
		}
	}
	if wantErr == errAny && err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return
	}
	if err != wantErr {
		t.Fatalf("%c %d returned %v, want %v", op, n, err, wantErr)
	}
	if err == nil && !bytes.Equal(got, want) {
		t.Fatalf("%c %d returned %q, want %q", op, n, got, want)
	}
}
