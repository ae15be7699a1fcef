package endpoint

import (
	"context"
	"net"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

// DialConfig says how a [Connector] connects. A nil DialConfig and the zero
// one mean all defaults. NewConnector copies it.
type DialConfig struct {
	// TCP is for endpoints over TCP.
	TCP tcp.DialConfig

	// Unix is for endpoints over Unix sockets.
	Unix unix.DialConfig

	// TLS is for endpoints over TLS, as for tls.WrapClient: it must not be
	// modified any more. Over TCP nil will do, and the host is the name to
	// verify; over Unix sockets it must have a ServerName.
	TLS *tls.Config

	// TLSOptions are for endpoints over TLS.
	TLSOptions tls.Options

	// Schemes are further ones, by their names in lower case, and take the
	// place of tcp or unix where the name is that. Each returns a connector to
	// an Address, without TLS; see [Of].
	Schemes map[string]func(a Address) (stream.Connector[stream.ByteStream], error)
}

// A Connector connects to an endpoint. It may be used by several goroutines.
type Connector struct {
	below stream.Connector[stream.ByteStream]
}

var _ stream.Connector[stream.ByteStream] = (*Connector)(nil)

// NewConnector returns a connector to the endpoint that uri says. It does no
// I/O: whether there is such a host, port or path turns out when it connects.
// An error is a [*URIError], that of a scheme of cfg's own, or about a name in
// cfg's Schemes that no URI can have.
func NewConnector(uri string, cfg *DialConfig) (*Connector, error) {
	var own DialConfig
	if cfg != nil {
		own = *cfg
	}
	a, err := parse(uri)
	if err != nil {
		return nil, err
	}
	connect, err := find(a, own.Schemes, own.tcp, own.unix)
	if err != nil {
		return nil, err
	}
	below, err := connect(a)
	if err != nil {
		return nil, err
	}
	if a.TLS {
		below = Of(&tls.Connector[stream.ByteStream]{Below: below, Config: own.TLS, Options: &own.TLSOptions})
	}
	return &Connector{below}, nil
}

// Connect returns a new stream: a *tcp.Conn, *unix.Conn or *tls.Conn, or what
// a scheme of the configuration makes. Its errors are those of their packages.
// Of a failed or canceled Connect nothing is left open.
func (c *Connector) Connect(ctx context.Context) (stream.ByteStream, error) {
	return c.below.Connect(ctx)
}

func (c *DialConfig) tcp(a Address) (stream.Connector[stream.ByteStream], error) {
	host, port, err := a.split()
	if err != nil {
		return nil, err
	}
	if host == "" {
		return nil, a.refuse("missing host")
	}
	return Of(&tcp.Connector{Addr: net.JoinHostPort(host, port), Config: &c.TCP}), nil
}

func (c *DialConfig) unix(a Address) (stream.Connector[stream.ByteStream], error) {
	name, err := a.Path()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, a.refuse("missing path")
	}
	return Of(&unix.Connector{Name: name, Config: &c.Unix}), nil
}

// Of returns c as a connector of any byte stream, as listener.Of does for
// listeners. It panics when c is nil.
func Of[S stream.ByteStream](c stream.Connector[S]) stream.Connector[stream.ByteStream] {
	if c == nil {
		panic("endpoint: Of: nil connector")
	}
	return general[S]{c}
}

type general[S stream.ByteStream] struct{ below stream.Connector[S] }

func (g general[S]) Connect(ctx context.Context) (stream.ByteStream, error) {
	s, err := g.below.Connect(ctx)
	if err != nil {
		return nil, err // and not a nil S in an interface
	}
	return s, nil
}
