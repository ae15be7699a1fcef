package main

import (
	"context"
	"errors"
	"net"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// tcpCases compare making connections with how package net makes them.
// Connections end with a reset, so that no port is left in TIME_WAIT.
var tcpCases = []benchCase{
	{Name: "tcp/dial/background", Target: 1.05, OneCore: true, Setup: dials(background)},
	{Name: "tcp/dial/one-ctx", Target: 1.05, OneCore: true, Setup: dials(oneContext)},
	{Name: "tcp/accept/background", Target: 1.05, OneCore: true, Setup: accepts(background)},
	{Name: "tcp/accept/one-ctx", Target: 1.05, OneCore: true, Setup: accepts(oneContext)},
}

// waiting is how many connections wait in a backlog at once.
const waiting = 64

// dials measures connecting to an address. What was connected is closed with
// the watch stopped, and nobody accepts it.
func dials(p policy) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		undo.add(ln.Close)
		addr := ln.Addr().String()
		ours = inBatches(
			func() error { return nil },
			func() (*tcp.Conn, error) {
				var c *tcp.Conn
				err := p.do(func(ctx context.Context) (err error) { c, err = tcp.Dial(ctx, addr, nil); return err })
				return c, err
			},
			func(c *tcp.Conn) error { return hangUp(ln, func() error { return stream.Abort(c, nil) }) })
		var d net.Dialer
		theirs = inBatches(
			func() error { return nil },
			func() (*net.TCPConn, error) {
				var c net.Conn
				err := p.do(func(ctx context.Context) (err error) { c, err = d.DialContext(ctx, "tcp", addr); return err })
				if err != nil {
					return nil, err
				}
				return c.(*net.TCPConn), nil
			},
			func(c *net.TCPConn) error { return hangUp(ln, func() error { return reset(c) }) })
		return ours, theirs, nil
	}
}

// hangUp ends a connection on both sides.
func hangUp(ln net.Listener, abort func() error) error {
	peer, err := ln.Accept()
	if err != nil {
		return err
	}
	if err := abort(); err != nil {
		return err
	}
	return peer.Close()
}

func reset(c *net.TCPConn) error {
	if err := c.SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}

// accepts measures taking connections that wait.
func accepts(p policy) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		ln, err := tcp.Listen(context.Background(), "127.0.0.1:0", nil)
		if err != nil {
			return nil, nil, err
		}
		undo.add(ln.Close)
		addr, err := tcp.LocalAddr.Get(ln)
		if err != nil {
			return nil, nil, err
		}
		visitors := &clients{addr: addr.String()}
		ours = inBatches(visitors.connect,
			func() (*tcp.Conn, error) {
				var c *tcp.Conn
				err := p.do(func(ctx context.Context) (err error) { c, err = ln.Accept(ctx); return err })
				return c, err
			}, func(c *tcp.Conn) error { return errors.Join(visitors.leave(), c.Close()) })
		b, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		undo.add(b.Close)
		theirVisitors := &clients{addr: b.Addr().String()}
		theirs = inBatches(theirVisitors.connect,
			func() (net.Conn, error) {
				var c net.Conn
				err := p.do(func(context.Context) (err error) { c, err = b.Accept(); return err })
				return c, err
			}, func(c net.Conn) error { return errors.Join(theirVisitors.leave(), c.Close()) })
		return ours, theirs, nil
	}
}

// clients are connections that wait to be accepted, or were.
type clients struct {
	addr  string
	conns []*net.TCPConn
}

func (cs *clients) connect() error {
	c, err := net.Dial("tcp", cs.addr)
	if err != nil {
		return err
	}
	cs.conns = append(cs.conns, c.(*net.TCPConn))
	return nil
}

// leave hangs up on one.
func (cs *clients) leave() error {
	c := cs.conns[0]
	cs.conns = cs.conns[1:]
	return reset(c)
}

// inBatches makes connections with the watch running. Before and after each of
// them it does something with the watch stopped.
func inBatches[C any](before func() error, open func() (C, error), after func(C) error) side {
	return func(w *watch, n int) error {
		conns := make([]C, 0, waiting)
		for n > 0 {
			batch := min(n, waiting)
			n -= batch
			w.stop()
			for range batch {
				if err := before(); err != nil {
					return err
				}
			}
			w.start()
			conns = conns[:0]
			for range batch {
				c, err := open()
				if err != nil {
					return err
				}
				conns = append(conns, c)
			}
			w.stop()
			for _, c := range conns {
				if err := after(c); err != nil {
					return err
				}
			}
			w.start()
		}
		return nil
	}
}
