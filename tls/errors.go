package tls

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/strata-go/strata/stream"
)

// A HandshakeError reports a handshake that failed. The stream below is
// closed. Errors of crypto/tls and crypto/x509, which tell what was wrong with
// a certificate for example, are found in it with errors.AsType.
type HandshakeError struct {
	// Server tells whether this side is the server.
	Server bool

	// ServerName is the name that a client wants to see in the certificate, or
	// that the client asked a server for. It may be empty.
	ServerName string

	// Received are the first bytes that the peer sent, at most 16, where they
	// are not TLS.
	Received []byte

	// Err is what went wrong.
	Err error
}

func (e *HandshakeError) Error() string {
	var b strings.Builder
	b.WriteString("tls: handshake")
	if e.Server {
		b.WriteString(" as server")
	}
	if e.ServerName != "" {
		fmt.Fprintf(&b, " for %q", e.ServerName)
	}
	fmt.Fprintf(&b, ": %s", strings.TrimPrefix(e.Err.Error(), "tls: "))
	if e.Received != nil {
		fmt.Fprintf(&b, ": received %q", e.Received)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

var (
	errNoServerName   = errors.New("no name to verify: set Config.ServerName, or dial by name, or set Config.InsecureSkipVerify")
	errNoServerConfig = errors.New("a server needs a Config with a certificate")
)

// handshakeError tells why the handshake failed with err.
func (c *Conn) handshakeError(ctx context.Context, name string, err error) error {
	e := &HandshakeError{Server: c.server, ServerName: name, Err: err}
	if c.server {
		e.ServerName = c.std.ConnectionState().ServerName
	}
	if below, ok := err.(*transportError); ok {
		e.Err = below.err
	}
	if header, ok := errors.AsType[cryptotls.RecordHeaderError](err); ok {
		header.Conn = nil // not for anybody else to use
		e.Err = header
	}
	switch {
	case ctx.Err() != nil:
		e.Err = stream.ContextError(ctx)
	case err == errInterrupted:
		e.Err = c.in.err
	case e.Err == io.EOF:
		e.Err = fmt.Errorf("peer hung up: %w", stream.Broken(io.ErrUnexpectedEOF))
	}
	if heard := c.in.flight.heard; !looksLikeTLS(heard) {
		e.Received = heard
	}
	return e
}

// looksLikeTLS tells whether b may start an alert or a handshake of any
// version. What is empty may.
func looksLikeTLS(b []byte) bool {
	const alert, handshake, major = 21, 22, 3
	return len(b) < 2 || (b[0] == alert || b[0] == handshake) && b[1] == major
}
