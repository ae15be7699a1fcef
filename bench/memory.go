package main

import (
	"context"
	"net"
	"sync"

	"github.com/strata-go/strata/memory"
)

// memoryCases compare streams of items with a select on a channel and
// ctx.Done(), one operation being an item that goes through, and byte pipes
// in lockstep with net.Pipe.
var memoryCases = []benchCase{
	itemsCase("memory/buffered-1x1", 0.65, traffic{size: itemsBuffered, pairs: 1}),
	itemsCase("memory/unbuffered-1x1", 1.2, traffic{size: 0, pairs: 1}),
	itemsCase("memory/buffered-4x4", 1.2, traffic{size: itemsBuffered, pairs: 4}),
	itemsCase("memory/unbuffered-4x4", 0, traffic{size: 0, pairs: 4}),
	{
		Name:    "memory/pipe-pingpong",
		OneCore: true,
		Setup: func(undo *cleanup) (ours, theirs side, err error) {
			a, b := memory.Pipe(&memory.Config{Buffer: -1})
			c, d := net.Pipe()
			return pingPong(undo, a, b, oneContext), pingPong(undo, bare{c}, bare{d}, oneContext), nil
		},
		AllocFree: true,
	},
}

// itemsBuffered is the room for items on both sides.
const itemsBuffered = 64

// traffic is how many senders and receivers move items through how large a
// buffer.
type traffic struct{ size, pairs int }

func itemsCase(name string, target float64, tr traffic) benchCase {
	return benchCase{
		Name:      name,
		Target:    target,
		AllocFree: true,
		Setup: func(*cleanup) (ours, theirs side, err error) {
			return tr.streams(oneContext.ctx), tr.channels(oneContext.ctx), nil
		},
	}
}

func (tr traffic) streams(ctx context.Context) side {
	s, r := memory.New[int](tr.size)
	return tr.run(
		func(i int) error { return s.Send(ctx, i) },
		func() (int, error) { return r.Receive(ctx) })
}

func (tr traffic) channels(ctx context.Context) side {
	c := make(chan int, tr.size)
	return tr.run(
		func(i int) error {
			select {
			case c <- i:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		},
		func() (int, error) {
			select {
			case i := <-c:
				return i, nil
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		})
}

// run moves n items and sees to it that what came is what was sent.
func (tr traffic) run(send func(int) error, receive func() (int, error)) side {
	return func(_ *watch, n int) error {
		var wg sync.WaitGroup
		sums, errs := make([]int, tr.pairs), make([]error, 2*tr.pairs)
		for i := range tr.pairs {
			from, to := n*i/tr.pairs, n*(i+1)/tr.pairs
			wg.Go(func() {
				for item := from; item < to && errs[i] == nil; item++ {
					errs[i] = send(item)
				}
			})
			wg.Go(func() {
				sum := 0
				for range to - from {
					item, err := receive()
					if err != nil {
						errs[tr.pairs+i] = err
						return
					}
					sum += item
				}
				sums[i] = sum
			})
		}
		wg.Wait()
		return tr.check(n, sums, errs)
	}
}

func (tr traffic) check(n int, sums []int, errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	got := 0
	for _, sum := range sums {
		got += sum
	}
	return addUp(got, n*(n-1)/2)
}
