package signals

import (
	"context"
	"net"
	"os"
	"os/signal"
	"reflect"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A Receiver is a stream of the signals that it was opened for. Several
// goroutines may receive at once: each signal goes to one of them. It has no
// attributes and no end.
type Receiver struct {
	kinds   []os.Signal
	pending []chan os.Signal // one for each of kinds, with room for one signal
	done    chan struct{}    // closed by Close
	close   sync.Once
}

var _ stream.ObjectReceiver[os.Signal] = (*Receiver)(nil)

// Open returns a receiver of signals of the given kinds, which from now on do
// not have their usual effect on the program. Naming a kind twice changes
// nothing. Open panics when there is no kind, and when one can never be
// received, as SIGKILL.
func Open(kinds ...os.Signal) *Receiver {
	if len(kinds) == 0 {
		panic("signals: Open: no signals: name those to receive")
	}
	r := &Receiver{done: make(chan struct{})}
	seen := make(map[os.Signal]bool)
	for _, kind := range kinds {
		if uncatchable(kind) {
			panic("signals: Open: " + kind.String() + ": nobody can receive this signal")
		}
		if seen[kind] {
			continue
		}
		seen[kind] = true
		// Notify drops what a channel has no room for. A channel of its own
		// is what keeps a kind safe from a storm of another.
		ch := make(chan os.Signal, 1)
		r.kinds, r.pending = append(r.kinds, kind), append(r.pending, ch)
		open.enter(kind)
		signal.Notify(ch, kind)
	}
	return r
}

// Receive waits for a signal. A canceled Receive has taken none.
func (r *Receiver) Receive(ctx context.Context) (os.Signal, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	select {
	case <-r.done:
		return nil, net.ErrClosed
	default:
	}
	cases := []reflect.SelectCase{receiveFrom(ctx.Done()), receiveFrom(r.done)}
	for _, ch := range r.pending {
		cases = append(cases, receiveFrom(ch))
	}
	switch chosen, sig, _ := reflect.Select(cases); chosen {
	case 0:
		return nil, stream.ContextError(ctx)
	case 1:
		return nil, net.ErrClosed
	default:
		return sig.Interface().(os.Signal), nil
	}
}

func receiveFrom(ch any) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)}
}

// Close gives the signals back to whoever else handles them: another Receiver,
// another user of os/signal, or the system. It wakes blocked calls with
// net.ErrClosed. Signals that arrived and that nobody received are raised
// again, unless another Receiver had them too; other users of os/signal may
// see them twice. The error is always nil.
func (r *Receiver) Close() error {
	r.close.Do(func() {
		close(r.done)
		for i, ch := range r.pending {
			signal.Stop(ch) // nothing is sent to ch after this
			open.leave(r.kinds[i])
		}
		for _, ch := range r.pending {
			select {
			case sig := <-ch:
				if !open.received(sig) {
					raise(sig)
				}
			default:
			}
		}
	})
	return nil
}

// Attributes returns nil: nothing is known about a stream of signals.
func (r *Receiver) Attributes() *attr.Set { return nil }
