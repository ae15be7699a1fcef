package quic

import (
	"context"

	quicgo "github.com/quic-go/quic-go"
)

// StreamOver returns a stream over what is in the place of quic-go's.
func StreamOver(r quicReceiver, s quicSender) *Stream {
	own, c := new(Stream), new(Conn)
	own.receiving.init(c, r)
	own.sending.init(c, s)
	return own
}

// QUICGo is what quic-go is configured with.
func (cfg *Config) QUICGo() *quicgo.Config { return cfg.quicgo() }

// ConnBelow is r.Conn without using it.
func ConnBelow(r *Raced) *Conn { return r.conn }

// A HeldAccept is a listener of quic-go's whose connections come back from
// Accept when the test lets them.
type HeldAccept struct {
	quicListener
	Back  chan struct{} // closed when one is coming back
	Leave chan struct{} // to be closed for it to arrive
}

// HoldAccept holds the first connection that ln accepts.
func HoldAccept(ln *Listener) *HeldAccept {
	h := &HeldAccept{ln.ql, make(chan struct{}), make(chan struct{})}
	ln.ql = h
	return h
}

// Accept returns late.
func (h *HeldAccept) Accept(ctx context.Context) (*quicgo.Conn, error) {
	qc, err := h.quicListener.Accept(ctx)
	if err == nil {
		close(h.Back)
		<-h.Leave
	}
	return qc, err
}

// StopShort has the transport of ln settle its end, and not end before end is
// called: what lies between lasts for as long as a test needs.
func StopShort(ln *Listener) (end func() error) {
	ln.t.ending.Do(func() {})
	return ln.t.end
}
