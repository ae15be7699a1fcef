//go:build unix

package activation_test

import (
	"context"
	"fmt"

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
