package buffered_test

import (
	"context"
	"fmt"
	"log"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

func ExampleStream_ReceiveUntil() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	if _, err := b.Send(ctx, []byte("250 OK\r\n220 go ahead\r\n")); err != nil {
		log.Fatal(err)
	}

	s := buffered.New(a, nil)
	line, err := s.ReceiveUntil(ctx, []byte("\r\n"), 512)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, and %d bytes were read ahead\n", line, s.Buffered())
	// Output: 250 OK, and 14 bytes were read ahead
}

func ExampleStream_Until() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	if _, err := b.Send(ctx, []byte("one;two;three;")); err != nil {
		log.Fatal(err)
	}
	b.Close()

	for piece, err := range buffered.New(a, nil).Until(ctx, []byte(";"), 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", piece)
	}
	// Output:
	// one
	// two
	// three
}

func ExampleStream_Detach() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	if _, err := b.Send(ctx, []byte("header\nbody")); err != nil {
		log.Fatal(err)
	}

	s := buffered.New(a, nil)
	if _, err := s.ReceiveUntil(ctx, []byte("\n"), 0); err != nil {
		log.Fatal(err)
	}
	inner, leftover, err := s.Detach()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s goes with it: %t\n", leftover, inner == stream.ByteStream(a))
	// Output: body goes with it: true
}

func ExampleReceiver_Peek() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	if _, err := b.Send(ctx, []byte{0x16, 0x03, 0x01}); err != nil {
		log.Fatal(err)
	}

	r := buffered.NewReceiver(a, nil)
	head, err := r.Peek(ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("TLS:", head[0] == 0x16, "still there:", r.Buffered())
	// Output: TLS: true still there: 3
}
func ExampleConnector() {
	ctx := context.Background()
	ln := memory.Listen(nil)
	defer ln.Close()

	s, err := buffered.NewConnector(ln, nil).Connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	fmt.Println(s.Buffered())
	// Output: 0
}

func ExampleNewFrames() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	client := buffered.NewFrames[[]byte](buffered.New(a, nil), buffered.LengthPrefixed{Size: 2})
	server := buffered.NewFrames[[]byte](buffered.New(b, nil), buffered.LengthPrefixed{Size: 2})
	defer client.Close()
	defer server.Close()

	for _, item := range []string{"first", "", "third"} {
		if err := client.Send(ctx, []byte(item)); err != nil {
			log.Fatal(err)
		}
	}
	if err := client.SendEOF(ctx); err != nil {
		log.Fatal(err)
	}
	for item, err := range stream.Items(ctx, server) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", item)
	}
	// Output:
	// "first"
	// ""
	// "third"
}
