package proxyproto

import (
	"errors"
	"net"
	"net/netip"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// What a header told. All of them are fixed, and absent without a header or
// when it does not tell.
var (
	// Received is the header itself. It must not be modified.
	Received = attr.New[*Header]("proxyproto.header")

	// ALPN is the application protocol that client and proxy agreed on.
	ALPN = attr.New[string]("proxyproto.alpn_protocol")

	// Authority is the host name that the client asked the proxy for, such as
	// the server name of its TLS.
	Authority = attr.New[string]("proxyproto.authority")

	// UniqueID is what the proxy calls the connection, up to 128 bytes.
	UniqueID = attr.New[string]("proxyproto.unique_id")

	// TLS is what client and proxy spoke. It is absent when that was not TLS.
	TLS = attr.New[*ClientTLS]("proxyproto.tls")
)

// errNoPort keeps a lookup from going on to the proxy's address, which would
// pass for the client's.
var errNoPort = errors.New("proxyproto: the client's address has no port")

var facts = attr.Define(
	attr.From(sockattr.RemoteAddr, (*layer).remoteAddr),
	attr.From(sockattr.LocalAddr, (*layer).localAddr),
	attr.From(sockattr.RemoteAddrPort, func(l *layer) (netip.AddrPort, error) { return withPort(l.remoteAddr()) }),
	attr.From(sockattr.LocalAddrPort, func(l *layer) (netip.AddrPort, error) { return withPort(l.localAddr()) }),
	attr.From(Received, (*layer).received),
	attr.From(ALPN, func(l *layer) (string, error) { return l.value(TypeALPN) }),
	attr.From(Authority, func(l *layer) (string, error) { return l.value(TypeAuthority) }),
	attr.From(UniqueID, func(l *layer) (string, error) { return l.value(TypeUniqueID) }),
	attr.From(TLS, (*layer).clientTLS),
)

func (l *layer) remoteAddr() (net.Addr, error) { return address(l.header.Source) }

func (l *layer) localAddr() (net.Addr, error) { return address(l.header.Destination) }

func address(a net.Addr) (net.Addr, error) {
	if a == nil {
		return nil, attr.ErrNotFound
	}
	return a, nil
}

func withPort(a net.Addr, err error) (netip.AddrPort, error) {
	if err != nil {
		return netip.AddrPort{}, err
	}
	ap, ok := portOf(a)
	if !ok {
		return netip.AddrPort{}, errNoPort
	}
	return ap, nil
}

// received is absent before there is a header.
func (l *layer) received() (*Header, error) {
	if l.header.Version == 0 {
		return nil, attr.ErrNotFound
	}
	return l.header, nil
}

func (l *layer) value(t Type) (string, error) {
	v, ok := l.header.Value(t)
	if !ok {
		return "", attr.ErrNotFound
	}
	return string(v), nil
}

func (l *layer) clientTLS() (*ClientTLS, error) {
	if l.tls == nil {
		return nil, attr.ErrNotFound
	}
	return l.tls, nil
}
