//go:build unix

// Command idle prints what a connection costs a server that waits for its
// client to say something, in bytes of heap and of stacks:
//
//	go -C bench run ./idle        # -n 9000
//
// Each server accepts all connections before it is measured. The clients are
// bare descriptors of the same process, for which Go keeps nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// budget is what ours may take beyond a goroutine that waits in a net.Conn's
// Read, with a buffer of a byte.
const budget = 1536

// A server serves ln until ctx is done, and calls accepted for each connection
// that is about to wait.
type server func(ctx context.Context, ln *net.TCPListener, accepted func()) error

var servers = []struct {
	name  string
	serve server
}{
	{"net, a buffer of a byte", byHand(1)},
	{"listener.Serve and stream.Copy", ours},
	{"net, a buffer of 4 KiB", byHand(4 << 10)},
}

func main() {
	n := flag.Int("n", 9000, "how many connections: each takes two descriptors")
	flag.Parse()
	if err := run(os.Stdout, *n); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, n int) error {
	took, err := measureAll(n)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-32s %8s %8s %8s %8s\n", "bytes for a connection", "heap", "stack", "both", "more")
	for i, s := range servers {
		m := took[i]
		fmt.Fprintf(out, "%-32s %8d %8d %8d %+8d\n", s.name, m.heap, m.stack, m.both(), m.both()-took[0].both())
	}
	verdict := "within"
	if took[1].both()-took[0].both() > budget {
		verdict = "OVER"
	}
	fmt.Fprintf(out, "%d connections each; ours is %s its budget of %d bytes more\n", n, verdict, budget)
	return nil
}

// memory is what the heap and the stacks take, in bytes.
type memory struct{ heap, stack int }

func (m memory) both() int { return m.heap + m.stack }

// measureAll returns what a connection takes at each server.
func measureAll(n int) ([]memory, error) {
	took := make([]memory, len(servers))
	for i, s := range servers {
		m, err := measure(n, s.serve)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		took[i] = memory{m.heap / n, m.stack / n}
	}
	return took, nil
}

func measure(n int, serve server) (m memory, err error) {
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return m, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var waiting atomic.Int64
	all := make(chan struct{})
	served := make(chan error, 1)
	before := inUse()
	go func() {
		served <- serve(ctx, ln, func() {
			if waiting.Add(1) == int64(n) {
				close(all)
			}
		})
	}()
	clients, err := dialAll(n, ln.Addr().(*net.TCPAddr).AddrPort())
	if err == nil {
		<-all
		after := inUse()
		m = memory{after.heap - before.heap, after.stack - before.stack}
	}
	for _, fd := range clients {
		err = errors.Join(err, sysunix.Close(fd))
	}
	stop()
	return m, errors.Join(err, <-served)
}

func dialAll(n int, to netip.AddrPort) (clients []int, err error) {
	addr := &sysunix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	for range n {
		fd, err := sysunix.Socket(sysunix.AF_INET, sysunix.SOCK_STREAM, 0)
		if err != nil {
			return clients, err
		}
		clients = append(clients, fd)
		if err := sysunix.Connect(fd, addr); err != nil {
			return clients, err
		}
	}
	return clients, nil
}

// inUse looks after two collections: the first lets go of what a pool holds,
// the second of what it held before.
func inUse() memory {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{int(m.HeapAlloc), int(m.StackInuse)}
}

// ours is a server that sends back what comes.
func ours(ctx context.Context, ln *net.TCPListener, accepted func()) error {
	return listener.Serve(ctx, tcp.WrapListener(ln), func(ctx context.Context, c *tcp.Conn) error {
		accepted()
		_, err := stream.Copy(ctx, c, c)
		return err
	}, nil)
}

// byHand is that server with package net alone, for which a buffer of a byte
// is the least that it can do with.
func byHand(size int) server {
	return func(ctx context.Context, ln *net.TCPListener, accepted func()) error {
		defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
		var handlers sync.WaitGroup
		defer handlers.Wait()
		for {
			c, err := ln.Accept()
			if err != nil {
				return unlessClosed(err)
			}
			handlers.Go(func() {
				defer c.Close()
				buf := make([]byte, size)
				accepted()
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					if _, err := c.Write(buf[:n]); err != nil {
						return
					}
				}
			})
		}
	}
}

func unlessClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
