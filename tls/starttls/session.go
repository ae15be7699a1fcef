package starttls

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

var crlf = []byte("\r\n")

// A session is one negotiation.
type session struct {
	*engine
	s     *buffered.Stream // in plaintext first, then under TLS
	layer *layer
	lines int // that the peer may still send
}

// negotiate has the dialogue over conn, which it takes over.
func (e engine) negotiate(ctx context.Context, conn stream.ByteStream, dialogue func(context.Context, *session) error) (*buffered.Stream, error) {
	if conn == nil {
		return nil, errNilStream
	}
	e.limits = e.limits.withDefaults()
	if e.limits.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.limits.Time)
		defer cancel()
	}
	ses := &session{engine: &e, lines: e.limits.Lines}
	ses.use(conn)
	err := stream.ContextError(ctx)
	if err == nil {
		err = dialogue(ctx, ses)
	}
	if err == nil {
		return ses.s, nil
	}
	// The error tells what happened; that of Close would add nothing to it.
	_ = ses.s.Close()
	if err == io.EOF { // the client of a server said goodbye
		return nil, err
	}
	return nil, fmt.Errorf("starttls: %s: %w", e.protocol, err)
}

// negotiateServer is negotiate for a server, which has nothing to offer without
// a Config.
func (e engine) negotiateServer(ctx context.Context, conn stream.ByteStream, dialogue func(context.Context, *session) error) (*buffered.Stream, error) {
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		if ses.tls == nil {
			return errNilConfig
		}
		return dialogue(ctx, ses)
	})
}

// use makes s what the session is over, with nothing known about it. The layer until
// now, which may lie below s, forgets what it was told.
func (ses *session) use(s stream.ByteStream) {
	if old := ses.layer; old != nil {
		old.plaintext, old.capabilities, old.hello = nil, nil, ""
	}
	ses.layer = newLayer(s)
	ses.s = buffered.New(ses.layer, nil)
}

// unavailable ends the dialogue without TLS, as the policy wants it.
func (ses *session) unavailable(reason Reason, reply string) error {
	e := &UnavailableError{Protocol: ses.protocol, Reason: reason, Reply: reply}
	if ses.policy != Opportunistic {
		return e
	}
	ses.layer.plaintext = e
	return nil
}

// startClient does the handshake. What the server said until now is forgotten.
func (ses *session) startClient(ctx context.Context) error {
	conn, err := tls.UpgradeClient(ctx, ses.s, ses.tls, ses.options)
	if err != nil {
		return err
	}
	ses.use(conn)
	return nil
}

// startServer does the handshake. What the client said until now is forgotten.
func (ses *session) startServer(ctx context.Context) error {
	start := tls.UpgradeServer
	if ses.pipelined {
		start = func(ctx context.Context, b *buffered.Stream, cfg *tls.Config, opt *tls.Options) (*tls.Conn, error) {
			return tls.WrapServer(ctx, b, cfg, opt)
		}
	}
	conn, err := start(ctx, ses.s, ses.tls, ses.options)
	if err != nil {
		return err
	}
	ses.use(conn)
	return nil
}

// send sends lines. Their words were checked already, so that a line break can
// only be in what a server's Extensions say.
func (ses *session) send(ctx context.Context, lines ...string) error {
	var b strings.Builder
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n") {
			return fmt.Errorf("%w to send: %q", errControl, line)
		}
		b.WriteString(line + "\r\n")
	}
	_, err := ses.s.Send(ctx, []byte(b.String()))
	return err
}

// receive returns the server's next line.
func (ses *session) receive(ctx context.Context) (string, error) {
	line, err := ses.command(ctx)
	return line, hungUp(err)
}

// hungUp is err, or that of a server that ended a dialogue which it may not end.
func hungUp(err error) error {
	if err == io.EOF {
		return stream.Broken(io.ErrUnexpectedEOF)
	}
	return err
}

// command returns the peer's next line, or io.EOF if there is none.
func (ses *session) command(ctx context.Context) (string, error) {
	if err := ses.count(); err != nil {
		return "", err
	}
	line, err := ses.s.ReceiveUntil(ctx, crlf, ses.limits.Line)
	if err != nil {
		return "", err
	}
	// What others take for the end of a line must not be inside of one.
	for _, c := range line {
		if c == '\r' || c == '\n' || c == 0 {
			return "", errControl
		}
	}
	return string(line), nil
}

// count lets the peer say one more thing.
func (ses *session) count() error {
	if ses.lines == 0 {
		return errTooManyLines
	}
	ses.lines--
	return nil
}
