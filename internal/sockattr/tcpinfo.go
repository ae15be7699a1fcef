package sockattr

import (
	"net"
	"time"

	"github.com/strata-go/strata/attr"
)

// A TCPInfo is what the kernel knows of a TCP connection at one moment, see
// tcp(7).
type TCPInfo struct {
	RTT         time.Duration // smoothed round-trip time
	RTTVariance time.Duration // its mean deviation
	MinRTT      time.Duration // the least of late, 0 if none was measured
	RTO         time.Duration // the timeout until a segment is sent again

	CongestionWindow   uint32 // in segments of SendMSS
	SlowStartThreshold uint32 // likewise
	SendMSS            uint32 // bytes in the largest segment that is sent
	ReceiveMSS         uint32 // bytes in the largest segment that is expected

	Unacked          uint32 // segments that were sent and not acknowledged yet
	Lost             uint32 // of these, those that are taken for lost
	Retransmits      uint8  // timeouts in a row that the oldest of them has met
	TotalRetransmits uint32 // segments that were sent again since the connection was made

	BytesSent          uint64 // counting those that were sent again
	BytesRetransmitted uint64
	BytesAcked         uint64
	BytesReceived      uint64
	NotSent            uint32 // bytes that wait in the socket to be sent
	DeliveryRate       uint64 // bytes per second that have arrived of late
}

func (i *Info) tcp() (TCPInfo, error) {
	if _, ok := i.Conn.(*net.TCPConn); !ok || i.Raw == nil {
		return TCPInfo{}, attr.ErrNotFound
	}
	return tcpInfo(i.Raw)
}
