package quic_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/udp"
)

// quic-go has a way for sockets that knows segmentation offload and ECN, and
// one for all other values of net.PacketConn. It is on the first if it has
// asked to be told the ECN bits of packets.
func TestTheSocketOfUDPIsGivenToQUICAsItIs(t *testing.T) {
	ln := listen(t, nil)
	assert.Equal(t, 1, receivesECN(t, get(t, udp.RawConn, ln)), "a socket that Listen opened")
	assert.Equal(t, 1, receivesECN(t, get(t, udp.RawConn, dial(t, ln, nil))), "one that Dial opened")

	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	transport := quic.Wrap(struct{ net.PacketConn }{conn}, nil)
	defer transport.Close()
	server, _ := tlsConfigs(t)
	_, err = transport.Listen(t.Context(), server, nil)
	require.NoError(t, err)
	assert.Equal(t, 0, receivesECN(t, raw), "one that is hidden")
}

func receivesECN(t *testing.T, raw interface {
	Control(f func(fd uintptr)) error
}) (on int) {
	t.Helper()
	var err error
	require.NoError(t, raw.Control(func(fd uintptr) {
		on, err = sysunix.GetsockoptInt(int(fd), sysunix.IPPROTO_IP, sysunix.IP_RECVTOS)
	}))
	require.NoError(t, err)
	return on
}
