//go:build !unix

package ctxio

import (
	"net"

	"github.com/strata-go/strata/stream"
)

// Where a descriptor cannot be asked without waiting there are no sockets:
// every net.Conn arms before it calls.
type socket struct{}

func (socket) ok() bool { return false }

func socketOf(net.Conn) socket { return socket{} }

// Nor are there sentries.
type sentry struct{}

func newSentry(net.Listener) (*sentry, error) { return nil, nil }

func (*sentry) wait() error  { return nil }
func (*sentry) close() error { return nil }

type socketReader struct{ socket }

func (*socketReader) try([]byte) (int, error)       { return 0, stream.ErrWouldBlock }
func (*socketReader) ask([]byte) error              { return stream.ErrWouldBlock }
func (*socketReader) answer(err error) (int, error) { return 0, err }
func (*socketReader) readable() bool                { return false }
func (*socketReader) wait() error                   { return nil }
func (*socketReader) hungUp() bool                  { return false }
func (*socketReader) wasReset() bool                { return false }

type socketWriter struct{ *socket }

func (*socketWriter) try([]byte) (int, error)       { return 0, stream.ErrWouldBlock }
func (*socketWriter) ask([]byte) error              { return stream.ErrWouldBlock }
func (*socketWriter) answer(err error) (int, error) { return 0, err }
