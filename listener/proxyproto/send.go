package proxyproto

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/internal/tlsattr"
	"github.com/strata-go/strata/stream"
)

// Of returns the header that passes on the client at the other end of p:
// its address and the one that it connected to, and if it speaks TLS with us
// what there is to tell about that. A client whose addresses the protocol
// does not know is passed on without.
//
// The header is of version 2. Set its Version to 1 for a server that knows
// only that, and add to its TLVs what else there is to tell.
func Of(p attr.Provider) *Header {
	h := new(Header)
	h.Source, _ = sockattr.RemoteAddr.Lookup(p)
	h.Destination, _ = sockattr.LocalAddr.Lookup(p)
	if _, err := h.endpoints(); err != nil {
		h.Source, h.Destination = nil, nil
	}
	version, ok := tlsattr.Version.Lookup(p)
	if !ok {
		return h
	}
	if proto, ok := tlsattr.ALPN.Lookup(p); ok {
		h.TLVs = append(h.TLVs, TLV{TypeALPN, []byte(proto)})
	}
	if name, ok := tlsattr.ServerName.Lookup(p); ok {
		h.TLVs = append(h.TLVs, TLV{TypeAuthority, []byte(name)})
	}
	h.TLVs = append(h.TLVs, clientTLS(p, version).TLV())
	return h
}

func clientTLS(p attr.Provider, version tlsattr.ProtocolVersion) *ClientTLS {
	c := &ClientTLS{Version: strings.Replace(version.String(), " ", "v", 1)} // as OpenSSL spells it
	if suite, ok := tlsattr.CipherSuite.Lookup(p); ok {
		c.Cipher = suite.String()
	}
	cert, ok := tlsattr.PeerCertificate.Lookup(p)
	if !ok {
		return c
	}
	resumed, _ := tlsattr.DidResume.Lookup(p)
	_, c.Verified = tlsattr.VerifiedChains.Lookup(p)
	c.CertSession, c.CertConn = true, !resumed
	c.CommonName = cert.Subject.CommonName
	return c
}

// Send sends h as the first bytes of s, which it closes when that fails.
func Send(ctx context.Context, s stream.ByteSender, h *Header) error {
	if s == nil {
		return errors.New("proxyproto: Send: nil stream")
	}
	if h == nil {
		return errors.Join(errors.New("proxyproto: Send: nil header"), s.Close())
	}
	p, err := h.Append(nil)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	if _, err := s.Send(ctx, p); err != nil {
		return errors.Join(fmt.Errorf("proxyproto: %w", err), s.Close())
	}
	return nil
}

// A Connector begins the streams of another connector with a header. It may
// be used by several goroutines.
type Connector[S stream.ByteStream] struct {
	below  stream.Connector[S]
	header func(S) *Header
}

var _ stream.Connector[stream.ByteStream] = (*Connector[stream.ByteStream])(nil)

// NewConnector returns a connector that sends what header returns over each
// stream that c makes. To pass on a client, make one for that client whose
// header is
//
//	func(*tcp.Conn) *proxyproto.Header { return proxyproto.Of(client) }
//
// It panics when c or header is nil.
func NewConnector[S stream.ByteStream](c stream.Connector[S], header func(S) *Header) *Connector[S] {
	if c == nil {
		panic("proxyproto: NewConnector: nil c")
	}
	if header == nil {
		panic("proxyproto: NewConnector: nil header")
	}
	return &Connector[S]{c, header}
}

// Connect connects and sends the header. It closes the stream when that fails.
func (c *Connector[S]) Connect(ctx context.Context) (S, error) {
	s, err := c.below.Connect(ctx)
	if err != nil {
		return s, err
	}
	if err := Send(ctx, s, c.header(s)); err != nil {
		var none S
		return none, err
	}
	return s, nil
}
