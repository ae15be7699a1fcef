package unix

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

func seqpacketSupported() error { return nil }

// A packetIO receives and sends the packets of a connection. It is the
// net.Conn below its stream, which does not use its Read and Write.
type packetIO struct {
	*net.UnixConn
	raw syscall.RawConn

	control []byte // of the one who receives
}

// timeSpace is what a time takes, which comes before all else. There must not be
// room for more: files that came with a packet would be opened here, once for
// each look at it.
var timeSpace = sysunix.CmsgSpace(binary.Size(sysunix.Timeval{}))

// newPacketIO asks for a time with each packet, which nobody looks at: an end
// has none, which is all that tells it from an empty packet.
func newPacketIO(conn *net.UnixConn) (*packetIO, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var optErr error
	if err := raw.Control(func(fd uintptr) {
		optErr = sysunix.SetsockoptInt(int(fd), sysunix.SOL_SOCKET, sysunix.SO_TIMESTAMP, 1)
	}); err != nil {
		return nil, err
	}
	if optErr != nil {
		return nil, os.NewSyscallError("setsockopt", optErr)
	}
	return &packetIO{UnixConn: conn, raw: raw, control: make([]byte, timeSpace)}, nil
}

// receive waits for a packet, or for the end.
func (s *packetIO) receive() (packet []byte, err error) {
	var callErr error
	err = s.raw.Read(func(fd uintptr) bool {
		packet, callErr = s.take(int(fd))
		return !errors.Is(callErr, sysunix.EAGAIN)
	})
	if err == nil {
		err = s.opError("recvmsg", callErr)
	}
	if err != nil {
		return nil, err
	}
	return packet, nil
}

// take asks how long the next packet is before it takes it.
func (s *packetIO) take(fd int) ([]byte, error) {
	n, err := s.recvmsg(fd, nil, sysunix.MSG_PEEK)
	if err != nil {
		return nil, err
	}
	p := make([]byte, n)
	got, err := s.recvmsg(fd, p, 0)
	if err == nil && got > len(p) { // somebody else took the one that was asked about
		return nil, sysunix.EMSGSIZE
	}
	return p[:min(got, len(p))], err
}

// recvmsg returns the real length of the packet.
func (s *packetIO) recvmsg(fd int, p []byte, flags int) (int, error) {
	for {
		n, control, _, _, err := sysunix.RecvmsgBuffers(fd, [][]byte{p}, s.control, flags|sysunix.MSG_TRUNC|sysunix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, sysunix.EINTR) {
			continue
		}
		if err == nil && n == 0 && control == 0 {
			return 0, io.EOF
		}
		return n, err
	}
}

// send waits until there is room for p. A packet that is too long for that
// ever to be is not the connection's failure.
func (s *packetIO) send(p []byte) (tooLong, err error) {
	var callErr error
	err = s.raw.Write(func(fd uintptr) bool {
		for {
			callErr = sysunix.Sendto(int(fd), p, sysunix.MSG_NOSIGNAL, nil)
			if !errors.Is(callErr, sysunix.EINTR) {
				return !errors.Is(callErr, sysunix.EAGAIN)
			}
		}
	})
	if err == nil {
		err = s.opError("sendto", callErr)
	}
	if errors.Is(err, sysunix.EMSGSIZE) {
		return err, nil
	}
	return nil, err
}

func (s *packetIO) opError(call string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{
		Op: call, Net: "unixpacket", Source: s.LocalAddr(), Addr: s.RemoteAddr(),
		Err: os.NewSyscallError(call, err),
	}
}
