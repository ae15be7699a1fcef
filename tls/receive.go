package tls

import (
	"context"
	cryptotls "crypto/tls"
	"io"
	"net"

	"github.com/strata-go/strata/attr"
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
	if err := stream.Enter(ctx, &c.receiving, &c.closed); err != nil {
		return 0, err
	}
	defer c.leaveReceive()
	if !c.waited {
		return c.decrypt(ctx, p)
	}
	p[0], c.waited = c.first[0], false
	if len(p) == 1 {
		return 1, nil
	}
	// Without in.ctx this does not wait. An error comes again.
	n, _ := c.std.Read(p[1:])
	c.countKept(n, len(p)-1)
	return 1 + n, nil
}

// WaitReceive waits until Receive would not block, for which it has to decrypt
// a record. It holds no buffer while it waits.
func (c *Conn) WaitReceive(ctx context.Context) error {
	if err := stream.Enter(ctx, &c.receiving, &c.closed); err != nil {
		return err
	}
	defer c.leaveReceive()
	if c.waited {
		return nil
	}
	_, err := c.decrypt(ctx, c.first[:])
	c.waited = err == nil
	if c.end != nil {
		return nil // Receive tells
	}
	return err
}

// decrypt waits for plaintext.
func (c *Conn) decrypt(ctx context.Context, p []byte) (int, error) {
	if c.end != nil {
		return 0, c.end
	}
	c.in.ctx = ctx
	n, err := c.std.Read(p)
	c.in.ctx = nil
	if n > 0 {
		c.countKept(n, len(p))
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
	}
	c.ending.Store(cut)
	if err == io.EOF {
		c.ending.Store(clean)
	}
	switch {
	case isBelow && below.err == io.EOF && (!c.allowTruncation || c.in.unread() > 0):
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

// The endings of the peer's direction.
const (
	_     = iota // none yet
	clean        // it said close_notify
	cut          // it did not
)

// endedCleanly is the getter of EndedCleanly.
func (c *Conn) endedCleanly() (bool, error) {
	switch ending := c.ending.Load(); {
	case ending != 0:
		return ending == clean, nil
	case c.closed.Load():
		return false, net.ErrClosed
	}
	return false, attr.ErrNotFound
}

// countKept works out how much of a record's plaintext crypto/tls has kept
// when it returned n bytes where there was room for more or not. It does not
// tell; padding counts as plaintext.
func (c *Conn) countKept(n, room int) {
	if c.record != c.in.framing.count {
		c.record = c.in.framing.count
		c.kept = c.in.framing.size - headerSize - c.overhead
	}
	c.kept = max(c.kept-n, 0)
	if n < room {
		c.kept = 0
	}
}

func (c *Conn) leaveReceive() {
	unread := c.in.unread() + c.kept
	if c.waited {
		unread++
	}
	c.unread.Store(int64(unread))
	c.receiving.Leave()
}

// unreadBytes is the getter of stream.Unread. What is not decrypted yet counts
// as ciphertext.
func (c *Conn) unreadBytes() (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	return int(c.unread.Load()), nil
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
