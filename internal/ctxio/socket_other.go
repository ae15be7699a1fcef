//go:build !unix

package ctxio

import (
	"net"
	"syscall"

	"github.com/strata-go/strata/stream"
)

// Where a descriptor cannot be asked without waiting there are no sockets:
// every net.Conn arms before it calls.
type socket struct{}

func (socket) ok() bool { return false }

func socketOf(net.Conn) socket { return socket{} }

func rawListener(net.Listener) syscall.RawConn { return nil }

func waitRead(syscall.RawConn) error { return nil }

type socketReader struct{ socket }

func (*socketReader) try([]byte) (int, error)       { return 0, stream.ErrWouldBlock }
func (*socketReader) ask([]byte) error              { return stream.ErrWouldBlock }
func (*socketReader) answer(err error) (int, error) { return 0, err }
func (*socketReader) readable() bool                { return false }
func (*socketReader) wait() error                   { return nil }
func (*socketReader) hungUp() bool                  { return false }
func (*socketReader) wasReset() bool                { return false }

type socketWriter struct{ socket }

func (*socketWriter) try([]byte) (int, error)       { return 0, stream.ErrWouldBlock }
func (*socketWriter) ask([]byte) error              { return stream.ErrWouldBlock }
func (*socketWriter) answer(err error) (int, error) { return 0, err }
