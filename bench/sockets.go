package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/unix"
)

// A network makes connections of one kind: ours are theirs, wrapped, so that
// the sockets are the same.
type network struct {
	name string
	pair func() (a, b net.Conn, err error)
	wrap func(net.Conn) stream.ByteStream
}

var networks = []network{
	{"tcp", tcpPair, func(c net.Conn) stream.ByteStream { return tcp.Wrap(c.(*net.TCPConn)) }},
	{"unix", unixPair, func(c net.Conn) stream.ByteStream { return unix.Wrap(c.(*net.UnixConn)) }},
}

// socketCases compare streams over sockets with the net.Conns below them, for
// each way to come by a context.
var socketCases = slices.Concat(networks[0].cases(), networks[1].cases())

func (nw network) cases() []benchCase {
	var cases []benchCase
	for _, p := range []policy{background, oneContext, newContexts} {
		target, readyTarget := 1.05, 1.08
		if p.fresh {
			target, readyTarget = 1.3, 1.3
		}
		cases = append(cases,
			benchCase{
				Name:   nw.name + "/pingpong/" + p.name,
				Target: target,
				// A call that has to wait registers with its context, which
				// takes memory of a context that is new.
				AllocFree: !p.fresh,
				OneCore:   true,
				Setup:     nw.between(p, pingPong),
			},
			benchCase{
				Name:      nw.name + "/ready-read/" + p.name,
				Target:    readyTarget,
				AllocFree: true,
				Setup:     func(undo *cleanup) (ours, theirs side, err error) { return nw.readyReads(undo, p) },
			},
			benchCase{
				Name:      nw.name + "/bulk/" + p.name,
				Target:    target,
				AllocFree: !p.fresh,
				OneCore:   true,
				Setup:     nw.between(p, bulk),
			})
	}
	return cases
}

// between returns a Setup that lets traffic run between two ends of ours, and
// between two of theirs.
func (nw network) between(p policy, traffic func(undo *cleanup, a, b end, p policy) side) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		a, b, err := nw.pair()
		if err != nil {
			return nil, nil, err
		}
		ours = traffic(undo, nw.wrap(a), nw.wrap(b), p)
		c, d, err := nw.pair()
		if err != nil {
			return nil, nil, err
		}
		return ours, traffic(undo, bare{c}, bare{d}, p), nil
	}
}

// readyReads measures reads of a message that never wait. The peers are bare
// on both sides: their writing is not timed.
func (nw network) readyReads(undo *cleanup, p policy) (ours, theirs side, err error) {
	a, peer, err := nw.pair()
	if err != nil {
		return nil, nil, err
	}
	s := nw.wrap(a)
	undo.add(peer.Close)
	undo.add(s.Close)
	buf := make([]byte, messageSize)
	ours = ready(peer, p, func(ctx context.Context) error { _, err := s.Receive(ctx, buf); return err })
	c, peer, err := nw.pair()
	if err != nil {
		return nil, nil, err
	}
	undo.add(peer.Close)
	undo.add(c.Close)
	theirs = ready(peer, p, func(context.Context) error { _, err := c.Read(buf); return err })
	return ours, theirs, nil
}

// ready calls read as often as the peer's bytes last and lets it write more
// with the watch stopped.
func ready(peer net.Conn, p policy, read func(context.Context) error) side {
	const atOnce = 32 << 10 / messageSize // fits into any socket's buffer
	messages := make([]byte, atOnce*messageSize)
	return func(w *watch, n int) error {
		for n > 0 {
			batch := min(n, atOnce)
			n -= batch
			w.stop()
			_, err := peer.Write(messages[:batch*messageSize])
			w.start()
			for range batch {
				if err == nil {
					err = p.do(read)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func tcpPair() (a, b net.Conn, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	return connect(ln)
}

func unixPair() (a, b net.Conn, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	ln, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		return nil, nil, err
	}
	return connect(ln)
}

// connect makes the only connection that ln will see.
func connect(ln net.Listener) (a, b net.Conn, err error) {
	defer ln.Close()
	a, err = net.Dial(ln.Addr().Network(), ln.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	b, err = ln.Accept()
	if err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	return a, b, nil
}
