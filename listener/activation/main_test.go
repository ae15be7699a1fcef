//go:build unix

package activation_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/activation"
	"github.com/strata-go/strata/stream"
)

// role is the variable that makes another process of the test's program.
const role = "STRATA_ACTIVATION_TEST"

func TestMain(m *testing.M) {
	roles := map[string]func() error{
		"serve": serveAsNew, "serve prepared": servePrepared, "generation": serveGeneration,
		"describe": describe, "end": func() error { return nil }, "die": die, "hang": hang,
	}
	if run, ok := roles[os.Getenv(role)]; ok {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// greet tells every client who serves it.
func greet[S stream.ByteStream](who string) func(context.Context, S) error {
	return func(ctx context.Context, s S) error {
		_, err := s.Send(ctx, []byte(who))
		return err
	}
}

// serveAsNew serves all that it was started with until its input ends.
func serveAsNew() error {
	return serveOver(func(handed []activation.Handed) stream.Listener[stream.ByteStream] {
		lns := make([]stream.Listener[stream.ByteStream], len(handed))
		for i, h := range handed {
			lns[i] = h.Listener.(stream.Listener[stream.ByteStream])
		}
		return listener.Multi(lns...)
	})
}

// serveOver serves what over makes of what the process was started with until
// its input ends.
func serveOver(over func([]activation.Handed) stream.Listener[stream.ByteStream]) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // ends with the process
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	handed, err := inherited()
	if err != nil {
		return err
	}
	return listener.Serve(ctx, over(handed), greet[stream.ByteStream]("new"), &listener.Config[stream.ByteStream]{
		Ready: func() {
			if err := activation.Ready(ctx); err != nil {
				panic(err)
			}
		},
	})
}

// inherited are the listeners that this process was started with, to be handed
// on.
func inherited() ([]activation.Handed, error) {
	sockets, err := activation.Sockets()
	if err != nil {
		return nil, err
	}
	var handed []activation.Handed
	for _, s := range sockets {
		ln, err := s.Listener()
		if err != nil {
			return nil, err
		}
		handed = append(handed, activation.Handed{Name: s.Name, Listener: ln})
	}
	return handed, nil
}

// describe tells what it was started with, and what children would find.
func describe() error {
	sockets, err := activation.Sockets()
	if err != nil {
		return err
	}
	for _, s := range sockets {
		fmt.Printf("%q %s\n", s.Name, s.Network)
	}
	again, err := activation.Sockets()
	fmt.Println(len(again), err)
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_, set := os.LookupEnv(name)
		fmt.Println(name, set)
	}
	fmt.Println(closeOnExec(3), closeOnExec(4))
	return activation.Ready(context.Background())
}

// die ends with the listeners in hand, before it said that it is ready.
func die() error {
	if _, err := inherited(); err != nil {
		return err
	}
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// hang says that it runs and nothing else.
func hang() error {
	fmt.Println("up")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
