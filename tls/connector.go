package tls

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// A Connector connects and does the handshake of a client, in one step. The
// name to verify is Config's ServerName, or else the one that Below dialed
// (attribute netconn.Host). Its fields must not be modified while it is in use;
// several goroutines may connect at once.
//
//	c := &tls.Connector[*tcp.Conn]{Below: &tcp.Connector{Addr: "example.com:443"}}
type Connector[S stream.ByteStream] struct {
	// Below makes the streams. It must not be nil.
	Below stream.Connector[S]

	// Config and Options are as for [WrapClient]; both may be nil.
	Config  *Config
	Options *Options
}

var _ stream.Connector[*Conn] = (*Connector[stream.ByteStream])(nil)

// Connect returns a new session. ctx covers connecting and the handshake. The
// error is that of Below, or a [*HandshakeError]; of a failure nothing is left
// open. Connect panics when Below is nil.
func (c *Connector[S]) Connect(ctx context.Context) (*Conn, error) {
	if c.Below == nil {
		panic("tls: Connector: nil Below")
	}
	s, err := c.Below.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return WrapClient(ctx, s, c.Config, c.Options)
}
