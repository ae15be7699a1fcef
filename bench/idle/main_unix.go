//go:build unix

// Command idle prints what a connection costs a server that waits for its
// client to say something, in bytes of heap and of stacks:
//
//	go -C bench run ./idle        # -n 9000
//
// Each server accepts all connections before it is measured, and once more
// after each client has sent a byte and had it back: a stack that had to grow
// for that stays large. The clients are bare descriptors of the same process,
// for which Go keeps nothing. What the runtime itself keeps for a goroutine,
// some 480 bytes that it never frees, is left out.
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
	ours  bool
}{
	{"net, a buffer of a byte", byHand(1), false},
	{"listener.Serve and stream.Copy", byCopy, true},
	{"listener.Serve, a buffer of a byte", byReceive, true},
	{"net, a buffer of 4 KiB", byHand(4 << 10), false},
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
	fmt.Fprintf(out, "%-36s %8s %8s %8s %8s\n", "bytes for a connection", "heap", "stack", "both", "more")
	verdict := "within"
	for i, s := range servers {
		for j, after := range []string{"", ", later"} {
			m, more := took[i][j], took[i][j].both()-took[0][j].both()
			fmt.Fprintf(out, "%-36s %8d %8d %8d %+8d\n", s.name+after, m.heap, m.stack, m.both(), more)
			if s.ours && more > budget {
				verdict = "OVER"
			}
		}
	}
	fmt.Fprintf(out, "%d connections each; ours is %s its budget of %d bytes more\n", n, verdict, budget)
	return nil
}

// memory is what the heap and the stacks take, in bytes.
type memory struct{ heap, stack int }

func (m memory) both() int { return m.heap + m.stack }

func (m memory) per(n int, before memory) memory {
	return memory{(m.heap - before.heap) / n, (m.stack - before.stack) / n}
}

// A result is what a connection takes that has not said anything, and one that
// has.
type result [2]memory

// measureAll returns what a connection takes at each server.
func measureAll(n int) ([]result, error) {
	fresh := inUse().stack
	// The first to run has the runtime make what it keeps for goroutines.
	if _, err := measure(n, fresh, servers[0].serve); err != nil {
		return nil, err
	}
	took := make([]result, len(servers))
	for i, s := range servers {
		var err error
		if took[i], err = measure(n, fresh, s.serve); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return took, nil
}

// measure takes the stack that was in use before there was any server: a few of
// those that have ended wait for the next one's goroutines.
func measure(n, fresh int, serve server) (r result, err error) {
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return r, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var waiting atomic.Int64
	all := make(chan struct{})
	served := make(chan error, 1)
	before := memory{inUse().heap, fresh}
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
		r[0] = inUse().per(n, before)
		err = talk(clients)
		r[1] = inUse().per(n, before)
	}
	for _, fd := range clients {
		err = errors.Join(err, sysunix.Close(fd))
	}
	stop()
	return r, errors.Join(err, <-served)
}

// talk has each client send a byte and wait for its echo.
func talk(clients []int) error {
	p := make([]byte, 1)
	for _, fd := range clients {
		if _, err := sysunix.Write(fd, p); err != nil {
			return err
		}
		if n, err := sysunix.Read(fd, p); n != 1 {
			return fmt.Errorf("%d bytes of an echo: %w", n, err)
		}
	}
	return nil
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

// byCopy is a server that sends back what comes.
func byCopy(ctx context.Context, ln *net.TCPListener, accepted func()) error {
	return listener.Serve(ctx, tcp.WrapListener(ln), func(ctx context.Context, c *tcp.Conn) error {
		accepted()
		_, err := stream.Copy(ctx, c, c)
		return err
	}, nil)
}

// byReceive is that server with a buffer of its own.
func byReceive(ctx context.Context, ln *net.TCPListener, accepted func()) error {
	return listener.Serve(ctx, tcp.WrapListener(ln), func(ctx context.Context, c *tcp.Conn) error {
		accepted()
		buf := make([]byte, 1)
		for {
			n, err := c.Receive(ctx, buf)
			if err != nil {
				return unlessEnd(err)
			}
			if _, err := c.Send(ctx, buf[:n]); err != nil {
				return err
			}
		}
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

func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
