package netconn_test

import (
	"context"
	"net"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
)

func TestTCPIsAByteStream(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: wrapped(tcpPair)})
}

func TestUnixIsAByteStream(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: wrapped(unixPair), NoAbort: true})
}

func TestNetPipeIsAByteStream(t *testing.T) {
	pipe := func(context.Context) (a, b net.Conn, err error) {
		a, b = net.Pipe()
		return a, b, nil
	}
	streamtest.TestByteStream(t, &streamtest.Maker{
		Pipe: wrapped(pipe), NoHalfClose: true, NoAbort: true, NoWaitReceive: true,
	})
}

func TestForeignTLSIsAByteStream(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{
		Pipe: wrapped(tlsPair), NoWaitReceive: true, CancelBreaksSend: true,
	})
}

// embedded is what a foreign wrapper is like: it hides what it embeds from
// whoever looks for more than a net.Conn.
type embedded struct{ net.Conn }

func (e embedded) NetConn() net.Conn { return e.Conn }

func TestForeignWrapperIsAByteStream(t *testing.T) {
	pipe := func(ctx context.Context) (a, b net.Conn, err error) {
		a, b, err = tcpPair(ctx)
		return embedded{a}, embedded{b}, err
	}
	streamtest.TestByteStream(t, &streamtest.Maker{
		Pipe: wrapped(pipe), NoHalfClose: true, NoWaitReceive: true,
	})
}

func TestWrapTellsWhatTheWholeChainKnows(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Stack: func(ctx context.Context) (stream.Resource, []attr.Provider, error) {
			a, b, err := tcpPair(ctx)
			if err != nil {
				return nil, nil, err
			}
			inner := tcp.Wrap(a.(*net.TCPConn))
			top := &bothEnds{netconn.Wrap(embedded{netconn.From(inner)}), b}
			return top, []attr.Provider{inner}, nil
		},
		Names: []string{"net.conn", "net.local_addr", "net.remote_addr_port"},
	})
}

// bothEnds closes the other end as well.
type bothEnds struct {
	*netconn.Stream
	other net.Conn
}

func (b *bothEnds) Close() error {
	_ = b.other.Close()
	return b.Stream.Close()
}
