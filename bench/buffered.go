package main

import (
	"bufio"
	"bytes"
	"context"
	"net"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/tcp"
)

// bufferedCases compare ReceiveUntil with bufio.Reader.ReadSlice, which both
// return views of a buffer of 4096 bytes: over a source that costs nothing,
// so that only the buffer counts; over a socket with more lines than the
// buffer holds; and in a dialogue over a socket, a line each way.
var bufferedCases = []benchCase{
	{
		Name:      "buffered/receive-until",
		Target:    1.2,
		AllocFree: true,
		Setup: func(*cleanup) (ours, theirs side, err error) {
			r := buffered.NewReceiver(&lines{}, nil)
			return receiveLines(r), readLines(bufio.NewReader(&lines{})), nil
		},
	},
	{
		Name:      "buffered/receive-until/tcp",
		Target:    1.2,
		AllocFree: true,
		OneCore:   true,
		Setup:     linesOverTCP,
	},
	{
		Name:      "buffered/receive-until/dialogue",
		Target:    1.2,
		AllocFree: true,
		OneCore:   true,
		Setup:     dialogue,
	},
}

// page is many of them.
var page = bytes.Repeat(line, 1024)

// lines is a source of lines that never ends and never waits.
type lines struct{ at int }

func (l *lines) Read(p []byte) (int, error) {
	n := copy(p, page[l.at:])
	l.at = (l.at + n) % len(page)
	return n, nil
}

func (l *lines) Receive(_ context.Context, p []byte) (int, error) { return l.Read(p) }
func (l *lines) Attributes() *attr.Set                            { return nil }
func (l *lines) Close() error                                     { return nil }

// linesOverTCP lets a bare peer write lines as fast as they are received.
func linesOverTCP(undo *cleanup) (ours, theirs side, err error) {
	a, peer, err := tcpPair()
	if err != nil {
		return nil, nil, err
	}
	r := buffered.NewReceiver(tcp.Wrap(a.(*net.TCPConn)), nil)
	ours = supplied(undo, peer, r, receiveLines(r))
	c, peer, err := tcpPair()
	if err != nil {
		return nil, nil, err
	}
	return ours, supplied(undo, peer, c, readLines(bufio.NewReader(c))), nil
}

// supplied has the peer write as many lines as receive will ask for.
func supplied(undo *cleanup, peer net.Conn, us ending, receive side) side {
	wanted := make(chan int)
	undo.add(us.Close)
	undo.background(peer, func() error {
		for n := range wanted {
			for n > 0 {
				m := min(n, len(page)/len(line))
				n -= m
				if _, err := peer.Write(page[:m*len(line)]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	undo.add(func() error { close(wanted); return nil })
	return func(w *watch, n int) error {
		wanted <- n
		return receive(w, n)
	}
}

func receiveLines(r *buffered.Receiver) side {
	ctx := oneContext.ctx
	return func(_ *watch, n int) error {
		sum := 0
		for range n {
			p, err := r.ReceiveUntil(ctx, lf, 0)
			if err != nil {
				return err
			}
			sum += len(p)
		}
		return addUp(sum, n*(len(line)-len(lf)))
	}
}

func readLines(r *bufio.Reader) side {
	return func(_ *watch, n int) error {
		sum := 0
		for range n {
			p, err := r.ReadSlice('\n')
			if err != nil {
				return err
			}
			sum += len(p)
		}
		return addUp(sum, n*len(line))
	}
}

// dialogue is a ping-pong of lines.
func dialogue(undo *cleanup) (ours, theirs side, err error) {
	a, b, err := tcpPair()
	if err != nil {
		return nil, nil, err
	}
	wrap := func(c net.Conn) end { return byLine{buffered.New(tcp.Wrap(c.(*net.TCPConn)), nil)} }
	ours = pingPong(undo, wrap(a), wrap(b), oneContext)
	c, d, err := tcpPair()
	if err != nil {
		return nil, nil, err
	}
	bareWrap := func(c net.Conn) end { return bareByLine{bare{c}, bufio.NewReader(c)} }
	return ours, pingPong(undo, bareWrap(c), bareWrap(d), oneContext), nil
}

// byLine is an end that receives whole lines.
type byLine struct{ *buffered.Stream }

var lf = []byte("\n")

func (s byLine) Receive(ctx context.Context, p []byte) (int, error) {
	view, err := s.ReceiveUntil(ctx, lf, 0)
	if err != nil {
		return 0, err
	}
	n := copy(p, view)
	return n + copy(p[n:], lf), nil
}

// bareByLine is a bare one.
type bareByLine struct {
	bare
	r *bufio.Reader
}

func (s bareByLine) Receive(_ context.Context, p []byte) (int, error) {
	view, err := s.r.ReadSlice('\n')
	return copy(p, view), err
}
