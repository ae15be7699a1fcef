package netconn_test

import (
	"context"
	"net"
	"testing"

	"github.com/strata-go/strata/stream/streamtest"
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
