package netconn

import (
	cryptotls "crypto/tls"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strata-go/strata/internal/ctxio"
	"github.com/strata-go/strata/stream"
)

type stater interface {
	ConnectionState() cryptotls.ConnectionState
}

// A session is the TLS session of a net.Conn that is not ours. Its state is
// copied once after the handshake: to ask for it during one blocks.
type session struct {
	conn  stater
	state atomic.Pointer[cryptotls.ConnectionState]
}

// known returns the state, or nil before the handshake is done. A nil session
// has none.
func (s *session) known() *cryptotls.ConnectionState {
	if s == nil {
		return nil
	}
	return s.state.Load()
}

// done asks whether the handshake is done. No handshake may be under way in
// another goroutine, unless a call of this one has just succeeded.
func (s *session) done() bool {
	if s.state.Load() != nil {
		return true
	}
	state := s.conn.ConnectionState()
	if state.HandshakeComplete {
		s.state.Store(&state)
	}
	return state.HandshakeComplete
}

// A tlsSocket is a *crypto/tls.Conn in the engine's hands.
type tlsSocket struct {
	*cryptotls.Conn
	session *session

	mu   sync.Mutex
	both bool // the deadlines of both directions were set
}

var _ stream.Aborter = (*tlsSocket)(nil)

func (s *tlsSocket) Read(p []byte) (int, error) {
	if err := s.handshake(); err != nil {
		return 0, err
	}
	return s.Conn.Read(p)
}

func (s *tlsSocket) Write(p []byte) (int, error) {
	if err := s.handshake(); err != nil {
		return 0, err
	}
	return s.Conn.Write(p)
}

// CloseWrite sends close_notify. crypto/tls leaves a write deadline behind,
// in whose way the replies of later reads would be.
func (s *tlsSocket) CloseWrite() error {
	if err := s.handshake(); err != nil {
		return err
	}
	err := s.Conn.CloseWrite()
	_ = s.Conn.SetWriteDeadline(time.Time{})
	return err
}

func (s *tlsSocket) handshake() error {
	if s.session.known() != nil {
		return nil
	}
	if err := s.Conn.Handshake(); err != nil {
		return err
	}
	s.session.done()
	return nil
}

// SetReadDeadline is for both directions until the handshake is done, which
// needs both.
func (s *tlsSocket) SetReadDeadline(t time.Time) error {
	return s.setDeadline(t, s.Conn.SetReadDeadline)
}

// SetWriteDeadline is for both directions until the handshake is done.
func (s *tlsSocket) SetWriteDeadline(t time.Time) error {
	return s.setDeadline(t, s.Conn.SetWriteDeadline)
}

func (s *tlsSocket) setDeadline(t time.Time, one func(time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.both || s.session.known() == nil {
		s.both = !t.IsZero()
		return s.Conn.SetDeadline(t)
	}
	return one(t)
}

// farewell is how long Close may wait for room for close_notify. crypto/tls
// itself would wait 5 seconds.
const farewell = 100 * time.Millisecond

// Close sends close_notify where it can. That it could not is no failure.
func (s *tlsSocket) Close() error {
	cut := time.AfterFunc(farewell, func() { _ = s.NetConn().Close() })
	defer cut.Stop()
	if err := s.Conn.Close(); err != nil {
		return s.NetConn().Close()
	}
	return nil
}

// Abort resets the connection without a close_notify.
func (s *tlsSocket) Abort(error) error {
	ctxio.ResetOnClose(s.NetConn())
	err := s.NetConn().Close()
	_ = s.Conn.Close()
	return err
}
