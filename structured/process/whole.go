package process

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/strata-go/strata/stream"
)

// sendAll sends the whole input and its end. A process that does not want all
// of it is in order.
func (s *Sender) sendAll(ctx context.Context, input []byte) error {
	_, err := s.Send(ctx, input)
	if err == nil {
		err = s.SendEOF(ctx)
	}
	if errors.Is(err, stream.ErrBroken) {
		return nil
	}
	return err
}

// receiveAll receives the whole output, up to its end. When ctx is done, which
// it is only after the end of the process, it still returns all that the
// process has written.
func (r *Receiver) receiveAll(ctx context.Context) (out []byte, err error) {
	for err == nil {
		out, err = r.receiveMore(ctx, out)
	}
	if ctx.Err() != nil && err != io.EOF {
		return r.receiveRest(out, err)
	}
	if err == io.EOF {
		err = nil
	}
	return out, err
}

// pipeCapacity is more than a pipe holds.
const pipeCapacity = 1 << 20

// receiveRest receives what is in the pipe, without waiting: that is where the
// last that the process wrote must be. It returns err if that is not the end.
func (r *Receiver) receiveRest(out []byte, err error) ([]byte, error) {
	for limit := len(out) + pipeCapacity; len(out) < limit && readable(r.file); {
		var restErr error
		out, restErr = r.receiveMore(context.Background(), out)
		if restErr == io.EOF {
			return out, nil
		}
		if restErr != nil {
			return out, restErr
		}
	}
	return out, err
}

const leastRoom = 512

// receiveMore appends what one Receive returns.
func (r *Receiver) receiveMore(ctx context.Context, out []byte) ([]byte, error) {
	if cap(out)-len(out) < leastRoom {
		out = slices.Grow(out, max(leastRoom, len(out)))
	}
	n, err := r.Receive(ctx, out[len(out):cap(out)])
	return out[:len(out)+n], err
}
