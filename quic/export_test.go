package quic

import quicgo "github.com/quic-go/quic-go"

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
