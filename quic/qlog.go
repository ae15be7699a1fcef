package quic

import (
	"context"
	"io"

	quicgo "github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlogwriter"
)

// tracer returns what quic-go asks where the events of a connection go.
func tracer(open func(server bool, connID []byte) io.WriteCloser) func(context.Context, bool, quicgo.ConnectionID) qlogwriter.Trace {
	return func(_ context.Context, client bool, id quicgo.ConnectionID) qlogwriter.Trace {
		w := open(!client, id.Bytes())
		if w == nil {
			return nil
		}
		events := qlogwriter.NewConnectionFileSeq(w, client, id)
		go events.Run() // ends when the connection has, and then closes w
		return events
	}
}
