//go:build unix

package signals_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured/signals"
)

// interrupt stands for somebody who presses Ctrl-C.
func interrupt() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) }

func ExampleScope() {
	err := signals.Scope(context.Background(), func(ctx context.Context) error {
		interrupt()
		<-ctx.Done() // a server would serve until then
		return stream.ContextError(ctx)
	}, nil)
	if sig, ok := errors.AsType[*signals.Error](err); ok {
		fmt.Println("stopped by", sig.Signal)
	}
	// Output: stopped by interrupt
}

func ExampleReceiver() {
	r := signals.Open(os.Interrupt)
	defer r.Close()
	interrupt()
	for sig, err := range stream.Items(context.Background(), r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("received", sig)
		break
	}
	// Output: received interrupt
}
