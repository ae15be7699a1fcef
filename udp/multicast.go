package udp

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A Membership is a group to receive from.
type Membership struct {
	// Group is the group's address, IPv4 or IPv6.
	Group netip.Addr

	// Interface is the name of the interface to join on. Empty leaves the
	// choice to the system, which goes by its routes.
	Interface string

	// Source is the only sender to receive from; the zero value means all
	// (RFC 4607).
	Source netip.Addr
}

// Join makes the socket receive what is sent to a group. On Linux a Conn
// made by [Listen] receives packets of groups that it has joined itself and of
// no others, whatever other sockets join.
func (c *Conn) Join(m Membership) error {
	return c.member("join", m, func(p groups, ifi *net.Interface) error {
		if m.Source.IsValid() {
			return p.JoinSourceSpecificGroup(ifi, udpAddr(m.Group), udpAddr(m.Source))
		}
		return p.JoinGroup(ifi, udpAddr(m.Group))
	})
}

// Leave ends a membership that Join began.
func (c *Conn) Leave(m Membership) error {
	return c.member("leave", m, func(p groups, ifi *net.Interface) error {
		if m.Source.IsValid() {
			return p.LeaveSourceSpecificGroup(ifi, udpAddr(m.Group), udpAddr(m.Source))
		}
		return p.LeaveGroup(ifi, udpAddr(m.Group))
	})
}

// groups is what ipv4.PacketConn and ipv6.PacketConn have in common.
type groups interface {
	JoinGroup(ifi *net.Interface, group net.Addr) error
	LeaveGroup(ifi *net.Interface, group net.Addr) error
	JoinSourceSpecificGroup(ifi *net.Interface, group, source net.Addr) error
	LeaveSourceSpecificGroup(ifi *net.Interface, group, source net.Addr) error
}

func (c *Conn) member(doing string, m Membership, change func(groups, *net.Interface) error) error {
	if c.io.Closed() {
		return net.ErrClosed
	}
	if !m.Group.IsMulticast() {
		return fmt.Errorf("udp: %s: %v is no group: %w", doing, m.Group, syscall.EINVAL)
	}
	ifi, err := interfaceByName(m.Interface)
	if err != nil {
		return fmt.Errorf("udp: %s %v: %w", doing, m.Group, err)
	}
	var p groups = ipv6.NewPacketConn(c.conn)
	if m.Group.Unmap().Is4() {
		p = ipv4.NewPacketConn(c.conn)
	}
	if err := change(p, ifi); err != nil {
		return fmt.Errorf("udp: %s %v: %w", doing, m.Group, err)
	}
	return nil
}

func interfaceByName(name string) (*net.Interface, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // the system's choice
	}
	return net.InterfaceByName(name)
}

func udpAddr(a netip.Addr) net.Addr { return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.Unmap(), 0)) }
