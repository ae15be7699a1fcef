//go:build linux

package peers_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/udp"
	"github.com/strata-go/strata/unix"
)

// A packetConn is a packet stream of either kind.
type packetConn interface {
	attr.Provider
	ask(context.Context, []byte) (answer []byte, err error)
	echo(context.Context) (got []byte, err error)
	Close() error
}

type packets[P any] struct {
	stream.PacketStream[P]
	packet func(data []byte) P
	data   func(P) []byte
}

func (c packets[P]) ask(ctx context.Context, data []byte) ([]byte, error) {
	if err := c.Send(ctx, c.packet(data)); err != nil {
		return nil, err
	}
	p, err := c.Receive(ctx)
	return c.data(p), err
}

// echo sends the next packet back to where it came from.
func (c packets[P]) echo(ctx context.Context) ([]byte, error) {
	p, err := c.Receive(ctx)
	if err != nil {
		return nil, err
	}
	return c.data(p), c.Send(ctx, p)
}

func udpConn(c *udp.Conn, err error) (packetConn, error) {
	return packets[udp.Packet]{
		c, func(data []byte) udp.Packet { return udp.Packet{Data: data} }, func(p udp.Packet) []byte { return p.Data },
	}, err
}

func unixConn(c *unix.PacketConn, err error) (packetConn, error) {
	return packets[unix.Packet]{
		c, func(data []byte) unix.Packet { return unix.Packet{Data: data} }, func(p unix.Packet) []byte { return p.Data },
	}, err
}

// A packetTransport is one of packets that others have as well, and what socat calls
// it.
type packetTransport struct {
	name, local string
	kind, bind  string
	listen      func(ctx context.Context, addr string) (packetConn, error)
	dial        func(ctx context.Context, addr string) (packetConn, error)
}

func packetTransports(t *testing.T) []packetTransport {
	listenUDP := func(ctx context.Context, addr string) (packetConn, error) { return udpConn(udp.Listen(ctx, addr, nil)) }
	dialUDP := func(ctx context.Context, addr string) (packetConn, error) { return udpConn(udp.Dial(ctx, addr, nil)) }
	listen := func(ctx context.Context, name string) (packetConn, error) {
		return unixConn(unix.ListenPacket(ctx, name, nil))
	}
	dial := func(ctx context.Context, name string) (packetConn, error) {
		return unixConn(unix.DialPacket(ctx, name, nil))
	}
	path := place(t)
	abstract := "@" + filepath.Base(filepath.Dir(path)) // nobody else's
	return []packetTransport{
		{"UDP, IPv4", "127.0.0.1:0", "UDP4", "", listenUDP, dialUDP},
		{"UDP, IPv6", "[::1]:0", "UDP6", "", listenUDP, dialUDP},
		{"UNIX", path, "UNIX", ",bind=" + path + "2", listen, dial},
		{"UNIX, abstract", abstract, "ABSTRACT", ",bind=" + strings.TrimPrefix(abstract, "@") + "2", listen, dial},
	}
}

// listening opens a socket until the end of the test, and returns where.
func (tr packetTransport) listening(t *testing.T, ctx context.Context) (conn packetConn, addr string) {
	t.Helper()
	conn, err := tr.listen(ctx, tr.local)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	local, err := udp.LocalAddr.Get(conn)
	require.NoError(t, err)
	return conn, local.String()
}

// packetSizes are what is sent in one packet. UDP over loopback takes the last in one
// piece.
var packetSizes = []int{1, 1400, 60_000}

func askAll(t *testing.T, ctx context.Context, c packetConn) {
	t.Helper()
	for _, n := range packetSizes {
		want := bytes.Repeat([]byte{byte(n)}, n)
		got, err := c.ask(ctx, want)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "%d bytes, and not %d", n, len(got))
	}
}

func TestSocatSendsPacketsBack(t *testing.T) {
	for _, tr := range packetTransports(t) {
		t.Run(tr.name, func(t *testing.T) {
			ctx := limited(t)
			addr := tr.local
			listen := tr.kind + "-RECVFROM:" + strings.TrimPrefix(addr, "@")
			if host, ok := strings.CutSuffix(addr, ":0"); ok {
				port := peers.FreePort(t)
				addr = host + ":" + port
				listen = tr.kind + "-RECVFROM:" + port + ",bind=" + host
			}
			peers.Socat(t, listen+",fork", "EXEC:cat")
			c, err := tr.dial(ctx, addr)
			require.NoError(t, err)
			defer c.Close()
			askAll(t, ctx, c)
		})
	}
}

// TestSocatGetsItsPacketsBack has socat tell the end of a file by an empty packet,
// which must come back as well for socat to end.
func TestSocatGetsItsPacketsBack(t *testing.T) {
	for _, tr := range packetTransports(t) {
		t.Run(tr.name, func(t *testing.T) {
			ctx := limited(t)
			conn, addr := tr.listening(t, ctx)
			want := bytes.Repeat([]byte("packet "), 1000)
			sent, received := place(t), place(t)
			require.NoError(t, os.WriteFile(sent, want, 0o600))
			r := peers.Socat(t, "OPEN:"+sent+",rdonly!!OPEN:"+received+",wronly,creat",
				tr.kind+"-SENDTO:"+strings.TrimPrefix(addr, "@")+tr.bind+",shut-null,null-eof")
			for _, want := range [][]byte{want, {}} {
				got, err := conn.echo(ctx)
				require.NoError(t, err)
				assert.Equal(t, string(want), string(got))
			}
			r.Wait(t)
			got, err := os.ReadFile(received)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		})
	}
}
