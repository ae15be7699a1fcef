package file

import (
	"errors"
	"net"
	"os"
)

// pollable is a file with deadlines as the net.Conn that ctxio takes.
type pollable struct{ *os.File }

// ending is one that nobody receives from, whose end is its Close.
type ending struct{ pollable }

func asConn(f *os.File, mode directions) net.Conn {
	if mode.send && !mode.receive {
		return ending{pollable{f}}
	}
	return pollable{f}
}

func (p pollable) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	return n, closed(err)
}

func (p pollable) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	return n, closed(err)
}

func (p pollable) Close() error { return closed(p.File.Close()) }

func (e ending) CloseWrite() error { return e.Close() }

func (p pollable) LocalAddr() net.Addr  { return addr(p.Name()) }
func (p pollable) RemoteAddr() net.Addr { return addr(p.Name()) }

// addr is a file's name where a net.Addr is wanted.
type addr string

func (addr) Network() string  { return "file" }
func (a addr) String() string { return string(a) }

// closed turns the error of a closed file into that of a closed stream.
func closed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return net.ErrClosed
	}
	return err
}
