package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/strata-go/strata/internal/hostname"
	"github.com/strata-go/strata/internal/sockopt"
	"github.com/strata-go/strata/stream"
)

// Listen opens a socket on addr, "host:port", that receives from everybody.
// The host is an IP address, with a zone if need be, or a name, in any script
// (IDNA 2008), of which one address counts; the port a number or the name
// of a service. An empty host means all addresses, IPv4 and IPv6; port 0 a free
// one, which LocalAddr tells. With the address of a group other sockets may
// listen on the port too; [Conn.Join] joins it. The context bounds the call
// alone.
func Listen(ctx context.Context, addr string, cfg *Config) (*Conn, error) {
	c := orZero(cfg)
	if err := c.check(ctx); err != nil {
		return nil, fmt.Errorf("udp: listen %s: %w", addr, err)
	}
	lc := net.ListenConfig{Control: c.control}
	network := "udp"
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr().Is4() {
		network = "udp4" // package net makes 0.0.0.0 both
	}
	name, err := forLookup(addr)
	if err != nil {
		return nil, fmt.Errorf("udp: listen %s: %w", addr, err)
	}
	conn, err := lc.ListenPacket(ctx, network, name)
	if err != nil {
		return nil, openError(ctx, err)
	}
	return c.open(conn.(*net.UDPConn))
}

// Dial opens a socket that exchanges packets with the one at addr, written as
// for [Listen], alone. That sends nothing. The context bounds the call alone.
func Dial(ctx context.Context, addr string, cfg *Config) (*Conn, error) {
	c := orZero(cfg)
	if err := c.check(ctx); err != nil {
		return nil, fmt.Errorf("udp: dial %s: %w", addr, err)
	}
	dialer := net.Dialer{Control: c.control}
	if c.LocalAddr != (netip.AddrPort{}) {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(c.LocalAddr)
	}
	name, err := forLookup(addr)
	if err != nil {
		return nil, fmt.Errorf("udp: dial %s: %w", addr, err)
	}
	conn, err := dialer.DialContext(ctx, "udp", name)
	if err != nil {
		return nil, openError(ctx, err)
	}
	return c.open(conn.(*net.UDPConn))
}

// forLookup returns addr with its host as the DNS has it.
func forLookup(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	name, err := hostname.ForLookup(host)
	return net.JoinHostPort(name, port), err
}

// openError makes the caller's error of one of package net's.
func openError(ctx context.Context, err error) error {
	if canceled := stream.ContextError(ctx); canceled != nil {
		err = canceled
	}
	return fmt.Errorf("udp: %w", err)
}

// A Connector opens a socket to the same address whenever it is asked to.
// Several goroutines may ask.
type Connector struct {
	Addr   string
	Config *Config // nil means all defaults
}

var _ stream.Connector[*Conn] = (*Connector)(nil)

// Connect is [Dial].
func (c *Connector) Connect(ctx context.Context) (*Conn, error) { return Dial(ctx, c.Addr, c.Config) }

func orZero(cfg *Config) Config {
	if cfg == nil {
		return Config{}
	}
	return *cfg
}

func (cfg *Config) check(ctx context.Context) error {
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	if cfg.TTL < 0 || cfg.TTL > 255 || cfg.MulticastTTL < 0 || cfg.MulticastTTL > 255 {
		return fmt.Errorf("a TTL is 0 to 255: %w", syscall.EINVAL)
	}
	return cfg.supported()
}

// control sets what has to be set before bind.
func (cfg *Config) control(_, _ string, raw syscall.RawConn) error {
	return sockopt.Control(raw, cfg.beforeBind)
}

// open sets the rest.
func (cfg *Config) open(conn *net.UDPConn) (*Conn, error) {
	c := Wrap(conn)
	if err := cfg.apply(c); err != nil {
		return nil, errors.Join(fmt.Errorf("udp: %w", err), c.Close())
	}
	return c, nil
}

// apply sets options for both protocols on a socket for both: there the one
// of IPv4 is for packets of IPv4.
func (cfg *Config) apply(c *Conn) error {
	ifi, err := interfaceByName(cfg.MulticastInterface)
	if err != nil {
		return err
	}
	four := ipv4.NewPacketConn(c.conn)
	if c.rx.four {
		return cfg.set(ifi, four.SetTTL, four.SetTOS, four.SetMulticastTTL, four.SetMulticastInterface, four.SetMulticastLoopback)
	}
	six := ipv6.NewPacketConn(c.conn)
	if err := cfg.set(ifi, six.SetHopLimit, six.SetTrafficClass, six.SetMulticastHopLimit, six.SetMulticastInterface, six.SetMulticastLoopback); err != nil {
		return err
	}
	_ = cfg.set(ifi, four.SetTTL, four.SetTOS, four.SetMulticastTTL, four.SetMulticastInterface, four.SetMulticastLoopback)
	return nil // some systems have no such thing, nor packets of IPv4 there
}

func (cfg *Config) set(ifi *net.Interface, ttl, tos, groupTTL func(int) error, group func(*net.Interface) error, loopback func(bool) error) error {
	var errs []error
	if cfg.TTL != 0 {
		errs = append(errs, ttl(cfg.TTL))
	}
	if cfg.TOS != 0 {
		errs = append(errs, tos(int(cfg.TOS)))
	}
	if cfg.MulticastTTL != 0 {
		errs = append(errs, groupTTL(cfg.MulticastTTL))
	}
	if ifi != nil {
		errs = append(errs, group(ifi))
	}
	if cfg.NoMulticastLoopback {
		errs = append(errs, loopback(false))
	}
	return errors.Join(errs...)
}
