package dns

import (
	"errors"
	"net"
	"net/netip"
)

// What servers do wrong, as the texts of a net.DNSError.
var (
	errMisbehaving = errors.New("server misbehaving")
	errLame        = errors.New("lame referral")
	errMalformed   = errors.New("malformed answer")
	errNoServers   = errors.New("no DNS servers are configured")
)

// notFound is the error of a name that has nothing of what was asked for.
func notFound(server string) *net.DNSError {
	return &net.DNSError{Err: "no such host", Server: server, IsNotFound: true}
}

// failed is the error of a query that got no answer of use.
func failed(server netip.AddrPort, err error) *net.DNSError {
	e := &net.DNSError{Err: err.Error(), UnwrapErr: err, Server: server.String()}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		e.Err, e.IsTimeout = "i/o timeout", true
	}
	e.IsTemporary = e.IsTimeout || errors.Is(err, errMisbehaving)
	return e
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return ok && e.IsNotFound
}

// rename has the error of a query name what was looked for.
func rename(err error, host string) error {
	e, ok := errors.AsType[*net.DNSError](err)
	if !ok {
		return err
	}
	own := *e
	own.Name = host
	return &own
}
