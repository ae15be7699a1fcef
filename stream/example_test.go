package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

func ExampleCopy() {
	ctx := context.Background()
	client, server := memory.Pipe(nil)
	defer client.Close()
	defer server.Close()
	if _, err := client.Send(ctx, []byte("say it again")); err != nil {
		fmt.Println(err)
	}
	if err := client.SendEOF(ctx); err != nil {
		fmt.Println(err)
	}

	n, err := stream.Copy(ctx, server, server) // an echo server
	fmt.Println(n, err)
	p := make([]byte, 64)
	n2, err := client.Receive(ctx, p)
	fmt.Printf("%s %v\n", p[:n2], err)
	// Output:
	// 12 <nil>
	// say it again <nil>
}

func ExampleStaple() {
	ctx := context.Background()
	output, program := memory.Pipe(nil) // two pipes, such as those of a process
	input, user := memory.Pipe(nil)
	s := stream.Staple(output, input)
	defer user.Close()
	defer program.Close()
	defer s.Close() // closes output and input

	if _, err := s.Send(ctx, []byte("question")); err != nil {
		fmt.Println(err)
	}
	if _, err := program.Send(ctx, []byte("answer")); err != nil {
		fmt.Println(err)
	}
	p := make([]byte, 64)
	n, err := user.Receive(ctx, p)
	fmt.Printf("%s %v\n", p[:n], err)
	n, err = s.Receive(ctx, p)
	fmt.Printf("%s %v\n", p[:n], err)
	// Output:
	// question <nil>
	// answer <nil>
}

func ExampleStapleObjects() {
	ctx := context.Background()
	requests, in := memory.New[string](1)
	out, replies := memory.New[string](1)
	server := stream.StapleObjects(in, out)
	defer server.Close()

	if err := requests.Send(ctx, "ping"); err != nil {
		fmt.Println(err)
	}
	request, err := server.Receive(ctx)
	fmt.Println(request, err)
	if err := server.Send(ctx, "pong"); err != nil {
		fmt.Println(err)
	}
	reply, err := replies.Receive(ctx)
	fmt.Println(reply, err)
	// Output:
	// ping <nil>
	// pong <nil>
}

func ExampleChunks() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer b.Close()
	if _, err := a.Send(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
	}
	a.Close()

	for chunk, err := range stream.Chunks(ctx, b, make([]byte, 3)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", chunk)
	}
	// Output:
	// hel
	// lo
}

func ExampleItems() {
	ctx := context.Background()
	s, r := memory.New[int](2)
	defer r.Close()
	for i := range 2 {
		if err := s.Send(ctx, i); err != nil {
			fmt.Println(err)
		}
	}
	s.Close()

	for item, err := range stream.Items(ctx, r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(item)
	}
	// Output:
	// 0
	// 1
}

func ExampleNewReader() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer b.Close()
	if _, err := fmt.Fprintf(stream.NewWriter(ctx, a), "%d bottles", 99); err != nil {
		fmt.Println(err)
	}
	a.Close()

	words := bufio.NewScanner(stream.NewReader(ctx, b))
	words.Split(bufio.ScanWords)
	for words.Scan() {
		fmt.Println(words.Text())
	}
	fmt.Println(words.Err())
	// Output:
	// 99
	// bottles
	// <nil>
}

func ExampleFromObjects() {
	ctx := context.Background()
	near, far := memory.ObjectPipe[[]byte](2)
	s := stream.FromObjects(near)
	defer s.Close()
	defer far.Close()

	if err := far.Send(ctx, []byte("a message")); err != nil {
		fmt.Println(err)
	}
	p := make([]byte, 5)
	n, err := s.Receive(ctx, p)
	fmt.Printf("%q %v\n", p[:n], err)
	unread, err := stream.Unread.Get(s)
	fmt.Println(unread, err)
	// Output:
	// "a mes" <nil>
	// 4 <nil>
}

func ExampleToObjects() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer b.Close()
	o := stream.ToObjects(a)
	defer o.Close()

	for _, item := range []string{"two ", "items"} {
		if err := o.Send(ctx, []byte(item)); err != nil {
			fmt.Println(err)
		}
	}
	p := make([]byte, 64)
	n, err := b.Receive(ctx, p)
	fmt.Printf("%s %v\n", p[:n], err) // bytes have no boundaries
	// Output: two items <nil>
}

func ExampleShutdown() {
	ctx := context.Background()
	client, server := memory.Pipe(nil)
	server.Close() // the peer says goodbye first

	fmt.Println(stream.Shutdown(ctx, client))
	_, err := client.Send(ctx, []byte("too late"))
	fmt.Println(err)
	// Output:
	// <nil>
	// use of closed network connection
}

func ExampleAbort() {
	ctx := context.Background()
	client, server := memory.Pipe(nil)
	defer server.Close()
	if err := stream.Abort(client, errors.New("out of patience")); err != nil {
		fmt.Println(err)
	}
	_, err := server.Receive(ctx, make([]byte, 1))
	fmt.Println(errors.Is(err, stream.ErrBroken), err == io.EOF)
	// Output: true false
}

func ExampleWaitReceive() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	if _, err := a.Send(ctx, []byte("x")); err != nil {
		fmt.Println(err)
	}

	// No buffer is needed while nothing has come.
	if err := stream.WaitReceive(ctx, b); err != nil {
		fmt.Println(err)
	}
	p := make([]byte, 16)
	n, err := b.Receive(ctx, p)
	fmt.Println(n, err)
	// Output: 1 <nil>
}

func ExampleSendBuffers() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	header, body := []byte("5:"), []byte("hello")
	n, err := stream.SendBuffers(ctx, a, [][]byte{header, body})
	fmt.Println(n, err)
	p := make([]byte, 16)
	m, err := b.Receive(ctx, p)
	fmt.Printf("%s %v\n", p[:m], err)
	// Output:
	// 7 <nil>
	// 5:hello <nil>
}

func ExampleTrySend() {
	a, b := memory.Pipe(&memory.Config{Buffer: 4})
	defer a.Close()
	defer b.Close()
	n, err := stream.TrySend(a, []byte("too much"))
	fmt.Println(n, err)
	// Output: 4 operation would block
}

// counter counts what is received through it. WaitReceive, Shutdown and Abort
// go on working.
type counter struct {
	stream.Wrapper
	received int
}

func (c *counter) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := c.Wrapper.Receive(ctx, p)
	c.received += n
	return n, err
}

func ExampleWrapper() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	c := &counter{Wrapper: stream.Wrapper{ByteStream: b}}
	defer c.Close()
	if _, err := a.Send(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
	}
	a.Close()

	_, err := stream.Copy(ctx, new(taking), c)
	fmt.Println(c.received, err)
	// Output: 5 <nil>
}

// zeros is an endless stream of them.
type zeros struct {
	receiving structured.Guard
	closed    atomic.Bool
}

func (z *zeros) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := stream.Enter(ctx, &z.receiving, &z.closed); err != nil {
		return 0, err
	}
	defer z.receiving.Leave()
	clear(p)
	return len(p), nil
}

func (z *zeros) Attributes() *attr.Set { return nil }

func (z *zeros) Close() error {
	z.closed.Store(true)
	return nil
}

func ExampleEnter() {
	z := new(zeros)
	n, err := z.Receive(context.Background(), make([]byte, 3))
	fmt.Println(n, err)
	z.Close()
	n, err = z.Receive(context.Background(), make([]byte, 3))
	fmt.Println(n, err)
	// Output:
	// 3 <nil>
	// 0 use of closed network connection
}

func ExampleContextError() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("the server is restarting"))

	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	_, err := b.Receive(ctx, make([]byte, 1))
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.Canceled), errors.Is(err, context.Cause(ctx)))
	// Output:
	// context canceled: the server is restarting
	// true true
}
