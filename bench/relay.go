package main

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/strata-go/strata/stream/relay"
)

// relayCases compare a relay with two goroutines that io.CopyBuffer bytes to
// and fro, between connections that are wrapped, as a program's own are, so
// that no system call copies past it. The peers are bare on both sides.
var relayCases = []benchCase{
	{Name: "relay/tcp/bulk", Target: 1, OneCore: true, Setup: networks[0].relayed(flood)},
	{Name: "relay/unix/bulk", Target: 1, OneCore: true, Setup: networks[1].relayed(flood)},
	{Name: "relay/tcp/pingpong", OneCore: true, Setup: networks[0].relayed(pingPong)},
}

// flood is bulk with 16 MiB for an operation: with less it would be the wait
// for the first bytes that counts, and not the throughput.
func flood(undo *cleanup, a, b end, p policy) side {
	const chunks = 16 << 20 / bulkSize
	send := bulk(undo, a, b, p)
	return func(w *watch, n int) error { return send(w, n*chunks) }
}

// relayed lets traffic run from a peer to another through a relay of ours, and
// through one of theirs.
func (nw network) relayed(traffic func(undo *cleanup, a, b end, p policy) side) func(*cleanup) (ours, theirs side, err error) {
	return func(undo *cleanup) (ours, theirs side, err error) {
		ours, err = nw.through(undo, traffic, func(a, b net.Conn) error {
			_, err := relay.Run(context.Background(), nw.wrap(a), nw.wrap(b), nil)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		theirs, err = nw.through(undo, traffic, copyBoth)
		return ours, theirs, err
	}
}

func (nw network) through(undo *cleanup, traffic func(undo *cleanup, a, b end, p policy) side, join func(a, b net.Conn) error) (side, error) {
	first, a, err := nw.pair()
	if err != nil {
		return nil, err
	}
	b, last, err := nw.pair()
	if err != nil {
		return nil, errors.Join(err, first.Close(), a.Close())
	}
	joined := make(chan error, 1)
	go func() { joined <- join(a, b) }()
	undo.add(func() error { return <-joined }) // after the peers have closed
	return traffic(undo, bare{first}, bare{last}, background), nil
}

// copyBoth is what one writes by hand.
func copyBoth(a, b net.Conn) error {
	done := make(chan error, 1)
	go func() { done <- copyOne(b, a) }()
	return errors.Join(copyOne(a, b), <-done, a.Close(), b.Close())
}

func copyOne(dst, src net.Conn) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, 64<<10))
	return errors.Join(err, dst.(interface{ CloseWrite() error }).CloseWrite())
}
