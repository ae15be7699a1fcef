package endpoint

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

// ListenConfig says how [Listen] listens. A nil ListenConfig and the zero one
// mean all defaults. Listen copies it.
type ListenConfig struct {
	// TCP is for endpoints over TCP.
	TCP tcp.ListenConfig

	// Unix is for endpoints over Unix sockets.
	Unix unix.ListenConfig

	// TLS is for endpoints over TLS, as for tls.NewListener: it must have a
	// certificate or a way to get one, and not be modified any more.
	TLS *tls.Config

	// TLSOptions are for endpoints over TLS.
	TLSOptions tls.Options

	// Schemes are further ones, by their names in lower case, and take the
	// place of tcp or unix where the name is that. Each listens at an Address,
	// without TLS; see listener.Of.
	Schemes map[string]func(ctx context.Context, a Address) (stream.Listener[stream.ByteStream], error)
}

// A Listener accepts streams at an endpoint. Several goroutines may accept at
// once. Its attributes are those of the transport's listener.
type Listener struct {
	below stream.Listener[stream.ByteStream]
	uri   string
}

var _ stream.Listener[stream.ByteStream] = (*Listener)(nil)

// Listen listens at the endpoint that uri says. Over TCP the host may be
// missing, as in "tcp://:80", which means all addresses, and the port 0, which
// means a free one; "unix:" without a path is, on Linux, an abstract name that
// is free. The context bounds the call alone.
//
// What is accepted is a *tcp.Conn, *unix.Conn or *tls.Conn, or what a scheme
// of the configuration makes. An error is a [*URIError], that of the transport,
// or about a name in cfg's Schemes that no URI can have.
func Listen(ctx context.Context, uri string, cfg *ListenConfig) (*Listener, error) {
	var own ListenConfig
	if cfg != nil {
		own = *cfg
	}
	a, err := parse(uri)
	if err != nil {
		return nil, err
	}
	listen, err := find(a, own.Schemes, own.tcp, own.unix)
	if err != nil {
		return nil, err
	}
	if a.TLS && own.TLS == nil {
		return nil, a.refuse("ListenConfig.TLS is nil, and a server needs a certificate")
	}
	ln, err := listen(ctx, a)
	if err != nil {
		return nil, err
	}
	if a.TLS {
		ln = listener.Of(tls.NewListener(ln, own.TLS, &own.TLSOptions))
	}
	return &Listener{ln, a.settled(ln).uri()}, nil
}

func (c *ListenConfig) tcp(ctx context.Context, a Address) (stream.Listener[stream.ByteStream], error) {
	addr, err := a.HostPort()
	if err != nil {
		return nil, err
	}
	ln, err := tcp.Listen(ctx, addr, &c.TCP)
	if err != nil {
		return nil, err
	}
	return listener.Of(ln), nil
}

func (c *ListenConfig) unix(ctx context.Context, a Address) (stream.Listener[stream.ByteStream], error) {
	name, err := a.Path()
	if err != nil {
		return nil, err
	}
	ln, err := unix.Listen(ctx, name, &c.Unix)
	if err != nil {
		return nil, err
	}
	return listener.Of(ln), nil
}

// Accept waits for the next stream. A canceled Accept has taken none. Over
// TLS the handshake is done; those that fail are told to TLSOptions.OnError.
func (l *Listener) Accept(ctx context.Context) (stream.ByteStream, error) { return l.below.Accept(ctx) }

// Attributes returns those of the transport's listener.
func (l *Listener) Attributes() *attr.Set { return l.below.Attributes() }

// Close closes the transport's listener.
func (l *Listener) Close() error { return l.below.Close() }

// URI returns what Listen was given, with what that left to the system: the
// port for 0, the address for no host, the name for no path; the scheme is in
// lower case. A client on the same machine can connect to it.
func (l *Listener) URI() string { return l.uri }

// settled returns a with what ln tells and a leaves open.
func (a Address) settled(ln attr.Provider) Address {
	if host, port, err := a.split(); err == nil {
		if addr, ok := tcp.LocalAddrPort.Lookup(ln); ok && (host == "" || strings.Trim(port, "0") == "") {
			a.Rest = withPort(a.Rest, addr)
		}
	} else if path, err := a.Path(); err == nil && path == "" {
		if addr, ok := unix.LocalAddr.Lookup(ln); ok {
			a.Rest = addr.String() // "@" and hexadecimal digits
		}
	}
	return a
}

// withPort keeps a host as it was written.
func withPort(rest string, addr netip.AddrPort) string {
	host, _ := cutPort(strings.TrimPrefix(rest, "//"))
	if host == "" {
		return "//" + addr.String()
	}
	return "//" + host + ":" + strconv.Itoa(int(addr.Port()))
}
