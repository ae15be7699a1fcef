package quic

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/hostname"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// A Connector connects to a service that may be spoken over QUIC and over TLS
// on TCP, with whatever works first. Its fields must not be modified while it
// is in use; several goroutines may connect at once.
//
//	c := &quic.Connector{
//		Addr: "dns.example:853",
//		Service: happyeyeballs.Service{Protocols: []happyeyeballs.Protocol{
//			{ALPN: "doq", Transport: happyeyeballs.QUIC},
//			{ALPN: "dot", Transport: happyeyeballs.TCP},
//		}},
//	}
//
// The addresses of the host are raced as package happyeyeballs does it for a
// service: QUIC and TCP in one list, another attempt every 250 ms, and the
// first wins whose TLS handshake is done. When an attempt gets on, as TCP is
// connected or the first packet comes over QUIC, the next one waits 250 ms from
// then.
type Connector struct {
	// Addr is "host:port", as for [Dial].
	Addr string

	// Service says what to speak, and where to look for records of it, which
	// takes a Config.Race.Resolver that does so. Without Protocols it is TLS's
	// NextProtos, over QUIC first and over TCP.
	Service happyeyeballs.Service

	// TLS is for the handshakes over both. The name to verify is its
	// ServerName, or else the host. Its NextProtos give way to
	// Service.Protocols, and its EncryptedClientHelloConfigList to what
	// records have if Service.ECH asks for it. Nil means all defaults.
	TLS *tls.Config

	// Options is for TLS over TCP; it may be nil.
	Options *tls.Options

	// Config is for QUIC; its Race is for both, without the Service. Nil means
	// all defaults.
	Config *Config

	// TCP is for TCP; its Race is not used. Nil means all defaults.
	TCP *tcp.DialConfig
}

var _ stream.Connector[*Raced] = (*Connector)(nil)

// Over is what a stream of a [Connector] runs over. Fixed.
var Over = attr.New[happyeyeballs.Transport]("quic.over")

// Connect returns a new stream. ctx covers the race only. The error is a
// [*DialError], and of a failure nothing is left open.
func (c *Connector) Connect(ctx context.Context) (*Raced, error) {
	r, race, err := c.connect(ctx)
	if err != nil {
		return nil, &DialError{Addr: c.Addr, Errs: raceErrors(ctx, err), Race: race}
	}
	return r, nil
}

func (c *Connector) connect(ctx context.Context) (*Raced, *happyeyeballs.Report, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, nil, err
	}
	v, err := c.service()
	if err != nil {
		return nil, nil, err
	}
	host, port, err := splitHostPort(ctx, "tcp", c.Addr)
	if err != nil {
		return nil, nil, err
	}
	name, err := hostname.ForLookup(host)
	if err != nil {
		return nil, nil, err
	}
	a := &attempts{dialer: dialer{Config: orZero(c.Config), host: host, tls: c.TLS}, name: name, options: c.Options}
	if c.TCP != nil {
		a.tcp = *c.TCP
	}
	r, race, err := happyeyeballs.Dial(ctx, name, port, a.attempt, a.race(v))
	if err != nil {
		return nil, race, err
	}
	r.won(race)
	return r, race, nil
}

var (
	errNoProtocols = errors.New("no protocols: Connector has neither Service.Protocols nor TLS.NextProtos")
	errUnnamed     = errors.New("a protocol over QUIC has no ALPN, which is part of every handshake (RFC 9001 section 8.1)")
)

// service is Service with the protocols of TLS if it has none.
func (c *Connector) service() (*happyeyeballs.Service, error) {
	v := c.Service
	if len(v.Protocols) == 0 && c.TLS != nil {
		for _, t := range []happyeyeballs.Transport{happyeyeballs.QUIC, happyeyeballs.TCP} {
			for _, id := range c.TLS.NextProtos {
				v.Protocols = append(v.Protocols, happyeyeballs.Protocol{ALPN: id, Transport: t})
			}
		}
	}
	if len(v.Protocols) == 0 {
		return nil, errNoProtocols
	}
	for _, p := range v.Protocols {
		if p.Transport == happyeyeballs.QUIC && p.ALPN == "" {
			return nil, errUnnamed
		}
	}
	return &v, nil
}

// raceErrors returns the errors of a DialError. Those of attempts name their
// candidates, as an address alone does not tell which it was.
func raceErrors(ctx context.Context, err error) []error {
	lost, ok := errors.AsType[*happyeyeballs.Error](err)
	if !ok {
		return []error{err}
	}
	errs := lost.Errs
	if canceled := stream.ContextError(ctx); canceled != nil {
		errs = append(errs, canceled)
	}
	return errs
}

// attempts makes those of one call of Connect.
type attempts struct {
	dialer         // its tls may be nil
	name    string // of the host, to verify
	tcp     tcp.DialConfig
	options *tls.Options
}

// attempt makes a stream over what c says. A server that rejects the key for
// its Encrypted Client Hello may give a better one to try again with (RFC 9849
// section 6.1.6).
func (a *attempts) attempt(ctx context.Context, c happyeyeballs.Candidate, progress func()) (*Raced, error) {
	r, err := a.try(ctx, c, progress)
	rejected, ok := errors.AsType[*cryptotls.ECHRejectionError](err)
	if ok && c.ECH != nil && len(rejected.RetryConfigList) > 0 {
		c.ECH = rejected.RetryConfigList
		r, err = a.try(ctx, c, progress)
	}
	return r, err
}

func (a *attempts) try(ctx context.Context, c happyeyeballs.Candidate, progress func()) (*Raced, error) {
	cfg := a.config(c)
	if c.Transport == happyeyeballs.QUIC {
		return a.overQUIC(ctx, c, cfg, progress)
	}
	return a.overTCP(ctx, c, cfg, progress)
}

// config returns what to shake hands with.
func (a *attempts) config(c happyeyeballs.Candidate) *tls.Config {
	cfg := a.tls.Clone()
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = strings.Cut(a.name, "%")
	}
	cfg.NextProtos = c.ALPN
	if c.ECH != nil {
		cfg.EncryptedClientHelloConfigList = c.ECH
	}
	return cfg
}

func (a *attempts) overQUIC(ctx context.Context, c happyeyeballs.Candidate, cfg *tls.Config, progress func()) (*Raced, error) {
	d := a.dialer
	d.tls = cfg
	conn, err := d.attempt(ctx, c.Addr, progress)
	if err != nil {
		return nil, err
	}
	s, err := opened(ctx, conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return newRaced(&connStream{Stream: s, conn: conn}, conn, d.host, c.Transport), nil
}

// opened returns a stream of conn once the handshake is done, which takes a
// while with early data.
func opened(ctx context.Context, conn *Conn) (*Stream, error) {
	if err := conn.Handshake(ctx); err != nil {
		return nil, err
	}
	return conn.OpenStream(ctx)
}

func (a *attempts) overTCP(ctx context.Context, c happyeyeballs.Candidate, cfg *tls.Config, progress func()) (*Raced, error) {
	d := a.tcp
	d.Race = happyeyeballs.Config{Family: happyeyeballs.IPv6}
	if c.Addr.Addr().Is4() {
		d.Race.Family = happyeyeballs.IPv4
	}
	conn, err := tcp.Dial(ctx, c.Addr.String(), &d)
	if failed, ok := errors.AsType[*tcp.DialError](err); ok && len(failed.Errs) > 0 {
		return nil, failed.Errs[0] // which names the address
	}
	if err != nil {
		return nil, err
	}
	progress()
	s, err := tls.WrapClient(ctx, conn, cfg, a.options)
	if err != nil {
		return nil, err
	}
	return newRaced(s, nil, a.host, c.Transport), nil
}

// A Raced is the stream that a [Connector] has connected with: a stream of a
// QUIC connection that ends with it, or a TLS session over TCP. [Over] tells
// which, [Race] why, and tls.ALPN what is to be spoken. It is a
// stream.ByteStream, with WaitReceive, Shutdown and Abort. One goroutine may
// receive while another sends, and any may close.
//
// Over QUIC the server learns of the stream when something is sent on it; and
// each direction fails by itself, see [Stream].
type Raced struct {
	wrapper
	conn  *Conn // nil over TCP
	host  string
	over  happyeyeballs.Transport
	race  *happyeyeballs.Report
	facts attr.Set
}

var racedFacts = attr.Define(
	attr.Value(sockattr.Host, func(r *Raced) string { return r.host }),
	attr.Value(Over, func(r *Raced) happyeyeballs.Transport { return r.over }),
	attr.Value(Race, func(r *Raced) *happyeyeballs.Report { return r.race }),
)

var (
	_ stream.ByteStream    = (*Raced)(nil)
	_ stream.ReceiveWaiter = (*Raced)(nil)
	_ stream.Shutdowner    = (*Raced)(nil)
	_ stream.Aborter       = (*Raced)(nil)
)

// wrapper keeps what is wrapped out of the documentation, and out of reach.
type wrapper = stream.Wrapper

func newRaced(s stream.ByteStream, conn *Conn, host string, over happyeyeballs.Transport) *Raced {
	r := &Raced{wrapper: wrapper{ByteStream: s}, conn: conn, host: host, over: over}
	racedFacts.Init(&r.facts, r, s)
	return r
}

// won makes r, and a connection below it, know the race.
func (r *Raced) won(race *happyeyeballs.Report) {
	r.race = race
	if r.conn != nil {
		r.conn.race = race
	}
}

// Conn returns the QUIC connection, for more streams, and nil over TCP. It
// ends with r.
func (r *Raced) Conn() *Conn {
	if s, ok := r.ByteStream.(*connStream); ok {
		s.used.Store(true)
	}
	return r.conn
}

// Close closes the stream, and over QUIC its connection: if something was
// sent, a little later, when that has had the time to arrive (see
// [Conn.Shutdown]) or the peer has closed it. Close does not wait for that.
// Until then the socket remains open, and a process that exits may cut off what
// was sent last: [stream.Shutdown] waits for the peer.
func (r *Raced) Close() error { return r.ByteStream.Close() }

// Attributes are Host, [Over] and [Race], and those of the stream.
func (r *Raced) Attributes() *attr.Set { return &r.facts }

// A connStream is a stream with which its connection ends.
type connStream struct {
	*Stream
	conn *Conn
	used atomic.Bool // something was sent
}

func (s *connStream) Send(ctx context.Context, p []byte) (int, error) {
	s.used.Store(true)
	return s.Stream.Send(ctx, p)
}

func (s *connStream) SendEOF(ctx context.Context) error {
	s.used.Store(true)
	return s.Stream.SendEOF(ctx)
}

// Close closes the stream, and leaves it to the connection to deliver what was
// sent, for a while.
func (s *connStream) Close() error {
	err := s.Stream.Close()
	if s.used.Load() {
		s.conn.closeSoon()
		return err
	}
	return errors.Join(err, s.conn.Close())
}

// Abort aborts the stream and closes the connection, both for the same cause.
func (s *connStream) Abort(cause error) error {
	return errors.Join(s.Stream.Abort(cause), s.conn.Abort(cause))
}
