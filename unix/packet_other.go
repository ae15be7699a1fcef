//go:build !unix

package unix

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/strata-go/strata/internal/ctxio"
)

func packetsSupported() error {
	return fmt.Errorf("unix: sockets for packets: %w", errors.ErrUnsupported)
}

type packetReceiver struct{ call ctxio.PacketCall }

func (*packetReceiver) init(*net.UnixConn, syscall.RawConn) {}
func (*packetReceiver) begin([]byte, bool)                  {}
func (*packetReceiver) take(*Packet) error                  { return errors.ErrUnsupported }

type packetSender struct {
	call ctxio.PacketCall
	data []byte
	to   string
}

func (*packetSender) init(*net.UnixConn, syscall.RawConn) {}
