package unix_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/unix"
)

func packetPair(t *testing.T) (a, b *unix.PacketConn) {
	t.Helper()
	a, b, err := packets(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestPacketTellsWhomToAnswer(t *testing.T) {
	a, b := packetPair(t)
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("ping")}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ping", string(p.Data))
	assert.Equal(t, nameOf(a), p.Addr)
	require.NoError(t, b.Send(t.Context(), unix.Packet{Data: []byte("pong"), Addr: p.Addr}))
	p, err = a.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "pong", string(p.Data))
	remote, err := unix.RemoteAddr.Get(a)
	require.NoError(t, err)
	assert.Equal(t, nameOf(b), remote.String())
	_, found := unix.RemoteAddr.Lookup(b)
	assert.False(t, found)
}

func TestPacketThatDoesNotFitIsReportedWithItsLength(t *testing.T) {
	a, b := packetPair(t)
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("0123456789")}))
	p := unix.Packet{Data: make([]byte, 0, 4)}
	err := b.ReceiveInto(t.Context(), &p)
	var truncated *unix.TruncatedError
	require.ErrorAs(t, err, &truncated)
	assert.Equal(t, unix.TruncatedError{Room: 4, Length: 10}, *truncated)
	assert.Equal(t, "0123", string(p.Data))
	assert.Equal(t, nameOf(a), p.Addr)

	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("fits")}))
	require.NoError(t, b.ReceiveInto(t.Context(), &p))
	assert.Equal(t, "fits", string(p.Data))
	require.ErrorIs(t, b.ReceiveInto(t.Context(), &unix.Packet{}), stream.ErrEmptyBuffer)
}

func TestPacketWithoutASenderHasNoAddress(t *testing.T) {
	fds := socketpair(t, syscall.SOCK_DGRAM)
	a, err := unix.PacketFromFD(uintptr(fds[0]))
	require.NoError(t, err)
	defer a.Close()
	b, err := unix.PacketFromFD(uintptr(fds[1]))
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("x")}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, unix.Packet{Data: []byte("x")}, p)
}

func TestDialedPacketSocketReceivesFromItsPeerAlone(t *testing.T) {
	a, b := packetPair(t)
	stranger, err := unix.ListenPacket(t.Context(), "", nil)
	require.NoError(t, err)
	defer stranger.Close()
	err = stranger.Send(t.Context(), unix.Packet{Data: []byte("not for you"), Addr: nameOf(a)})
	require.ErrorIs(t, err, syscall.EPERM)
	require.NoError(t, b.Send(t.Context(), unix.Packet{Data: []byte("for you"), Addr: nameOf(a)}))
	p, err := a.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "for you", string(p.Data))
}

// At a path that is no UTF-8.
func TestPacketsAreIteratedOverAndAnswered(t *testing.T) {
	name := place(t) + "\xf0"
	b, err := unix.ListenPacket(t.Context(), name, nil)
	require.NoError(t, err)
	echoed := make(chan error, 1)
	go func() {
		for p, err := range stream.Items(t.Context(), b) {
			if err == nil {
				err = b.Send(t.Context(), p)
			}
			if err != nil {
				echoed <- err
				return
			}
		}
	}()
	a, err := unix.DialPacket(t.Context(), name, &unix.DialConfig{LocalName: name + "2"})
	require.NoError(t, err)
	defer a.Close()
	for i := range 3 {
		require.NoError(t, a.Send(t.Context(), unix.Packet{Data: number(i)}))
		p, err := a.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, i, numberOf(p.Data))
		assert.Equal(t, name, p.Addr)
	}
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-echoed, net.ErrClosed)
}

// turnedAway has one call wait, and sees the other turned away, until c is
// closed.
func turnedAway(t *testing.T, wait, other func(context.Context) error, c io.Closer) {
	t.Helper()
	waiting := make(chan error, 1)
	go func() {
		err := stream.ErrBusy
		for errors.Is(err, stream.ErrBusy) { // the other was first
			err = wait(t.Context())
		}
		waiting <- err
	}()
	for {
		err := other(canceledSoon(t))
		if errors.Is(err, stream.ErrBusy) {
			break
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, c.Close())
	require.ErrorIs(t, <-waiting, net.ErrClosed)
}

func TestSecondReceiverOfPacketsIsTurnedAway(t *testing.T) {
	unbound, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	nameless, err := unix.PacketFromFD(uintptr(unbound))
	require.NoError(t, err)
	connected, bound := packetPair(t)
	for name, c := range map[string]*unix.PacketConn{"bound": bound, "connected": connected, "neither": nameless} {
		t.Run(name, func(t *testing.T) {
			receive := func(ctx context.Context) error { _, err := c.Receive(ctx); return err }
			turnedAway(t, receive, receive, c)
		})
	}
}

func TestLongPacketsArriveWhole(t *testing.T) {
	a, b := packetPair(t)
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: make([]byte, 150_000)}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Len(t, p.Data, 150_000)
	assert.Equal(t, len(p.Data), cap(p.Data))
}

func TestFailureOfAReceiveLeavesThePacketAsItWas(t *testing.T) {
	_, b := packetPair(t)
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	p := unix.Packet{Data: []byte("before"), Addr: "before"}
	require.ErrorIs(t, b.ReceiveInto(ctx, &p), context.Canceled)
	assert.Equal(t, unix.Packet{Data: []byte("before"), Addr: "before"}, p)
}

func TestFullQueueMakesSendWait(t *testing.T) {
	a, b := packetPair(t)
	sent := 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		err := a.Send(ctx, unix.Packet{Data: []byte("x")})
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			if sent > 0 {
				break
			}
			continue
		}
		sent++
	}
	for range sent {
		_, err := b.Receive(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("last")}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "last", string(p.Data), "a canceled Send has sent nothing")
}

func TestCloseWakesASendThatWaits(t *testing.T) {
	a, _ := packetPair(t)
	sent := make(chan error, 1)
	full := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			if n == 1000 { // more than any queue takes
				close(full)
			}
			if err := a.Send(t.Context(), unix.Packet{Data: []byte("x")}); err != nil {
				sent <- err
				return
			}
		}
	}()
	waitUntilFull(t, a)
	require.NoError(t, a.Close())
	require.ErrorIs(t, <-sent, net.ErrClosed)
	select {
	case <-full:
		t.Error("no Send has waited")
	default:
	}
}

// waitUntilFull waits until nothing more can be sent.
func waitUntilFull(t *testing.T, c *unix.PacketConn) {
	t.Helper()
	raw, err := unix.RawConn.Get(c)
	require.NoError(t, err)
	for n := 1; n > 0; {
		require.NoError(t, t.Context().Err())
		require.NoError(t, raw.Control(func(fd uintptr) {
			n, err = sysunix.Poll([]sysunix.PollFd{{Fd: int32(fd), Events: sysunix.POLLOUT}}, 0)
		}))
		if err != sysunix.EINTR {
			require.NoError(t, err)
		}
	}
}

func TestPacketErrorsAreReportedOnceAndTheSocketLives(t *testing.T) {
	a, b := packetPair(t)
	err := a.Send(t.Context(), unix.Packet{Data: make([]byte, 16<<20)})
	require.ErrorIs(t, err, syscall.EMSGSIZE)
	require.ErrorIs(t, b.Send(t.Context(), unix.Packet{Addr: "@nobody-is-here"}), syscall.ECONNREFUSED)
	require.ErrorIs(t, b.Send(t.Context(), unix.Packet{Addr: place(t)}), syscall.ENOENT)
	require.ErrorIs(t, b.Send(t.Context(), unix.Packet{}), syscall.ENOTCONN)
	require.NoError(t, a.Send(t.Context(), unix.Packet{Data: []byte("on")}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "on", string(p.Data))
}

func TestPacketSocketAtAPathHasAFile(t *testing.T) {
	name, local := place(t), place(t)
	b, err := unix.ListenPacket(t.Context(), name, &unix.ListenConfig{Mode: 0o600})
	require.NoError(t, err)
	a, err := unix.DialPacket(t.Context(), name, &unix.DialConfig{LocalName: local})
	require.NoError(t, err)
	require.NoError(t, a.Send(t.Context(), unix.Packet{}))
	p, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, unix.Packet{Data: []byte{}, Addr: local}, p)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
	assert.NoFileExists(t, name)
	assert.NoFileExists(t, local)
	require.ErrorIs(t, a.Send(t.Context(), unix.Packet{}), net.ErrClosed)
}

func TestEmptyPacketInOrderIsNotTheEnd(t *testing.T) {
	a, b, err := seqpackets(t.Context())
	require.NoError(t, err)
	defer a.Close()
	defer b.Close()
	want := []string{"", "", "x", ""}
	for _, p := range want {
		require.NoError(t, a.Send(t.Context(), []byte(p)))
	}
	require.NoError(t, a.Close())
	for _, p := range want {
		got, err := b.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, p, string(got))
	}
	_, err = b.Receive(t.Context())
	require.Equal(t, io.EOF, err)
}

func TestPacketsInOrderAreNeverCut(t *testing.T) {
	a, b, err := seqpackets(t.Context())
	require.NoError(t, err)
	defer a.Close()
	defer b.Close()
	require.NoError(t, a.Send(t.Context(), make([]byte, 150_000)))
	require.ErrorIs(t, a.Send(t.Context(), make([]byte, 16<<20)), syscall.EMSGSIZE)
	require.NoError(t, a.Send(t.Context(), []byte("on")))
	got, err := b.Receive(t.Context())
	require.NoError(t, err)
	assert.Len(t, got, 150_000)
	got, err = b.Receive(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "on", string(got))
	cred, err := unix.PeerCred.Get(b)
	require.NoError(t, err)
	assert.NotZero(t, cred.PID)
}

// sendFilesRaw sends a packet with files, which none of these sockets has a way
// to do itself.
func sendFilesRaw(t *testing.T, from attr.Provider, data string, files ...*os.File) {
	t.Helper()
	raw, err := unix.RawConn.Get(from)
	require.NoError(t, err)
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	require.NoError(t, raw.Write(func(fd uintptr) bool {
		err = syscall.Sendmsg(int(fd), []byte(data), syscall.UnixRights(fds...), nil, 0)
		return true
	}))
	require.NoError(t, err)
}

func TestFilesThatComeWithPacketsAreClosed(t *testing.T) {
	sent := files(t, 9)
	t.Run("packets", func(t *testing.T) {
		a, b := packetPair(t)
		before := descriptors(t)
		for n := range sent {
			sendFilesRaw(t, a, "x", sent[:n+1]...)
			p, err := b.Receive(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "x", string(p.Data))
		}
		assert.Equal(t, before, descriptors(t))
	})
	t.Run("packets in order", func(t *testing.T) {
		a, b, err := seqpackets(t.Context())
		require.NoError(t, err)
		defer a.Close()
		defer b.Close()
		before := descriptors(t)
		for n := range sent {
			sendFilesRaw(t, a, "x", sent[:n+1]...)
			p, err := b.Receive(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "x", string(p))
		}
		assert.Equal(t, before, descriptors(t))
	})
}

func TestOtherKindsOfSocketsAreRefused(t *testing.T) {
	name := place(t)
	ln := listen(t, name, nil)
	_, err := unix.DialSeqpacket(t.Context(), nameOf(ln), nil)
	require.ErrorIs(t, err, syscall.EPROTOTYPE)
	_, err = unix.DialPacket(t.Context(), nameOf(ln), nil)
	require.ErrorIs(t, err, syscall.EPROTOTYPE)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: place(t)})
	require.NoError(t, err)
	defer conn.Close()
	assert.PanicsWithValue(t, "unix: Wrap: conn is unixgram, not unix", func() { unix.Wrap(conn) })
	assert.PanicsWithValue(t, "unix: Wrap: nil conn", func() { unix.Wrap(nil) })
	assert.PanicsWithValue(t, "unix: WrapListener: nil ln", func() { unix.WrapListener(nil) })
}
