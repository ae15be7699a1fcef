package tls

import (
	"context"
	cryptotls "crypto/tls"
	"io"
	"net"

	"github.com/strata-go/strata/stream"
)

// maxPlaintext is how much one record can hold (RFC 8446 section 5.1).
const maxPlaintext = 16 << 10

// Receive returns decrypted bytes, of one record at a time. The end is io.EOF
// when the peer said close_notify. When the transport ends without that it is
// stream.ErrBroken with the cause io.ErrUnexpectedEOF, or, with
// Options.AllowTruncation and only between two records, io.EOF as well.
//
// A canceled Receive has taken nothing; the part of a record that came stays
// for the next call. What the protocol wants sent in answer, as to a
// KeyUpdate, waits for the next Send.
func (c *Conn) Receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, stream.ErrEmptyBuffer
	}
	if err := c.enter(ctx, &c.receiving); err != nil {
		return 0, err
	}
	defer c.leaveReceive()
	if n := c.takePlain(p); n > 0 {
		return n, nil
	}
	n, err := c.decrypt(ctx, p)
	if err != nil {
		return 0, err
	}
	if n == len(p) && c.mayHoldMore(n) {
		c.keepPlain(nil)
	}
	return n, nil
}

// WaitReceive waits until Receive would not block. It decrypts one record into
// the Conn, and holds no buffer while it waits.
func (c *Conn) WaitReceive(ctx context.Context) error {
	if err := c.enter(ctx, &c.receiving); err != nil {
		return err
	}
	defer c.leaveReceive()
	if c.taken < len(c.plain) {
		return nil
	}
	_, err := c.decrypt(ctx, c.one[:])
	switch {
	case err == nil:
		c.keepPlain(c.one[:])
		return nil
	case c.end != nil:
		return nil // Receive tells
	}
	return err
}

func (c *Conn) leaveReceive() {
	c.unread.Store(int64(c.in.unread() + len(c.plain) - c.taken))
	c.receiving.Leave()
}

// decrypt fills p from the next record with plaintext.
func (c *Conn) decrypt(ctx context.Context, p []byte) (int, error) {
	if c.end != nil {
		return 0, c.end
	}
	c.in.ctx = ctx
	n, err := c.tls.Read(p)
	c.in.ctx = nil
	if n > 0 {
		return n, nil // an error with it comes again
	}
	return 0, c.receiveError(err)
}

// receiveError translates what crypto/tls's Read returned.
func (c *Conn) receiveError(err error) error {
	below, isBelow := err.(*transportError)
	switch {
	case c.closed.Load():
		return net.ErrClosed
	case err == errInterrupted:
		return c.in.err
	case isBelow && below.err == io.EOF && (!c.opt.AllowTruncation || !c.in.framing.between()):
		c.end = c.fail(io.ErrUnexpectedEOF)
	case isBelow && below.err != io.EOF:
		c.end = c.fail(below.err)
	case !isBelow && err != io.EOF:
		c.end = c.fail(err)
	case c.broken.Load() != nil:
		c.end = c.broken.Load()
	default:
		c.end = io.EOF
	}
	return c.end
}

// mayHoldMore tells whether crypto/tls may have kept a part of the record from
// which it returned n bytes.
func (c *Conn) mayHoldMore(n int) bool {
	return n+c.overhead < c.in.framing.size-headerSize
}

// keepPlain takes what crypto/tls has of the current record, behind first:
// this layer must know how much it holds (stream.Unread), and crypto/tls does
// not tell.
func (c *Conn) keepPlain(first []byte) {
	b := append(borrow(recordSize), first...)
	n, _ := c.tls.Read(b[len(b) : len(b)+maxPlaintext]) // without in.ctx it cannot wait
	c.plain = b[:len(b)+n]
	c.releasePlain()
}

func (c *Conn) takePlain(p []byte) int {
	n := copy(p, c.plain[c.taken:])
	c.taken += n
	c.releasePlain()
	return n
}

func (c *Conn) releasePlain() {
	if c.taken == len(c.plain) {
		giveBack(c.plain)
		c.plain, c.taken = nil, 0
	}
}

// overhead returns how much longer a record's body is than its plaintext, at
// least.
func overhead(state *ConnectionState) int {
	const tag, contentType, nonce = 16, 1, 8
	if state.Version >= cryptotls.VersionTLS13 {
		return tag + contentType
	}
	switch state.CipherSuite {
	case cryptotls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, cryptotls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		cryptotls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, cryptotls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		cryptotls.TLS_RSA_WITH_AES_128_GCM_SHA256, cryptotls.TLS_RSA_WITH_AES_256_GCM_SHA384:
		return tag + nonce
	}
	return tag
}

// unreadBytes is the getter of stream.Unread. What it counts is ciphertext
// where the record is not decrypted yet.
func (c *Conn) unreadBytes() (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return int(c.unread.Load()), nil
}
