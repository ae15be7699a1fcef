package proxyproto_test

import (
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener/proxyproto"
	"github.com/strata-go/strata/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// trusting trusts everybody.
var trusting = &proxyproto.Config{Trust: func(attr.Provider) bool { return true }}

// receive has the server side of a connection take what a proxy begins it
// with, and then ends it with.
func receive(t testing.TB, first string) (*buffered.Stream, error) {
	t.Helper()
	a, b := memory.Pipe(&memory.Config{Buffer: 1 << 20})
	t.Cleanup(func() { a.Close() })
	_, err := a.Send(context.Background(), []byte(first))
	require.NoError(t, err)
	require.NoError(t, a.SendEOF(context.Background()))
	return proxyproto.WrapServer(context.Background(), b, trusting)
}

// unhex takes hexadecimal digits with spaces between them.
func unhex(t testing.TB, digits string) string {
	t.Helper()
	p, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	require.NoError(t, err)
	return string(p)
}

func tcpAddr(s string) *net.TCPAddr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

func udpAddr(s string) *net.UDPAddr { return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

func unixAddr(name string) *net.UnixAddr { return &net.UnixAddr{Net: "unix", Name: name} }
