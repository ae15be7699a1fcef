package tcp

import (
	"errors"
	"math"
	"net"
	"syscall"
	"time"

	"github.com/strata-go/strata/internal/sockopt"
)

// Options are those of a connection's socket. The zero Options are the
// defaults.
type Options struct {
	// KeepAlive is how long a silent connection is left alone until a probe
	// asks whether the peer is there. Zero means 15 s; negative sends no probes.
	// The system counts in whole seconds.
	KeepAlive time.Duration

	// KeepAliveInterval is the pause between probes that have no answer. Zero
	// means 15 s; negative leaves it to the system.
	KeepAliveInterval time.Duration

	// KeepAliveCount is how many probes without an answer break the
	// connection, with syscall.ETIMEDOUT. Zero means 9; negative leaves it to
	// the system.
	KeepAliveCount int

	// UserTimeout is how long bytes that were sent, and the attempt to
	// connect, may go without an acknowledgment until the connection breaks,
	// with syscall.ETIMEDOUT (RFC 5482). It takes the place of KeepAliveCount,
	// too. Zero and negative leave it to the system, which takes 15 minutes or
	// so. Linux, by the millisecond; elsewhere errors.ErrUnsupported.
	UserTimeout time.Duration

	// Nagle turns TCP_NODELAY off: small segments wait until earlier ones are
	// acknowledged (RFC 896).
	Nagle bool

	// Linger is how long Close waits for the peer to acknowledge what was
	// sent, in whole seconds; it is the only way to make a Close wait. Zero
	// means that the kernel goes on sending after Close, which tells nobody
	// whether it succeeds; negative that Close discards what is not sent and
	// resets the connection, as Abort does (SO_LINGER).
	Linger time.Duration

	// ReceiveBuffer and SendBuffer are how many bytes the kernel keeps for us
	// and for the peer. Zero and negative leave them to the system, which
	// adapts them to the connection and stops doing so once they are set.
	ReceiveBuffer int
	SendBuffer    int

	// Control, if not nil, is called for each socket before it is bound or
	// connected, after what else the configuration says was done. The network
	// is "tcp4" or "tcp6" and the address where the socket is to connect to or
	// to listen; a socket that could not have Multipath TCP is followed by one
	// without. Its error is that of the attempt. Attempts to several
	// addresses go on at the same time, and so may Control.
	Control func(network, address string, raw syscall.RawConn) error
}

// keepAlive returns what net.Dialer and net.ListenConfig call KeepAlive and
// KeepAliveConfig.
func (o *Options) keepAlive() (time.Duration, net.KeepAliveConfig) {
	if o.KeepAlive < 0 {
		return -1, net.KeepAliveConfig{}
	}
	return 0, net.KeepAliveConfig{
		Enable: true, Idle: o.KeepAlive, Interval: o.KeepAliveInterval, Count: o.KeepAliveCount,
	}
}

// control returns a hook for package net that sets what has to be set before
// a socket is bound: our own options and those of set. It is nil if there is
// nothing to set.
func (o Options) control(set func(fd uintptr) error) func(network, address string, raw syscall.RawConn) error {
	if set == nil && o.UserTimeout <= 0 && o.ReceiveBuffer <= 0 && o.SendBuffer <= 0 {
		return o.Control
	}
	return func(network, address string, raw syscall.RawConn) error {
		err := sockopt.Control(raw, func(fd uintptr) error {
			if err := o.set(fd); err != nil || set == nil {
				return err
			}
			return set(fd)
		})
		if err != nil || o.Control == nil {
			return err
		}
		return o.Control(network, address, raw)
	}
}

func (o *Options) set(fd uintptr) error {
	if err := sockopt.Buffers(fd, o.ReceiveBuffer, o.SendBuffer); err != nil || o.UserTimeout <= 0 {
		return err
	}
	return sockopt.UserTimeout(fd, o.UserTimeout)
}

// apply sets the rest, on a connection.
func (o *Options) apply(conn *net.TCPConn) error {
	var errs [2]error
	if o.Nagle {
		errs[0] = conn.SetNoDelay(false)
	}
	if o.Linger != 0 {
		linger := min(max(o.Linger, 0), math.MaxInt16*time.Second)
		errs[1] = conn.SetLinger(int((linger + time.Second - 1) / time.Second))
	}
	return errors.Join(errs[:]...)
}
