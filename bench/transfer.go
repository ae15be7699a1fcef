package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// An end is one end of a connection, ours or a bare one.
type end interface {
	Receive(ctx context.Context, p []byte) (int, error)
	Send(ctx context.Context, p []byte) (int, error)
	Close() error
}

var _ end = stream.ByteStream(nil)

// bare is an end of theirs, which knows no contexts.
type bare struct{ net.Conn }

func (b bare) Receive(_ context.Context, p []byte) (int, error) { return b.Read(p) }
func (b bare) Send(_ context.Context, p []byte) (int, error)    { return b.Write(p) }

// An ending is something to close: a stream, a net.Conn or an end.
type ending interface{ Close() error }

// background runs f, which ends once c is closed, until the clean-up.
func (undo *cleanup) background(c ending, f func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	undo.add(func() error { return errors.Join(c.Close(), <-done) })
}

// messageSize is what goes to and fro in a ping-pong, a line, and what one
// ready read takes.
const messageSize = 64

// line is such a message.
var line = append(bytes.Repeat([]byte("x"), messageSize-2), "\r\n"...)

// pingPong sends a message from a to b and waits until it is back.
func pingPong(undo *cleanup, a, b end, p policy) side {
	undo.add(b.Close)
	undo.background(a, func() error { return echo(b, p) })
	message := bytes.Clone(line)
	send, receive := sendAll(a, message), receiveAll(a, message)
	return func(_ *watch, n int) error {
		for range n {
			if err := p.do(send); err != nil {
				return err
			}
			if err := p.do(receive); err != nil {
				return err
			}
		}
		return nil
	}
}

// echo sends back what comes, until the end.
func echo(e end, p policy) error {
	message := make([]byte, messageSize)
	send, receive := sendAll(e, message), receiveAll(e, message)
	for {
		if err := p.do(receive); err != nil {
			return unlessEOF(err)
		}
		if err := p.do(send); err != nil {
			return err
		}
	}
}

// bulkSize is what one Send takes in a bulk transfer, and the room a Receive
// has.
const bulkSize = 64 << 10

// bulk sends from a and waits, after the last of n, until b has it all.
func bulk(undo *cleanup, a, b end, p policy) side {
	expect, arrived := make(chan int), make(chan error, 1)
	undo.add(b.Close)
	undo.background(a, func() error { return drain(b, p, expect, arrived) })
	undo.add(func() error { close(expect); return nil })
	send := sendAll(a, make([]byte, bulkSize))
	return func(_ *watch, n int) error {
		expect <- n * bulkSize
		for range n {
			if err := p.do(send); err != nil {
				return err
			}
		}
		return <-arrived
	}
}

// drain receives as many bytes as it is told to, and says when it has them.
func drain(e end, p policy, expect <-chan int, arrived chan<- error) error {
	buf := make([]byte, bulkSize)
	var got int
	receive := func(ctx context.Context) error {
		n, err := e.Receive(ctx, buf)
		got += n
		return err
	}
	for want := range expect {
		got = 0
		var err error
		for got < want && err == nil {
			err = p.do(receive)
		}
		arrived <- err
	}
	return nil
}

func sendAll(e end, p []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := e.Send(ctx, p)
		return err
	}
}

func receiveAll(e end, p []byte) func(context.Context) error {
	return func(ctx context.Context) error {
		for got := 0; got < len(p); {
			n, err := e.Receive(ctx, p[got:])
			if err != nil {
				return err
			}
			got += n
		}
		return nil
	}
}

// unlessEOF drops what a peer's orderly end looks like.
func unlessEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
