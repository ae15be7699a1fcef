package endpoint_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/endpoint"
)

// A server that listens where its flag says, and a client that connects there.
func Example() {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	where := flags.String("listen", "unix:/run/app.sock", "where to listen")
	if err := flags.Parse([]string{"-listen", "tcp://localhost:0"}); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ln, err := endpoint.Listen(ctx, *where, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() {
		served <- listener.Serve(ctx, ln, func(ctx context.Context, s stream.ByteStream) error {
			_, err := s.Send(ctx, []byte("hello"))
			return err
		}, nil)
	}()
	greeting, err := ask(ctx, ln.URI())
	fmt.Printf("%s %v\n", greeting, err)
	stop()
	fmt.Println("served:", <-served)
	// Output:
	// hello <nil>
	// served: <nil>
}

func ask(ctx context.Context, uri string) (answer []byte, err error) {
	c, err := endpoint.NewConnector(uri, nil)
	if err != nil {
		return nil, err
	}
	s, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return io.ReadAll(stream.NewReader(ctx, s))
}

// What is wrong with a URI turns out before anything is connected.
func ExampleNewConnector_errors() {
	for _, uri := range []string{"localhost:80", "tcp://::1:80", "tcp://example.com", "unix://run/app.sock"} {
		_, err := endpoint.NewConnector(uri, nil)
		fmt.Println(err)
	}
	// Output:
	// endpoint: "localhost:80": unknown scheme "localhost": there are tcp, unix, and tls+ with each
	// endpoint: "tcp://::1:80": an IPv6 address goes into brackets
	// endpoint: "tcp://example.com": missing port
	// endpoint: "unix://run/app.sock": there is a host, and unix has none: write unix:path or unix:///path
}

// A program adds a scheme of its own, here one that leads to a listener in
// memory by its name. Another could be "quic".
func ExampleDialConfig() {
	ctx := context.Background()
	listeners := map[string]*memory.Listener{"echo": memory.Listen(nil)}
	cfg := &endpoint.DialConfig{
		Schemes: map[string]func(endpoint.Address) (stream.Connector[stream.ByteStream], error){
			"memory": func(a endpoint.Address) (stream.Connector[stream.ByteStream], error) {
				ln, ok := listeners[a.Rest]
				if !ok {
					return nil, fmt.Errorf("nobody listens at %q", a.Rest)
				}
				return endpoint.Of(ln), nil
			},
		},
	}
	for _, uri := range []string{"memory:echo", "memory:other"} {
		c, err := endpoint.NewConnector(uri, cfg)
		if err != nil {
			fmt.Println(err)
			continue
		}
		s, err := c.Connect(ctx)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%T\n", s)
		_ = s.Close()
	}
	// Output:
	// *memory.Conn
	// nobody listens at "other"
}
