package tls

import (
	"net"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/sockattr"
)

// adapter is what crypto/tls takes for its connection. Callbacks of a Config
// meet it as ClientHelloInfo.Conn: it has the attributes of the transport.
type adapter struct{ c *Conn }

var (
	_ net.Conn      = (*adapter)(nil)
	_ attr.Provider = (*adapter)(nil)
)

func (a *adapter) Attributes() *attr.Set {
	if a.c.state.HandshakeComplete {
		return &a.c.attributes
	}
	return a.c.s.Attributes()
}

func (a *adapter) Read(p []byte) (int, error) {
	if a.c.plain != nil {
		return a.c.readPlain(p)
	}
	return a.c.in.read(p)
}

func (a *adapter) Write(p []byte) (int, error) {
	if a.c.plain != nil {
		return a.c.writePlain(p)
	}
	a.c.out.write(p)
	return len(p), nil
}

// Close does nothing while crypto/tls is ours: it calls it when the context of
// a handshake is done, which ends what the handshake waits for anyway.
func (a *adapter) Close() error {
	if a.c.plain != nil {
		return a.c.plain.Close()
	}
	return nil
}

func (a *adapter) LocalAddr() net.Addr  { return addrOf(a, sockattr.LocalAddr) }
func (a *adapter) RemoteAddr() net.Addr { return addrOf(a, sockattr.RemoteAddr) }

// SetDeadline, as SetReadDeadline and SetWriteDeadline, sets nothing while
// crypto/tls is ours: calls end by their contexts.
func (a *adapter) SetDeadline(t time.Time) error {
	if a.c.plain != nil {
		return a.c.plain.SetDeadline(t)
	}
	return nil
}

func (a *adapter) SetReadDeadline(t time.Time) error {
	if a.c.plain != nil {
		return a.c.plain.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline tells when close_notify was written: crypto/tls then puts
// the deadline into the past, still holding the lock under which it writes, so
// that nothing else can have been written since.
func (a *adapter) SetWriteDeadline(t time.Time) error {
	if a.c.plain != nil {
		return a.c.plain.SetWriteDeadline(t)
	}
	if a.c.eof.Load() && !t.After(time.Now()) {
		a.c.out.end()
	}
	return nil
}

func addrOf(p attr.Provider, key attr.Key[net.Addr]) net.Addr {
	if addr, ok := key.Lookup(p); ok {
		return addr
	}
	return noAddr{}
}

// noAddr is the address of a transport that has none.
type noAddr struct{}

func (noAddr) Network() string { return "stream" }
func (noAddr) String() string  { return "stream" }
