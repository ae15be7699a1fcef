package udp_test

import (
	"context"
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/udp"
)

func TestConnHoldsTheContract(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) { testConn(t, addr) })
	}
}

func testConn(t *testing.T, addr string) {
	t.Helper()
	streamtest.TestPacketStream(t, &streamtest.PacketMaker[udp.Packet]{
		Pipe: func(ctx context.Context) (a, b stream.PacketStream[udp.Packet], err error) {
			q, err := udp.Listen(ctx, addr, nil)
			if err != nil {
				return nil, nil, err
			}
			p, err := udp.Dial(ctx, addrOf(q).String(), nil)
			if err != nil {
				q.Close()
				return nil, nil, err
			}
			return p, answering{q, addrOf(p)}, nil
		},
		Packet: func(i int) udp.Packet {
			if i == 0 {
				return udp.Packet{}
			}
			return udp.Packet{Data: []byte(strconv.Itoa(i))}
		},
		Number: func(p udp.Packet) int {
			if len(p.Data) == 0 {
				return 0
			}
			n, err := strconv.Atoi(string(p.Data))
			if err != nil {
				return -1
			}
			return n
		},
	})
}

func TestAttributesHoldTheContract(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Stack: func(ctx context.Context) (stream.Resource, []attr.Provider, error) {
			c, err := udp.Dial(ctx, "127.0.0.1:9", nil)
			if err != nil {
				return nil, nil, err
			}
			return c, nil, nil
		},
		Names: []string{
			udp.LocalAddr.Name(), udp.RemoteAddr.Name(), udp.LocalAddrPort.Name(), udp.RemoteAddrPort.Name(),
			udp.Family.Name(), udp.RawConn.Name(), udp.NetConn.Name(),
		},
	})
}

func TestConnectorDialsWheneverItIsAsked(t *testing.T) {
	to := listen(t, "127.0.0.1:0", nil)
	var c stream.Connector[*udp.Conn] = &udp.Connector{
		Addr:   addrOf(to).String(),
		Config: &udp.Config{LocalAddr: netip.MustParseAddrPort("127.0.0.1:0")},
	}
	for i := range 2 {
		s, err := c.Connect(t.Context())
		require.NoError(t, err)
		send(t, s, udp.Packet{Data: []byte(strconv.Itoa(i))})
		p := receive(t, to)
		assert.Equal(t, strconv.Itoa(i), string(p.Data))
		assert.Equal(t, addrOf(s), p.Addr)
		require.NoError(t, s.Close())
	}
	_, err := (&udp.Connector{Addr: "127.0.0.1"}).Connect(t.Context())
	assert.ErrorContains(t, err, "missing port")
}
