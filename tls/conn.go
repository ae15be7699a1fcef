package tls

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A Conn is a stream secured with TLS. One goroutine may receive while another
// sends, and any may close. Its attributes are those of the session over those
// of the stream below.
type Conn struct {
	attributes attr.Set
	s          stream.ByteStream
	std        *cryptotls.Conn
	state      ConnectionState // fixed once the handshake is done
	hello      *tlsattr.Hello  // nil on a client
	overhead   int             // what a record of this session has over its plaintext, at least

	server          bool
	allowTruncation bool
	first           [1]byte // what WaitReceive decrypted
	waited          bool    // and nobody has received
	receiving       structured.Guard
	in              incoming
	record          uint         // the number of the record that the last plaintext is of
	kept            int          // how much more of it crypto/tls has
	end             error        // what Receive returns when there is no more
	ending          atomic.Int32 // what is known of it: an ending
	unread          atomic.Int64

	sending structured.Guard
	eof     atomic.Bool // close_notify was written
	out     outgoing

	broken   atomic.Pointer[stream.BrokenError]
	closed   atomic.Bool
	released sync.WaitGroup // done when Close is

	plain net.Conn // the transport, once Std gave the session away
}

var (
	_ stream.ByteStream    = (*Conn)(nil)
	_ stream.ReceiveWaiter = (*Conn)(nil)
	_ stream.Shutdowner    = (*Conn)(nil)
	_ stream.Aborter       = (*Conn)(nil)
)

// WrapClient does the handshake of a client over s. It takes over s: Close
// closes it, and so does a failed handshake. Bytes that a layer of s has read
// ahead are taken for the peer's side of the handshake; after a plaintext
// dialogue use [UpgradeClient].
//
// The name to verify is cfg's ServerName, or else the one that was dialed
// (attribute netconn.Host), so that cfg may be nil. Names in other scripts
// than ASCII are converted with IDNA 2008. cfg is copied; its Renegotiation is
// ignored, there is none.
//
// ctx covers the handshake only. The error is a [*HandshakeError].
func WrapClient(ctx context.Context, s stream.ByteStream, cfg *Config, opt *Options) (*Conn, error) {
	if s == nil {
		return nil, errNilStream
	}
	own, err := clientConfig(s, cfg)
	if err != nil {
		return nil, refuse(s, &HandshakeError{ServerName: own.ServerName, Err: err})
	}
	c := newConn(s, false, opt)
	c.std = cryptotls.Client(&adapter{c}, own)
	return c.established(ctx, own.ServerName)
}

// WrapServer does the handshake of a server over s. It takes over s: Close
// closes it, and so does a failed handshake. Bytes that a layer of s has read
// ahead are taken for the peer's side of the handshake, as it must be behind a
// PROXY header; after a plaintext dialogue use [UpgradeServer].
//
// cfg must have a certificate or a way to get one, and must not be modified any
// more. Session tickets are made with its keys, so that a session of one
// connection can be resumed by any other with the same cfg.
//
// ctx covers the handshake only. The error is a [*HandshakeError].
func WrapServer(ctx context.Context, s stream.ByteStream, cfg *Config, opt *Options) (*Conn, error) {
	if s == nil {
		return nil, errNilStream
	}
	if cfg == nil {
		return nil, refuse(s, &HandshakeError{Server: true, Err: errNoServerConfig})
	}
	c := newConn(s, true, opt)
	c.std = cryptotls.Server(&adapter{c}, tlsattr.Hearing(cfg, func(_ context.Context, h *tlsattr.Hello) { c.hello = h }))
	return c.established(ctx, "")
}

func newConn(s stream.ByteStream, server bool, opt *Options) *Conn {
	c := &Conn{s: s, server: server, allowTruncation: opt.copy().AllowTruncation}
	c.released.Add(1)
	c.out.s = s
	c.in.out = &c.out
	return c
}

// established returns c after its handshake.
func (c *Conn) established(ctx context.Context, name string) (*Conn, error) {
	if err := c.handshake(ctx); err != nil {
		return nil, refuse(c.s, c.handshakeError(ctx, name, err))
	}
	c.overhead = overhead(&c.state)
	c.unread.Store(int64(c.in.unread()))
	facts.Init(&c.attributes, c, c.s)
	return c, nil
}

// refuse closes the stream of a constructor that fails.
func refuse(s stream.ByteStream, err error) error {
	_ = s.Close() // err says more than this could
	return err
}

// Attributes returns those of the session over those of the stream below.
func (c *Conn) Attributes() *attr.Set { return &c.attributes }

// fail breaks the connection, unless it is broken already, and returns what
// both directions answer from then on.
func (c *Conn) fail(cause error) error {
	c.broken.CompareAndSwap(nil, stream.Broken(cause))
	return c.broken.Load()
}

var errNilStream = errors.New("tls: nil stream")
