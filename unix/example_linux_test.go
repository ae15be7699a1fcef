package unix_test

import (
	"context"
	"fmt"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/unix"
)

// A server whose requests are packets, in order: one Receive, one request.
func ExampleListenSeqpacket() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ln, err := unix.ListenSeqpacket(ctx, "", nil) // at a name that the kernel chooses
	if err != nil {
		fmt.Println(err)
		return
	}
	addr, _ := unix.LocalAddr.Lookup(ln)
	served := make(chan error)
	go func() {
		served <- listener.Serve(ctx, ln, func(ctx context.Context, c *unix.SeqpacketConn) error {
			for request, err := range stream.Items(ctx, c) {
				if err != nil {
					return err
				}
				if err := c.Send(ctx, fmt.Appendf(nil, "%d bytes", len(request))); err != nil {
					return err
				}
			}
			return nil
		}, nil)
	}()
	if err := request(ctx, &unix.SeqpacketConnector{Name: addr.String()}, "ping", "", "a longer one"); err != nil {
		fmt.Println(err)
	}
	stop()
	fmt.Println("served:", <-served)
	// Output:
	// 4 bytes
	// 0 bytes
	// 12 bytes
	// served: <nil>
}

func request(ctx context.Context, to *unix.SeqpacketConnector, requests ...string) error {
	c, err := to.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, r := range requests {
		if err := c.Send(ctx, []byte(r)); err != nil {
			return err
		}
	}
	if err := c.SendEOF(ctx); err != nil {
		return err
	}
	for answer, err := range stream.Items(ctx, c) {
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", answer)
	}
	return nil
}
