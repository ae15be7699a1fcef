package sockattr

import (
	"net"
	"os"
	"syscall"
	"time"

	sysunix "golang.org/x/sys/unix"
)

func tcpInfo(raw syscall.RawConn) (TCPInfo, error) {
	var k *sysunix.TCPInfo
	var err error
	if raw.Control(func(fd uintptr) {
		k, err = sysunix.GetsockoptTCPInfo(int(fd), sysunix.SOL_TCP, sysunix.TCP_INFO)
	}) != nil {
		return TCPInfo{}, net.ErrClosed
	}
	if err != nil {
		return TCPInfo{}, os.NewSyscallError("getsockopt", err)
	}
	return TCPInfo{
		RTT: microseconds(k.Rtt), RTTVariance: microseconds(k.Rttvar), MinRTT: minRTT(k.Min_rtt), RTO: microseconds(k.Rto),
		CongestionWindow: k.Snd_cwnd, SlowStartThreshold: k.Snd_ssthresh, SendMSS: k.Snd_mss, ReceiveMSS: k.Rcv_mss,
		Unacked: k.Unacked, Lost: k.Lost, Retransmits: k.Retransmits, TotalRetransmits: k.Total_retrans,
		BytesSent: k.Bytes_sent, BytesRetransmitted: k.Bytes_retrans, BytesAcked: k.Bytes_acked, BytesReceived: k.Bytes_received,
		NotSent: k.Notsent_bytes, DeliveryRate: k.Delivery_rate,
	}, nil
}

func microseconds(n uint32) time.Duration { return time.Duration(n) * time.Microsecond }

// minRTT knows what stands for a time that was not measured.
func minRTT(n uint32) time.Duration {
	if n == ^uint32(0) {
		return 0
	}
	return microseconds(n)
}
