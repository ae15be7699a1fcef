package starttls

import (
	"cmp"
	"context"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// POP3 starts TLS in POP3 (RFC 2595 section 4).
type POP3 struct {
	// Name is what a server greets with. Empty means "localhost".
	Name string

	// Policy says what to do when the peer does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient and
	// tls.UpgradeServer. For a client it may be nil, and a server fails at once without.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation.
	Limits Limits

	// Extensions are what a server names in its answer to CAPA besides STLS.
	Extensions []string

	// PipelinedHello is that of [SMTP].
	PipelinedHello bool
}

// Client negotiates as a client. When it returns the greeting is over, and CAPA was
// answered, unless the server does not know it: [Capabilities]. A time stamp for
// APOP in the greeting is dropped: it came in plaintext.
func (p POP3) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.engine().negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		if ok, reply, err := ses.pop3Reply(ctx, "greeting"); err != nil {
			return err
		} else if !ok {
			return &ReplyError{To: "greeting", Reply: reply}
		}
		return ses.pop3Client(ctx)
	})
}

// Server negotiates as a server. It greets, and answers CAPA, NOOP, QUIT and STLS.
// Under TLS, what the client sends first comes out of the stream.
//
// Any other command is refused under Required. Under Opportunistic it ends the
// negotiation in plaintext and comes out of the stream. The error is io.EOF when the
// client left properly.
func (p POP3) Server(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.engine().negotiateServer(ctx, conn, func(ctx context.Context, ses *session) error {
		name := cmp.Or(p.Name, "localhost")
		if err := checkWord("name", name); err != nil {
			return err
		}
		if err := ses.send(ctx, "+OK "+name+" ready"); err != nil {
			return err
		}
		return ses.serve(ctx, "-ERR line too long", func(ctx context.Context, line string) (bool, error) {
			return p.command(ctx, ses, line)
		})
	})
}

func (p POP3) engine() engine {
	return engine{"POP3", p.Policy, p.TLS, p.Options, p.Limits, p.PipelinedHello}
}

func (ses *session) pop3Client(ctx context.Context) error {
	if err := ses.pop3Capabilities(ctx); err != nil {
		return err
	}
	if _, offered := ses.layer.capabilities.Param("STLS"); !offered {
		return ses.unavailable(NotOffered, "")
	}
	if err := ses.send(ctx, "STLS"); err != nil {
		return err
	}
	if ok, reply, err := ses.pop3Reply(ctx, "STLS"); err != nil {
		return err
	} else if !ok {
		return ses.unavailable(Refused, reply)
	}
	if err := ses.startClient(ctx); err != nil {
		return err
	}
	return ses.pop3Capabilities(ctx)
}

// pop3Capabilities asks what the server can do (RFC 2449 section 5), which it need
// not know how to answer.
func (ses *session) pop3Capabilities(ctx context.Context) error {
	if err := ses.send(ctx, "CAPA"); err != nil {
		return err
	}
	ok, _, err := ses.pop3Reply(ctx, "CAPA")
	if err != nil || !ok {
		return err
	}
	ses.layer.capabilities, err = ses.dotted(ctx)
	return err
}

// pop3Reply receives a status line, and tells whether it says yes.
func (ses *session) pop3Reply(ctx context.Context, to string) (ok bool, line string, err error) {
	line, err = ses.receive(ctx)
	if err != nil {
		return false, "", err
	}
	switch status, _, _ := strings.Cut(line, " "); status {
	case "+OK":
		return true, line, nil
	case "-ERR":
		return false, line, nil
	}
	return false, "", &ReplyError{To: to, Reply: line}
}

// dotted receives lines up to one that is a dot alone.
func (ses *session) dotted(ctx context.Context) (CapabilityList, error) {
	lines := CapabilityList{}
	for {
		line, err := ses.receive(ctx)
		if err != nil || line == "." {
			return lines, err
		}
		lines = append(lines, strings.TrimPrefix(line, "."))
	}
}

// command answers one command, and tells whether the negotiation is over.
func (p POP3) command(ctx context.Context, ses *session, line string) (bool, error) {
	switch strings.ToUpper(strings.TrimRight(line, " ")) {
	case "CAPA":
		lines := append([]string{"+OK", "STLS"}, p.Extensions...)
		return false, ses.send(ctx, append(lines, ".")...)
	case "NOOP":
		return false, ses.send(ctx, "+OK")
	case "QUIT":
		return false, ses.goodbye(ctx, "+OK bye")
	case "STLS":
		return true, ses.accept(ctx, "+OK begin TLS negotiation\r\n", "-ERR bytes after STLS\r\n")
	}
	if ses.policy != Opportunistic {
		return false, ses.send(ctx, "-ERR STLS first")
	}
	return true, ses.decline(line)
}
