package stream_test

import (
	"context"
	"io"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// fake is a byte stream without capabilities that writes down the calls it
// gets and answers as its fields say.
type fake struct {
	calls      []string
	pieces     []string // what Receive returns, then receiveErr
	receiveErr error    // nil means io.EOF
	sent       []string
	sendErr    error // together with sendN
	sendN      int
	eofErr     error
	closeErr   error
	facts      *attr.Set
}

var _ stream.ByteStream = (*fake)(nil)

func (f *fake) Attributes() *attr.Set { return f.facts }

func (f *fake) Receive(ctx context.Context, p []byte) (int, error) {
	f.calls = append(f.calls, "Receive")
	if err := stream.ContextError(ctx); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if len(f.pieces) > 0 {
		n := copy(p, f.pieces[0])
		f.pieces = f.pieces[1:]
		return n, nil
	}
	if f.receiveErr != nil {
		return 0, f.receiveErr
	}
	return 0, io.EOF
}

func (f *fake) Send(ctx context.Context, p []byte) (int, error) {
	f.calls = append(f.calls, "Send")
	if err := stream.ContextError(ctx); err != nil {
		return 0, err
	}
	if f.sendErr != nil || f.sendN > 0 {
		return f.sendN, f.sendErr
	}
	f.sent = append(f.sent, string(p))
	return len(p), nil
}

func (f *fake) SendEOF(ctx context.Context) error {
	f.calls = append(f.calls, "SendEOF")
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	return f.eofErr
}

func (f *fake) Close() error {
	f.calls = append(f.calls, "Close")
	return f.closeErr
}

// able is a fake with every capability; each returns err.
type able struct {
	fake
	err   error
	sentN int64
}

func (a *able) WaitReceive(context.Context) error { return a.answer("WaitReceive") }

func (a *able) SendBuffers(context.Context, [][]byte) (int64, error) {
	return a.sentN, a.answer("SendBuffers")
}

func (a *able) TrySend([]byte) (int, error) { return int(a.sentN), a.answer("TrySend") }

func (a *able) Shutdown(context.Context) error { return a.answer("Shutdown") }

func (a *able) Abort(cause error) error { return a.answer("Abort: " + cause.Error()) }

func (a *able) answer(call string) error {
	a.calls = append(a.calls, call)
	return a.err
}

// receiver and sender hide what else a fake can do.
type receiver struct{ stream.ByteReceiver }

type sender struct{ stream.ByteSender }

// objects is fake for strings as items.
type objects struct {
	calls      []string
	items      []string // what Receive returns, then receiveErr
	receiveErr error    // nil means io.EOF
	sent       []string
	sendErr    error
	closeErr   error
	facts      *attr.Set
}

func (o *objects) Attributes() *attr.Set { return o.facts }

func (o *objects) Receive(context.Context) (string, error) {
	o.calls = append(o.calls, "Receive")
	if len(o.items) > 0 {
		item := o.items[0]
		o.items = o.items[1:]
		return item, nil
	}
	if o.receiveErr != nil {
		return "half an item", o.receiveErr
	}
	return "", io.EOF
}

func (o *objects) Send(_ context.Context, item string) error {
	o.calls = append(o.calls, "Send")
	if o.sendErr == nil {
		o.sent = append(o.sent, item)
	}
	return o.sendErr
}

func (o *objects) Close() error {
	o.calls = append(o.calls, "Close")
	return o.closeErr
}

// ableObjects is objects with every capability; each returns err.
type ableObjects struct {
	objects
	err error
}

func (a *ableObjects) TrySend(string) error { return a.answer("TrySend") }

func (a *ableObjects) SendEOF(context.Context) error { return a.answer("SendEOF") }

func (a *ableObjects) Abort(cause error) error { return a.answer("Abort: " + cause.Error()) }

func (a *ableObjects) answer(call string) error {
	a.calls = append(a.calls, call)
	return a.err
}
