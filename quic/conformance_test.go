package quic_test

import (
	"strconv"
	"testing"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream/streamtest"
)

const window = 64 << 10

func TestStreamHoldsTheContract(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{
		Pipe:  pipe(&quic.Config{StreamWindow: window}),
		Holds: window + 2048, // what waits for the window at the sender is less

		PerDirection: true,
		Shared:       []string{quic.RTT.Name(), quic.Stats.Name()},
	})
}

func TestOneWayStreamsHoldTheContract(t *testing.T) {
	streamtest.TestOneWay(t, &streamtest.OneWayMaker{
		Pipe:  oneWayPipe(&quic.Config{StreamWindow: window}),
		Holds: window + 2048,
	})
}

func TestPacketsHoldTheContract(t *testing.T) {
	streamtest.TestPacketStream(t, &streamtest.PacketMaker[[]byte]{
		Pipe: packetPipe(&quic.Config{Packets: true}),
		Packet: func(i int) []byte {
			if i == 0 {
				return nil
			}
			return strconv.AppendInt(nil, int64(i), 10)
		},
		Number: func(packet []byte) int {
			if len(packet) == 0 {
				return 0
			}
			n, err := strconv.Atoi(string(packet))
			if err != nil {
				return -1
			}
			return n
		},
	})
}
