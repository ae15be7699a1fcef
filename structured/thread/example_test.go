package thread_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/structured/thread"
)

func ExampleRun() {
	limiter := structured.NewCapacityLimiter(2) // at most two at the same time
	sums, err := structured.Map(context.Background(), []int{10, 100, 1000}, 0,
		func(ctx context.Context, n int) (int, error) {
			return thread.Run(ctx, limiter, func(context.Context) (int, error) {
				sum := 0
				for i := range n {
					sum += i
				}
				return sum, nil
			})
		})
	fmt.Println(sums, err)
	// Output: [45 4950 499500] <nil>
}

func ExampleAbandon() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	answer := make(chan int)
	_, err := thread.Abandon(ctx, nil, func(context.Context) (int, error) {
		return <-answer, nil // as a C library that cannot be interrupted
	})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	answer <- 42 // the call ends in its own time
	// Output: true
}

func ExamplePool() {
	p := thread.NewPool(nil)
	defer p.Close()
	v, err := thread.Locked(context.Background(), p, func(context.Context) (string, error) {
		return "alone on its thread", nil
	})
	fmt.Println(v, err)
	// Output: alone on its thread <nil>
}
