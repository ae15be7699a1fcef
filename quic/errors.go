package quic

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	quicgo "github.com/quic-go/quic-go"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// A Code is the number by which one application tells another why it ended a
// stream or a connection. The application's protocol says what it means; it
// has at most 62 bits (RFC 9000 sections 20.2 and 16).
//
// A Code is an error, so that it can be the cause of an Abort:
//
//	stream.Abort(s, quic.Code(0x10c))
//
// and it is what a [*StreamError] and an [*ApplicationError] unwrap to, so that
// a relay which aborts one stream with the error of another passes it on.
type Code uint64

// maxCode is the largest number that QUIC can carry.
const maxCode = 1<<62 - 1

func (c Code) Error() string { return fmt.Sprintf("error code %#x", uint64(c)) }

// codeOf is the code to end something with because of cause.
func codeOf(cause error) Code {
	code, _ := errors.AsType[Code](cause)
	return min(code, maxCode)
}

// reasonOf is the text to close a connection with because of cause: only one
// that was meant for a peer. It has to fit into a packet, or quic-go sends none
// and leaves the peer to its idle timeout.
func reasonOf(cause error) string {
	const most = 256
	e, ok := errors.AsType[*ApplicationError](cause)
	if !ok {
		return ""
	}
	return strings.ToValidUTF8(e.Reason[:min(len(e.Reason), most)], "")
}

// The conditions by which a connection breaks, or cannot be made.
var (
	// ErrIdleTimeout reports that nothing was heard of the peer for as long
	// as the idle timeout. It is a timeout.
	ErrIdleTimeout error = &timeoutError{"quic: nothing heard of the peer within the idle timeout"}

	// ErrHandshakeTimeout reports that the peer did not answer, or not soon
	// enough, when a connection was made. It is a timeout.
	ErrHandshakeTimeout error = &timeoutError{"quic: handshake not done in time"}

	// ErrStatelessReset reports that the peer does not know the connection
	// any more, since it was started anew (RFC 9000 section 10.3).
	ErrStatelessReset = errors.New("quic: stateless reset: the peer has forgotten the connection")

	// ErrEarlyDataRejected reports that the server did not take the early
	// data: a stream that was opened before the handshake is lost, and what it
	// carried may be sent on a new one.
	ErrEarlyDataRejected = errors.New("quic: early data rejected")
)

// A timeoutError is a timeout to those who look for the method.
type timeoutError struct{ text string }

func (e *timeoutError) Error() string { return e.text }

// Timeout is true.
func (e *timeoutError) Timeout() bool { return true }

// A StreamError reports that the peer has ended one direction of a stream
// before its end: by RESET_STREAM the one that it sends in, by STOP_SENDING
// the one that it receives in. It is the cause of a [stream.BrokenError], and
// unwraps to its Code.
type StreamError struct {
	Stream  StreamID
	Code    Code
	Stopped bool // by STOP_SENDING: the peer does not want to receive any more
}

func (e *StreamError) Error() string {
	how := "reset"
	if e.Stopped {
		how = "stopped"
	}
	return fmt.Sprintf("quic: stream %d %s by the peer with %v", e.Stream, how, e.Code)
}

// Unwrap returns the Code.
func (e *StreamError) Unwrap() error { return e.Code }

// An ApplicationError reports that an application has closed the connection.
// It unwraps to its Code. As the cause of [Conn.Abort] it closes one, with a
// Reason.
type ApplicationError struct {
	Code   Code
	Reason string // for people; may be empty
}

func (e *ApplicationError) Error() string {
	return "quic: connection closed by the peer with " + e.Code.Error() + suffix(e.Reason)
}

// Unwrap returns the Code.
func (e *ApplicationError) Unwrap() error { return e.Code }

// A TransportError reports that a connection was ended by QUIC itself: a
// handshake failed, the peer refused, or broke the protocol.
type TransportError struct {
	Code   uint64 // RFC 9000 section 20.1; 0x100 and a TLS alert from 0x100 on
	Reason string // for people; may be empty
	Remote bool   // the peer has ended it, not this side

	// Err says more where the handshake failed: errors of crypto/tls and
	// crypto/x509, and of what was in the peer's way a crypto/tls.AlertError.
	// It may be nil.
	Err error
}

func (e *TransportError) Error() string {
	who := "this side"
	if e.Remote {
		who = "the peer"
	}
	reason := e.Reason
	if reason == "" && e.Err != nil {
		reason = e.Err.Error()
	}
	return fmt.Sprintf("quic: connection ended by %s with %v", who, quicgo.TransportErrorCode(e.Code)) + suffix(reason)
}

// Unwrap returns Err.
func (e *TransportError) Unwrap() error { return e.Err }

// A VersionError reports that the server speaks no version of QUIC that this
// side does.
type VersionError struct {
	Ours, Theirs []Version
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("quic: no version in common: %v here, %v there", e.Ours, e.Theirs)
}

// An ALPNError reports that the server speaks none of the application protocols
// that it was offered (RFC 9001 section 8.1). It unwraps to Err.
type ALPNError struct {
	Offered []string // NextProtos; the server does not tell what it speaks
	Err     *TransportError
}

func (e *ALPNError) Error() string {
	return fmt.Sprintf("quic: the server speaks none of the application protocols %q", e.Offered)
}

// Unwrap returns Err.
func (e *ALPNError) Unwrap() error { return e.Err }

// A PacketSizeError reports a packet that is too long to be sent.
type PacketSizeError struct {
	Size int
	Max  int // what can be sent now; it grows as the path turns out to take more
}

func (e *PacketSizeError) Error() string {
	return fmt.Sprintf("quic: packet of %d bytes is too long, %d can be sent", e.Size, e.Max)
}

// A DialError reports that no connection could be made. It unwraps to every
// error in Errs.
type DialError struct {
	Addr string // as given to Dial

	// Errs has the error of each address that was tried, in the order in
	// which they were; before them why a lookup failed, if that left addresses
	// unknown, or why there were none to try; and last, after a cancellation,
	// the context's.
	Errs []error

	// Race tells more about the addresses of a name. Nil if there was nothing
	// to race.
	Race *happyeyeballs.Report
}

func (e *DialError) Error() string {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		texts[i] = strings.TrimPrefix(err.Error(), "quic: ")
	}
	return "quic: dial" + strings.TrimSuffix(" "+e.Addr, " ") + suffix(strings.Join(texts, "; "))
}

// Unwrap returns Errs.
func (e *DialError) Unwrap() []error { return e.Errs }

func suffix(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// streamFault is the error of a stream for one of quic-go's, which does not
// wait while it has a deadline in the past. Stopped says that it is of the
// sending direction.
func (c *Conn) streamFault(err error, stopped bool) error {
	if err == nil || err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*quicgo.StreamError](err); ok {
		if !e.Remote {
			return net.ErrClosed
		}
		return &StreamError{Stream: StreamID(e.StreamID), Code: Code(e.ErrorCode), Stopped: stopped}
	}
	if errors.Is(err, quicgo.Err0RTTRejected) {
		return ErrEarlyDataRejected
	}
	return c.fail(err)
}

// fail returns what the connection is broken by, which is err if it was not
// broken before.
func (c *Conn) fail(err error) *stream.BrokenError {
	cause := connFault(err)
	if cause == ErrIdleTimeout && c.tls() == nil {
		cause = ErrHandshakeTimeout
	}
	c.broken.CompareAndSwap(nil, stream.Broken(cause))
	return c.broken.Load()
}

// dialFault is our error for one that quic-go could not dial with.
func dialFault(err error, cfg *tls.Config) error {
	const noApplicationProtocol = cryptotls.AlertError(120)
	cause := connFault(err)
	if e, ok := cause.(*TransportError); ok && e.Remote && e.Err == noApplicationProtocol {
		return &ALPNError{Offered: slices.Clone(cfg.NextProtos), Err: e}
	}
	return unheard(cause)
}

// arrivalFault is our error for what ended a connection before it was accepted.
func arrivalFault(err error) error { return unheard(connFault(err)) }

// unheard is what the idle timeout of quic-go means to a connection that is
// being made: a handshake that comes to nothing runs into that too.
func unheard(err error) error {
	if err == ErrIdleTimeout {
		return ErrHandshakeTimeout
	}
	return err
}

// connFault is our error for one that a connection of quic-go ended with.
// Those are net.ErrClosed, which of ours only what this side closed is.
func connFault(err error) error {
	switch e := err.(type) {
	case *quicgo.ApplicationError:
		return &ApplicationError{Code: Code(e.ErrorCode), Reason: e.ErrorMessage}
	case *quicgo.TransportError:
		return transportError(e)
	case *quicgo.IdleTimeoutError:
		return ErrIdleTimeout
	case *quicgo.HandshakeTimeoutError:
		return ErrHandshakeTimeout
	case *quicgo.StatelessResetError:
		return ErrStatelessReset
	case *quicgo.VersionNegotiationError:
		return &VersionError{Ours: versions(e.Ours), Theirs: versions(e.Theirs)}
	}
	if errors.Is(err, net.ErrClosed) {
		return errors.New(err.Error())
	}
	return err
}

func transportError(e *quicgo.TransportError) *TransportError {
	const alerts = 0x100
	own := &TransportError{Code: uint64(e.ErrorCode), Reason: e.ErrorMessage, Remote: e.Remote}
	for _, err := range e.Unwrap() {
		if err != nil && err != net.ErrClosed {
			own.Err = err
		}
	}
	if e.ErrorCode.IsCryptoError() && own.Err == nil {
		own.Err = cryptotls.AlertError(e.ErrorCode - alerts)
	}
	return own
}

// versions leaves out what servers add to their list so that clients learn to
// ignore versions that they do not know (RFC 9000 section 6.3).
func versions(list []quicgo.Version) []Version {
	var own []Version
	for _, v := range list {
		if v&0x0f0f0f0f != 0x0a0a0a0a {
			own = append(own, Version(v))
		}
	}
	return own
}

// dialError makes a DialError of why a call failed.
func dialError(ctx context.Context, addr string, err error, race *happyeyeballs.Report) *DialError {
	e := &DialError{Addr: addr, Race: race}
	if lost, ok := errors.AsType[*happyeyeballs.Error](err); ok {
		for _, err := range lost.Errs {
			if a, ok := errors.AsType[*happyeyeballs.AttemptError](err); ok {
				err = a.Err
			}
			e.Errs = append(e.Errs, err)
		}
	} else {
		e.Errs = []error{err}
	}
	if canceled := stream.ContextError(ctx); canceled != nil {
		e.Errs = append(e.Errs, canceled)
	}
	return e
}
