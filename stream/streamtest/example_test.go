package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
)

// A test of one's own stream is a maker and one call.
func ExampleTestByteStream() {
	pipe := func(context.Context) (a, b stream.ByteStream, err error) {
		a, b = memory.Pipe(&memory.Config{Buffer: 4096})
		return a, b, nil
	}
	_ = func(t *testing.T) { // TestConformance, in a file of tests
		streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Holds: 4096})
	}
}

// A check is a value, which a negative control runs against a stream with a
// fault: this one answers a canceled Receive with an error of its own.
func ExampleByteStreamChecks() {
	m := &streamtest.Maker{Pipe: func(context.Context) (a, b stream.ByteStream, err error) {
		c, d := memory.Pipe(nil)
		return causeLoser{stream.Wrapper{ByteStream: c}}, causeLoser{stream.Wrapper{ByteStream: d}}, nil
	}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, c := range streamtest.ByteStreamChecks() {
		if c.Name == "A canceled Receive took nothing" {
			fmt.Println(c.Run(ctx, m) != nil)
		}
	}
	// Output: true
}

type causeLoser struct{ stream.Wrapper }

func (c causeLoser) Receive(ctx context.Context, p []byte) (int, error) {
	n, err := c.ByteStream.Receive(ctx, p)
	if ctx.Err() != nil && err != nil {
		err = errors.New("canceled")
	}
	return n, err
}

// Code that takes what one Receive returns for a whole message fails on a
// stream that carries one byte at a time.
func ExampleNewOneByte() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	s := streamtest.NewOneByte(b)
	defer s.Close()
	if _, err := a.Send(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	buf := make([]byte, 16)
	n, err := s.Receive(ctx, buf)
	fmt.Printf("%q %v\n", buf[:n], err)
	// Output: "h" <nil>
}

// A connection that is lost breaks both directions with the same error.
func ExampleNewDying() {
	ctx := context.Background()
	a, _ := memory.Pipe(nil)
	s := streamtest.NewDying(a, 4, errors.New("the cable was cut"))
	defer s.Close()
	n, err := s.Send(ctx, []byte("hello"))
	fmt.Println(n, err)
	_, err = s.Receive(ctx, make([]byte, 16))
	fmt.Println(err)
	// Output:
	// 4 stream broken: the cable was cut
	// stream broken: the cable was cut
}
