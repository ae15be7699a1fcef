package quic

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/hostname"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/udp"
)

// Dial makes a connection to addr, "host:port", from a socket of its own. The
// host is an IP address, with a zone if need be, or a name, in any script
// (IDNA 2008); the port a number or the name of a service. The name to verify
// is tlsConfig's ServerName, or else the host. tlsConfig has to have
// NextProtos.
//
// The addresses of a name are raced as package happyeyeballs does it: IPv6
// first, another every 250 ms, the first whose handshake is done wins. [Race]
// tells how it went. An address is dialed as it is, unless it is of IPv4 and
// there is only IPv6: then the way leads through the network's NAT64, if it
// has one.
//
// An error is a [*DialError]. The context bounds the call alone, not the
// connection.
func Dial(ctx context.Context, addr string, tlsConfig *tls.Config, cfg *Config) (*Conn, error) {
	d := dialer{Config: orZero(cfg)}
	c, race, err := d.dial(ctx, addr, tlsConfig)
	if err != nil {
		return nil, dialError(ctx, addr, err, race)
	}
	return c, nil
}

// A dialer is one call of Dial.
type dialer struct {
	Config
	tls  *tls.Config
	host string
}

// dial returns a report if there was something to race: a name, or what an
// address becomes behind NAT64.
func (d *dialer) dial(ctx context.Context, addr string, tlsConfig *tls.Config) (*Conn, *happyeyeballs.Report, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, nil, err
	}
	if err := checkTLS(tlsConfig); err != nil {
		return nil, nil, err
	}
	host, port, err := splitHostPort(ctx, "udp", addr)
	if err != nil {
		return nil, nil, err
	}
	name, err := hostname.ForLookup(host)
	if err != nil {
		return nil, nil, err
	}
	d.host, d.tls = host, tlsConfig
	if d.tls.ServerName == "" {
		d.tls = tlsConfig.Clone()
		d.tls.ServerName, _, _ = strings.Cut(name, "%")
	}
	if a, err := netip.ParseAddr(name); err == nil {
		c, err := d.attempt(ctx, netip.AddrPortFrom(a.Unmap(), port), nil)
		if err == nil || !a.Unmap().Is4() || !errors.Is(err, syscall.ENETUNREACH) {
			return c, nil, err
		}
	}
	c, race, err := happyeyeballs.Dial(ctx, name, port,
		func(ctx context.Context, c happyeyeballs.Candidate, _ func()) (*Conn, error) {
			return d.attempt(ctx, c.Addr, nil)
		}, d.race(nil))
	if err != nil {
		return nil, race, err
	}
	c.race = race
	return c, race, nil
}

// race is the Race of d with what follows from its LocalAddr, for a service
// if there is one.
func (d *dialer) race(v *happyeyeballs.Service) *happyeyeballs.Config {
	cfg := d.Race
	cfg.Service = v
	local := d.LocalAddr.Addr().Unmap()
	switch {
	case !local.IsValid():
		return &cfg
	case local.Is4():
		cfg.Family = happyeyeballs.IPv4
	default:
		cfg.Family = happyeyeballs.IPv6
	}
	if !local.IsUnspecified() {
		cfg.Source = func(netip.Addr) netip.Addr { return local }
	}
	return &cfg
}

// attempt dials one address, from a socket of its own. Unless it is nil,
// progress is called when the first packet has come back.
func (d *dialer) attempt(ctx context.Context, target netip.AddrPort, progress func()) (*Conn, error) {
	local := d.LocalAddr
	if !local.IsValid() {
		local = netip.AddrPortFrom(unspecified(target.Addr()), 0)
	}
	conn, err := udp.Listen(ctx, local.String(), &d.Transport.UDP)
	if err != nil {
		return nil, err
	}
	t := NewTransport(conn, &d.Transport)
	t.single = true
	if progress != nil {
		t.qt.Conn = newFirstConn(t.qt.Conn.(*net.UDPConn), progress)
	}
	c, err := t.dial(ctx, net.UDPAddrFromAddrPort(target), d.tls, &d.Config)
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	c.info.Host = d.host
	return c, nil
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// splitHostPort returns the host and the port of an address to dial.
func splitHostPort(ctx context.Context, network, addr string) (host string, port uint16, err error) {
	host, port, err = hostname.Split(ctx, network, addr)
	switch {
	case err != nil:
		return "", 0, err
	case host == "":
		return "", 0, &net.AddrError{Err: "missing host in address", Addr: addr}
	case port == 0:
		return "", 0, &net.AddrError{Err: "missing port in address", Addr: addr}
	}
	return host, port, nil
}
