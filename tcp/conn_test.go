package tcp_test

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

func TestConnectionsKnowTheirAddresses(t *testing.T) {
	a, b := connected(t)
	local, err := tcp.LocalAddrPort.Get(a)
	require.NoError(t, err)
	remote, err := tcp.RemoteAddrPort.Get(b)
	require.NoError(t, err)
	assert.Equal(t, local, remote)
	assert.Equal(t, netip.MustParseAddr("127.0.0.1"), local.Addr())

	addr, err := tcp.RemoteAddr.Get(a)
	require.NoError(t, err)
	assert.IsType(t, (*net.TCPAddr)(nil), addr)
	conn, err := tcp.NetConn.Get(a)
	require.NoError(t, err)
	assert.Equal(t, conn.RemoteAddr(), addr)

	host, err := tcp.Host.Get(a)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", host)
	_, err = tcp.Host.Get(b)
	assert.ErrorIs(t, err, attr.ErrNotFound, "nobody dialed it")
}

func TestFixedAttributesAnswerAfterClose(t *testing.T) {
	a, _ := connected(t)
	want, err := tcp.RemoteAddrPort.Get(a)
	require.NoError(t, err)
	require.NoError(t, a.Close())
	got, err := tcp.RemoteAddrPort.Get(a)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestListenerHasNoRemoteAddress(t *testing.T) {
	ln := listen(t, nil)
	_, err := tcp.RemoteAddr.Get(ln)
	assert.ErrorIs(t, err, attr.ErrNotFound)
	_, err = tcp.RemoteAddrPort.Get(ln)
	assert.ErrorIs(t, err, attr.ErrNotFound)
	local, err := tcp.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	assert.NotZero(t, local.Port())
}

func TestResetIsBrokenByItsErrno(t *testing.T) {
	a, b := connected(t)
	require.NoError(t, b.Abort(nil))
	_, err := a.Receive(t.Context(), make([]byte, 1))
	assert.ErrorIs(t, err, stream.ErrBroken)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	_, again := a.Send(t.Context(), []byte("x"))
	assert.Same(t, err, again, "both directions tell the same")
}

func TestDataThatCameWithTheEndIsReceivedFirst(t *testing.T) {
	a, b := connected(t)
	_, err := b.Send(t.Context(), []byte("bye"))
	require.NoError(t, err)
	require.NoError(t, b.SendEOF(t.Context()))
	p := make([]byte, 8)
	n, err := a.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "bye", string(p[:n]))
	_, err = a.Receive(t.Context(), p)
	assert.Equal(t, io.EOF, err)

	_, err = a.Send(t.Context(), []byte("still here"))
	require.NoError(t, err, "the other direction goes on")
	n, err = b.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Positive(t, n)
}

func TestWrapTakesOverASocketOfNet(t *testing.T) {
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	require.NoError(t, err)
	wrapped := tcp.WrapListener(ln)
	defer wrapped.Close()
	conn, err := net.Dial("tcp", addrOf(wrapped))
	require.NoError(t, err)
	a := tcp.Wrap(conn.(*net.TCPConn))
	defer a.Close()
	b, err := wrapped.Accept(t.Context())
	require.NoError(t, err)
	defer b.Close()
	_, err = a.Send(t.Context(), []byte("x"))
	require.NoError(t, err)
	n, err := b.Receive(t.Context(), make([]byte, 2))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

func TestWrapPanicsOnNil(t *testing.T) {
	assert.PanicsWithValue(t, "tcp: Wrap: nil conn", func() { tcp.Wrap(nil) })
	assert.PanicsWithValue(t, "tcp: WrapListener: nil ln", func() { tcp.WrapListener(nil) })
}
