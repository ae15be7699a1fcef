//go:build unix

package activation_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/activation"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// A server listens where it was told to, or else by itself.
func ExampleSockets() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ln, err := listen(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = listener.Serve(ctx, ln, func(context.Context, stream.ByteStream) error { return nil },
		&listener.Config[stream.ByteStream]{Ready: func() {
			fmt.Println("ready:", activation.Ready(ctx))
			stop() // where a real server would go on
		}})
	fmt.Println("served:", err)
	// Output:
	// ready: <nil>
	// served: <nil>
}

func listen(ctx context.Context) (stream.Listener[stream.ByteStream], error) {
	sockets, err := activation.Sockets()
	if err != nil {
		return nil, err
	}
	if len(sockets) > 0 {
		return sockets[0].Listener()
	}
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, err
	}
	return listener.Of(ln), nil
}

// A server starts its successor, and stops once that serves.
func ExampleHandOver() {
	ctx := context.Background()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	addr, _ := tcp.LocalAddr.Lookup(ln)
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error)
	go func() { served <- listener.Serve(serving, ln, greet[*tcp.Conn]("old"), nil) }()

	cmd, end := newVersion()
	successor, err := activation.HandOver(ctx, cmd, activation.Handed{Name: "greeter", Listener: ln})
	if err != nil {
		fmt.Println("still serving:", err)
		return
	}
	stop()
	fmt.Println("served:", <-served)
	fmt.Println(whoServes(ctx, &tcp.Connector{Addr: addr.String()}))
	end()
	fmt.Println("successor:", successor.Wait(ctx))
	// Output:
	// served: <nil>
	// new <nil>
	// successor: <nil>
}

// newVersion is what the example has for a new version of the program: this one,
// which takes its listeners from Sockets and greets as "new" until end.
func newVersion() (cmd *exec.Cmd, end func() error) {
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=serve")
	input, err := cmd.StdinPipe()
	if err != nil {
		cmd.Err = err
	}
	return cmd, input.Close
}
