//go:build unix

package tcp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/strata-go/strata/tcp"
)

// A descriptor that is something else is told, and still the caller's.
func ExampleListenerFromFile() {
	f, err := os.Open(os.DevNull)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	_, err = tcp.ListenerFromFile(f)
	if e, ok := errors.AsType[*tcp.DescriptorError](err); ok {
		fmt.Printf("%s instead of %s\n", e.Got, e.Want)
	}
	fmt.Println(errors.Is(err, syscall.ENOTSOCK))
	// Output:
	// no socket instead of a listening TCP socket
	// true
}

// What another library connected goes on as a stream.
func ExampleFromFD() {
	ctx := context.Background()
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}); err != nil {
		fmt.Println(err)
		return
	}
	c, err := tcp.FromFD(uintptr(fd))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	remote, _ := tcp.RemoteAddrPort.Lookup(c)
	fmt.Println(remote == addr)
	// Output: true
}
