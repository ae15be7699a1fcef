//go:build unix

package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/relay"
	"github.com/strata-go/strata/structured/process"
	"github.com/strata-go/strata/text"
)

func ExampleRun() {
	result, err := process.Run(context.Background(), process.Cmd{
		Args:  []string{"sort"},
		Input: []byte("pear\napple\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", result.Stdout)
	// Output:
	// apple
	// pear
}

func ExampleRun_timeout() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	result, err := process.Run(ctx, process.Cmd{Args: []string{"sleep", "1000"}})
	fmt.Println(errors.Is(err, context.DeadlineExceeded), result.State)
	// Output: true signal: terminated
}

func ExampleExitError() {
	_, err := process.Run(context.Background(), process.Cmd{
		Args: []string{"sh", "-c", "echo no such thing >&2; exit 3"},
	})
	fmt.Println(err)
	if exit, ok := errors.AsType[*process.ExitError](err); ok {
		fmt.Printf("%d: %s", exit.State.ExitCode(), exit.Stderr)
	}
	// Output:
	// process: sh: exit status 3
	// 3: no such thing
}

// A conversation with a process, line by line.
func ExampleOpen() {
	ctx := context.Background()
	p, err := process.Open(ctx, process.Cmd{
		Args: []string{"sh", "-c", "while read name; do echo hello, $name; done"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	if _, err := p.Stdin().Send(ctx, []byte("Ada\nGrace\n")); err != nil {
		fmt.Println(err)
		return
	}
	if err := p.Stdin().SendEOF(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for line, err := range text.NewReceiver(p.Stdout(), nil).Lines(ctx, 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(line)
	}
	state, err := p.Wait(ctx)
	fmt.Println(state, err)
	// Output:
	// hello, Ada
	// hello, Grace
	// exit status 0 <nil>
}

// A program speaks to a connection, as under inetd.
func ExampleProcess_Stdin() {
	ctx := context.Background()
	client, server := memory.Pipe(nil)
	defer client.Close()
	if _, err := client.Send(ctx, []byte("shout")); err != nil {
		fmt.Println(err)
		return
	}
	if err := client.SendEOF(ctx); err != nil {
		fmt.Println(err)
		return
	}

	p, err := process.Open(ctx, process.Cmd{Args: []string{"tr", "a-z", "A-Z"}, Stderr: process.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	if _, err := relay.Run(ctx, server, stream.Staple(p.Stdout(), p.Stdin()), nil); err != nil {
		fmt.Println(err)
		return
	}
	buf := make([]byte, 16)
	n, err := client.Receive(ctx, buf)
	fmt.Println(string(buf[:n]), err)
	// Output: SHOUT <nil>
}

func ExampleProcess_Terminate() {
	ctx := context.Background()
	p, err := process.Open(ctx, process.Cmd{
		Args:  []string{"sh", "-c", "trap '' TERM; echo I will not; exec sleep 1000"},
		Grace: 10 * time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	buf := make([]byte, 16)
	n, err := p.Stdout().Receive(ctx, buf)
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := p.Terminate(ctx)
	fmt.Printf("%s%v %v\n", buf[:n], state, err)
	// Output:
	// I will not
	// signal: killed <nil>
}

func ExampleProcess_Signal() {
	ctx := context.Background()
	p, err := process.Open(ctx, process.Cmd{Args: []string{"sleep", "1000"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		fmt.Println(err)
		return
	}
	state, err := p.Wait(ctx)
	fmt.Println(state, err)
	// Output: signal: user defined signal 1 <nil>
}

// With Group nothing is left of what a script has started.
func ExampleCmd_group() {
	result, err := process.Run(context.Background(), process.Cmd{
		Args:  []string{"sh", "-c", "sleep 1000 & echo started"},
		Group: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", result.Stdout)
	// Output: started
}

// Without it the output does not end with the process.
func ExampleHeldError() {
	hold, release, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer hold.Close()
	defer release.Close()
	result, err := process.Run(context.Background(), process.Cmd{
		Args:       []string{"sh", "-c", "exec 2>&-; cat <&3 & echo started"},
		ExtraFiles: []*os.File{hold},
		Linger:     10 * time.Millisecond,
	})
	fmt.Printf("%s%v\n", result.Stdout, err)
	// Output:
	// started
	// process: sh: ended, but another process holds its stdout
}

func ExampleStdio() {
	result, err := process.Run(context.Background(), process.Cmd{
		Args:   []string{"sh", "-c", "echo one; echo two >&2"},
		Stdin:  process.Discard,
		Stderr: process.ToStdout,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", result.Stdout)
	// Output:
	// one
	// two
}

func ExampleState() {
	p, err := process.Open(context.Background(), process.Cmd{Args: []string{"cat"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	fmt.Println(process.State.Get(p.Stdout()))
	// Output: running <nil>
}
