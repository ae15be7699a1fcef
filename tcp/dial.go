package tcp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/strata-go/strata/stream"
)

// attemptTimeout is how long one address may take while there are others.
const attemptTimeout = 10 * time.Second

// DialConfig says how [Dial] goes about it. A nil DialConfig and the zero one
// mean all defaults. Dial copies it.
type DialConfig struct {
	// LocalAddr is the address to connect from; its port may be 0. With one,
	// only remote addresses of its family are tried. The zero value leaves the
	// choice to the system.
	LocalAddr netip.AddrPort

	// KeepAlive is how long a silent connection is left alone, and the pause
	// between the probes that ask whether the peer is there. Zero means 15 s;
	// negative sends no probes.
	KeepAlive time.Duration

	// Nagle turns TCP_NODELAY off: small segments wait until earlier ones are
	// acknowledged (RFC 896).
	Nagle bool
}

// Dial connects to addr, "host:port". The host is an IP address, with a zone
// if need be, or a name; the port a number or the name of a service. Of
// several addresses those that the resolver puts first are tried first, one
// after the other, for 10 s each as long as there are others.
//
// An error is a [*DialError]. The context bounds the call alone, not the
// connection.
func Dial(ctx context.Context, addr string, cfg *DialConfig) (*Conn, error) {
	var d DialConfig
	if cfg != nil {
		d = *cfg
	}
	if err := stream.ContextError(ctx); err != nil {
		return nil, dialError(ctx, addr, []error{err})
	}
	host, targets, err := d.resolve(ctx, addr)
	if err != nil {
		over(ctx)
		return nil, dialError(ctx, addr, []error{err})
	}
	var errs []error
	for i, target := range targets {
		conn, err := d.attempt(ctx, target, i == len(targets)-1)
		if err == nil {
			return wrap(conn, host), nil
		}
		errs = append(errs, err)
		if over(ctx) {
			break
		}
	}
	return nil, dialError(ctx, addr, errs)
}

func (d *DialConfig) attempt(ctx context.Context, target netip.AddrPort, last bool) (*net.TCPConn, error) {
	if !last {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
	}
	dialer := net.Dialer{KeepAlive: d.KeepAlive}
	conn, err := dialer.DialTCP(ctx, "tcp", d.LocalAddr, target)
	if err != nil {
		return nil, err
	}
	return conn, setNagle(conn, d.Nagle)
}

// over reports whether ctx is done. Package net goes by the deadline itself,
// which passes a moment earlier.
func over(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

func setNagle(conn *net.TCPConn, on bool) error {
	if !on {
		return nil // as net makes its sockets
	}
	if err := conn.SetNoDelay(false); err != nil {
		return errors.Join(err, conn.Close())
	}
	return nil
}

// resolve returns the addresses to try, in order. There is at least one.
func (d *DialConfig) resolve(ctx context.Context, addr string) (host string, targets []netip.AddrPort, err error) {
	host, port, err := splitHostPort(ctx, addr)
	if err != nil {
		return "", nil, err
	}
	addrs, err := lookup(ctx, host)
	if err != nil {
		return "", nil, err
	}
	for _, a := range addrs {
		if a = a.Unmap(); d.reaches(a) {
			targets = append(targets, netip.AddrPortFrom(a, port))
		}
	}
	if len(targets) == 0 {
		return "", nil, &net.AddrError{Err: "no address of the local address's family", Addr: host}
	}
	return host, targets, nil
}

func (d *DialConfig) reaches(a netip.Addr) bool {
	local := d.LocalAddr.Addr().Unmap()
	return !local.IsValid() || local.Is4() == a.Is4()
}

func splitHostPort(ctx context.Context, addr string) (host string, port uint16, err error) {
	if addr == "" {
		return "", 0, &net.AddrError{Err: "empty address"}
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	if host == "" {
		return "", 0, &net.AddrError{Err: "missing host in address", Addr: addr}
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return "", 0, err
	}
	if n == 0 {
		return "", 0, &net.AddrError{Err: "missing port in address", Addr: addr}
	}
	return host, uint16(n), nil
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// A Connector dials the same address whenever it is asked to.
type Connector struct {
	Addr   string
	Config *DialConfig // nil means all defaults
}

var _ stream.Connector[*Conn] = (*Connector)(nil)

// Connect is [Dial].
func (c *Connector) Connect(ctx context.Context) (*Conn, error) { return Dial(ctx, c.Addr, c.Config) }
