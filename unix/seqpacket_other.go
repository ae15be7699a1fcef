//go:build !linux

package unix

import (
	"errors"
	"fmt"
	"net"
)

func seqpacketSupported() error {
	return fmt.Errorf("unix: sockets for packets in order: %w", errors.ErrUnsupported)
}

type packetIO struct{ *net.UnixConn }

func newPacketIO(*net.UnixConn) (*packetIO, error) { return nil, seqpacketSupported() }

func (*packetIO) receive() ([]byte, error) { return nil, errors.ErrUnsupported }

func (*packetIO) send([]byte) (tooLong, err error) { return nil, errors.ErrUnsupported }
