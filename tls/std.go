package tls

import (
	cryptotls "crypto/tls"

	"github.com/strata-go/strata/stream/netconn"
)

// Std gives the session to the standard library: it returns the *crypto/tls.Conn
// inside c, for code that knows no other type, as net/http's HTTP/2. Its NetConn
// is an attr.Provider with the attributes of c. From then on c answers
// net.ErrClosed, closing the *crypto/tls.Conn closes the transport, and it
// behaves as any other: deadlines instead of contexts, a Write that times out
// is the last one, and a transport that ends between two records passes for a
// clean end. Bytes that came and were not received are received from it.
//
// Std panics while a call is in progress, and after a WaitReceive that no
// Receive followed.
func (c *Conn) Std() *cryptotls.Conn {
	if c.sending.Enter() != nil || c.receiving.Enter() != nil {
		panic("tls: Std: a call is in progress")
	}
	defer c.sending.Leave()
	defer c.receiving.Leave()
	if c.waited {
		panic("tls: Std: between WaitReceive and Receive")
	}
	if c.plain == nil {
		c.plain = netconn.From(c.s)
	}
	c.leave()
	return c.std
}

// leave is Close without closing the transport, which goes to somebody else.
// It reports whether c was still open.
func (c *Conn) leave() bool {
	if c.closed.Swap(true) {
		return false
	}
	c.released.Done()
	return true
}

// readPlain is Read for a crypto/tls that is not ours any more.
func (c *Conn) readPlain(p []byte) (int, error) {
	if rest := c.in.ahead[c.in.start:]; len(rest) > 0 {
		n := copy(p, rest)
		c.in.start += n
		if n == len(rest) {
			c.in.release()
		}
		return n, nil
	}
	return c.plain.Read(p)
}

// writePlain is Write for a crypto/tls that is not ours any more.
func (c *Conn) writePlain(p []byte) (int, error) {
	if b := c.out.take(); b != nil {
		if _, err := c.plain.Write(b); err != nil {
			return 0, err
		}
		giveBack(b)
	}
	return c.plain.Write(p)
}
