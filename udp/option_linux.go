package udp

import (
	"os"

	sysunix "golang.org/x/sys/unix"

	"github.com/strata-go/strata/internal/sockopt"
)

func (cfg *Config) supported() error { return nil }

// beforeBind sets the options that have to be there when the first packet
// comes. Those of IPv4 are for packets of IPv4 on sockets for both, too.
func (cfg *Config) beforeBind(fd uintptr) error {
	s := int(fd)
	six := !isIPv4(fd)
	if cfg.ReusePort {
		if err := sockopt.ReusePort(fd); err != nil {
			return err
		}
	}
	if !cfg.Broadcast { // package net allows it to everybody
		if err := sysunix.SetsockoptInt(s, sysunix.SOL_SOCKET, sysunix.SO_BROADCAST, 0); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	// Groups that other sockets have joined are none of ours.
	if err := set(s, six, 0, sysunix.IP_MULTICAST_ALL, sysunix.IPV6_MULTICAST_ALL); err != nil {
		return err
	}
	if !cfg.Info {
		return nil
	}
	if err := set(s, six, 1, sysunix.IP_PKTINFO, sysunix.IPV6_RECVPKTINFO); err != nil {
		return err
	}
	return set(s, six, 1, sysunix.IP_RECVTOS, sysunix.IPV6_RECVTCLASS)
}

func set(s int, six bool, value, four, sixth int) error {
	err := sysunix.SetsockoptInt(s, sysunix.SOL_IP, four, value)
	if six {
		err = sysunix.SetsockoptInt(s, sysunix.SOL_IPV6, sixth, value)
	}
	return os.NewSyscallError("setsockopt", err)
}

func isIPv4(fd uintptr) bool {
	return option(fd, sysunix.SOL_SOCKET, sysunix.SO_DOMAIN) == sysunix.AF_INET
}
