package quic_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
)

// QUIC hands the kernel many packets at once only where it is given the socket
// itself, and not something around it.
func TestSegmentationOffloadSurvives(t *testing.T) {
	if !offloads(t) {
		t.Skip("the kernel has no UDP segmentation offload")
	}
	assert.True(t, sendsSegments(t, dialDirectly))
	t.Run("race", func(t *testing.T) { assert.True(t, sendsSegments(t, dialInARace)) })
	t.Run("control", func(t *testing.T) {
		t.Setenv("QUIC_GO_DISABLE_GSO", "true")
		assert.False(t, sendsSegments(t, dialDirectly))
	})
}

func offloads(t *testing.T) bool {
	t.Helper()
	fd, err := sysunix.Socket(sysunix.AF_INET, sysunix.SOCK_DGRAM|sysunix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer sysunix.Close(fd)
	_, err = sysunix.GetsockoptInt(fd, sysunix.SOL_UDP, sysunix.UDP_SEGMENT)
	return err == nil
}

// sendsSegments reports whether a client that sends 1 MiB hands any of it to
// the kernel in segments: those arrive together at a socket that asks for it
// (UDP_GRO), on a loopback that would not put packets together by itself.
func sendsSegments(t *testing.T, dial func(*testing.T, string) *quic.Conn) bool {
	t.Helper()
	ln := listen(t, nil)
	server, err := quic.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	w := newWatch(t, net.UDPAddrFromAddrPort(server))
	client := dial(t, w.front.LocalAddr().String())
	defer client.Close()
	accepted, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer accepted.Close()
	sent := make(chan error, 1)
	go func() {
		s, err := client.OpenSendStream(t.Context())
		if err == nil {
			_, err = s.Send(t.Context(), make([]byte, 1<<20))
		}
		if err == nil {
			err = s.SendEOF(t.Context())
		}
		sent <- err
	}()
	r, err := accepted.AcceptReceiveStream(t.Context())
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, stream.NewReader(t.Context(), r))
	require.NoError(t, err)
	assert.EqualValues(t, 1<<20, n)
	require.NoError(t, <-sent)
	return w.stop()
}

func dialDirectly(t *testing.T, addr string) *quic.Conn {
	t.Helper()
	_, tlsConfig := tlsConfigs(t)
	c, err := quic.Dial(t.Context(), addr, tlsConfig, nil)
	require.NoError(t, err)
	return c
}

// dialInARace has the socket that a race looks at.
func dialInARace(t *testing.T, addr string) *quic.Conn {
	t.Helper()
	_, tlsConfig := tlsConfigs(t)
	c := &quic.Connector{Addr: addr, TLS: tlsConfig, Service: happyeyeballs.Service{Protocols: both[:1]}}
	r, err := c.Connect(t.Context())
	require.NoError(t, err)
	return r.Conn()
}

// A watch is between a client and a server, and looks at how packets come from
// the client.
type watch struct {
	front, back *net.UDPConn
	tasks       sync.WaitGroup
	client      netip.AddrPort // known once the first packet came, on which all others follow
	segments    bool           // read when tasks have ended
}

func newWatch(t *testing.T, server *net.UDPAddr) *watch {
	t.Helper()
	front, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { front.Close() })
	raw, err := front.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		err = sysunix.SetsockoptInt(int(fd), sysunix.SOL_UDP, sysunix.UDP_GRO, 1)
	}))
	require.NoError(t, err)
	back, err := net.DialUDP("udp4", nil, server)
	require.NoError(t, err)
	t.Cleanup(func() { back.Close() })
	w := &watch{front: front, back: back}
	w.tasks.Go(w.toServer) // which ends with the sockets
	return w
}

// stop ends the watch and tells whether packets came together.
func (w *watch) stop() bool {
	w.front.Close()
	w.back.Close()
	w.tasks.Wait()
	return w.segments
}

func (w *watch) toServer() {
	data, control := make([]byte, 1<<16), make([]byte, 64)
	for {
		n, oobn, _, client, err := w.front.ReadMsgUDPAddrPort(data, control)
		if err != nil {
			return
		}
		if !w.client.IsValid() {
			w.client = client
			w.tasks.Go(w.toClient)
		}
		size := segmentSize(control[:oobn])
		if size == 0 {
			size = n
		}
		w.segments = w.segments || size < n
		for packet := range slices.Chunk(data[:n], size) {
			_, _ = w.back.Write(packet) // lost if it fails
		}
	}
}

func (w *watch) toClient() {
	data := make([]byte, 1<<16)
	for {
		n, err := w.back.Read(data)
		if err != nil {
			return
		}
		_, _ = w.front.WriteToUDPAddrPort(data[:n], w.client)
	}
}

// segmentSize returns the length of the packets that came together, or 0.
func segmentSize(control []byte) int {
	messages, err := sysunix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level == sysunix.SOL_UDP && m.Header.Type == sysunix.UDP_GRO && len(m.Data) >= 2 {
			return int(binary.NativeEndian.Uint16(m.Data))
		}
	}
	return 0
}
