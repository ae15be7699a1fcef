package tcp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/hostname"
	"github.com/strata-go/strata/stream"
)

// DialConfig says how [Dial] goes about it. A nil DialConfig and the zero one
// mean all defaults. Dial copies it.
type DialConfig struct {
	// LocalAddr is where to connect from. The system chooses what of it is
	// missing: a port of 0, an IP address that is the zero Addr, or both. With an
	// IP address only remote ones of its family are tried.
	LocalAddr netip.AddrPort

	// Options are those of the socket.
	Options

	// Multipath asks for Multipath TCP (RFC 8684), which becomes plain TCP
	// where the system or the peer has none. NetConn tells what came of it.
	Multipath bool

	// Race says how the addresses of a name are found and tried: the
	// resolver, the delays, which family, and a hook that sees it happen. Its
	// Service is not used, since TLS would be part of such a race: see
	// quic.Connector.
	Race happyeyeballs.Config
}

// Dial connects to addr, "host:port". The host is an IP address, with a zone
// if need be, or a name, in any script (IDNA 2008); the port a number or the
// name of a service.
//
// The addresses of a name are raced as package happyeyeballs does it: IPv6
// first, another every 250 ms, the first that answers wins. [Race] tells how
// it went. An address is dialed as it is, unless it is of IPv4 and there is
// only IPv6: then the way leads through the network's NAT64, if it has one.
//
// An error is a [*DialError]. The context bounds the call alone, not the
// connection.
func Dial(ctx context.Context, addr string, cfg *DialConfig) (*Conn, error) {
	var d DialConfig
	if cfg != nil {
		d = *cfg
	}
	if err := stream.ContextError(ctx); err != nil {
		return nil, &DialError{Addr: addr, Errs: []error{err}}
	}
	host, port, err := hostname.Split(ctx, "tcp", addr)
	switch {
	case err != nil:
	case host == "":
		err = &net.AddrError{Err: "missing host in address", Addr: addr}
	case port == 0:
		err = &net.AddrError{Err: "missing port in address", Addr: addr}
	}
	if err != nil {
		return nil, dialError(ctx, addr, err)
	}
	conn, report, err := d.dial(ctx, host, port)
	if err != nil {
		e := dialError(ctx, addr, err)
		e.Race = report
		return nil, e
	}
	return wrap(conn, host, report), nil
}

// dial returns a report if there was something to race: a name, or what an
// address becomes behind NAT64.
func (d *DialConfig) dial(ctx context.Context, host string, port uint16) (*net.TCPConn, *happyeyeballs.Report, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		conn, err := d.dialAddr(ctx, netip.AddrPortFrom(a.Unmap(), port))
		if err == nil || !a.Unmap().Is4() || !errors.Is(err, syscall.ENETUNREACH) {
			return conn, nil, err
		}
	}
	return d.dialName(ctx, host, port)
}

// dialName has its own copy of d, so that dialing an address allocates none.
func (d DialConfig) dialName(ctx context.Context, host string, port uint16) (*net.TCPConn, *happyeyeballs.Report, error) {
	name, err := hostname.ForLookup(host)
	if err != nil {
		return nil, nil, err
	}
	return happyeyeballs.Dial(ctx, name, port,
		func(ctx context.Context, c happyeyeballs.Candidate, _ func()) (*net.TCPConn, error) {
			return d.attempt(ctx, c.Addr)
		}, d.race())
}

// race is the Race of d with what follows from its LocalAddr.
func (d *DialConfig) race() *happyeyeballs.Config {
	cfg := d.Race
	cfg.Service = nil
	local := d.LocalAddr.Addr().Unmap()
	if f := d.family(); f != 0 {
		cfg.Family = f
	}
	if local.IsValid() && !local.IsUnspecified() {
		cfg.Source = func(netip.Addr) netip.Addr { return local }
	}
	return &cfg
}

// family is that of the addresses to try, zero if it does not matter.
func (d *DialConfig) family() happyeyeballs.Family {
	local := d.LocalAddr.Addr().Unmap()
	switch {
	case !local.IsValid():
		return d.Race.Family
	case local.Is4():
		return happyeyeballs.IPv4
	}
	return happyeyeballs.IPv6
}

// dialAddr is the short way for an address that was given.
func (d *DialConfig) dialAddr(ctx context.Context, target netip.AddrPort) (*net.TCPConn, error) {
	if f := d.family(); !inFamily(f, target.Addr()) {
		reason := "not an " + f.String() + " address"
		if d.LocalAddr.IsValid() {
			reason = "no address of the local address's family"
		}
		return nil, &net.AddrError{Err: reason, Addr: target.Addr().String()}
	}
	if d.Race.AttemptTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Race.AttemptTimeout)
		defer cancel()
	}
	return d.attempt(ctx, target)
}

// attempt dials one address. It does not use Dialer.DialTCP, which binds the
// socket even if there is no local address: that takes a port from all
// connections of this host rather than from those to the same peer.
func (d *DialConfig) attempt(ctx context.Context, target netip.AddrPort) (*net.TCPConn, error) {
	dialer := net.Dialer{Control: d.control(nil)}
	dialer.KeepAlive, dialer.KeepAliveConfig = d.keepAlive()
	if d.LocalAddr != (netip.AddrPort{}) {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(d.LocalAddr)
	}
	if d.Multipath {
		dialer.SetMultipathTCP(true)
	}
	conn, err := dialer.DialContext(ctx, "tcp", target.String())
	if _, ok := ctx.Deadline(); ok && errors.Is(err, os.ErrDeadlineExceeded) {
		<-ctx.Done() // whose deadline it was, and whose timer is a moment behind
	}
	if err != nil {
		return nil, err
	}
	c := conn.(*net.TCPConn)
	if err = d.refuseItself(c); err == nil {
		err = d.apply(c)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// refuseItself returns an error if conn is connected to itself: where nobody
// listens on a port of this host that the system chose for our side, too, TCP
// connects to whoever dials (RFC 9293 section 3.5, simultaneous open). Package
// net tries again, but takes it in the end. Who asked for the port asked for
// the connection.
func (d *DialConfig) refuseItself(conn *net.TCPConn) error {
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	remote, known := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || !known || d.LocalAddr.Port() != 0 || local.Port != remote.Port || !local.IP.Equal(remote.IP) {
		return nil
	}
	return &net.OpError{Op: "dial", Net: "tcp", Source: local, Addr: remote, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// A Connector dials the same address whenever it is asked to. Several goroutines
// may ask.
type Connector struct {
	Addr   string
	Config *DialConfig // nil means all defaults
}

var _ stream.Connector[*Conn] = (*Connector)(nil)

// Connect is [Dial].
func (c *Connector) Connect(ctx context.Context) (*Conn, error) { return Dial(ctx, c.Addr, c.Config) }
