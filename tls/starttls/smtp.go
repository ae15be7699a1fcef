package starttls

import (
	"cmp"
	"context"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// SMTP starts TLS in SMTP (RFC 3207).
type SMTP struct {
	// Name is what a client says EHLO with and what a server greets with.
	// Empty means "localhost".
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

	// Extensions are what a server names in its answer to EHLO besides
	// STARTTLS, such as "SIZE 10240000".
	Extensions []string

	// PipelinedHello has a server take what a client sent right behind the
	// command for the beginning of its handshake, for clients known to do
	// that. It never becomes a command. With false it ends the connection.
	PipelinedHello bool
}

// LMTP starts TLS in LMTP (RFC 2033), as SMTP does in SMTP.
type LMTP SMTP

// Client negotiates as a client. When it returns, EHLO was said, under TLS if
// that is what the stream is under, and answered: [Capabilities]. Where an
// Opportunistic client's server knew no EHLO, HELO was.
func (p SMTP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.client(ctx, conn, "SMTP", "EHLO")
}

// Server negotiates as a server. It greets, and answers EHLO, HELO, NOOP, RSET,
// QUIT and STARTTLS. Under TLS, what the client sends first comes out of the
// stream, which should be another EHLO.
//
// Any other command is refused under Required. Under Opportunistic it ends the
// negotiation in plaintext and comes out of the stream; the name that the client
// gave is [Hello]. The error is io.EOF when the client left properly.
func (p SMTP) Server(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.server(ctx, conn, "SMTP", "EHLO")
}

// Client is that of [SMTP], with LHLO.
func (p LMTP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return SMTP(p).client(ctx, conn, "LMTP", "LHLO")
}

// Server is that of [SMTP], with LHLO.
func (p LMTP) Server(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return SMTP(p).server(ctx, conn, "LMTP", "LHLO")
}

func (p SMTP) engine(protocol string) engine {
	return engine{protocol, p.Policy, p.TLS, p.Options, p.Limits, p.PipelinedHello}
}

func (p SMTP) name() string { return cmp.Or(p.Name, "localhost") }

func (p SMTP) client(ctx context.Context, conn stream.ByteStream, protocol, hello string) (*buffered.Stream, error) {
	return p.engine(protocol).negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		if err := checkWord("name", p.name()); err != nil {
			return err
		}
		greeting, err := ses.code(ctx, "greeting", false)
		if err != nil {
			return err
		}
		if greeting.code != "220" {
			return &ReplyError{To: "greeting", Reply: greeting.String()}
		}
		return ses.smtpClient(ctx, hello, p.name())
	})
}

func (ses *session) smtpClient(ctx context.Context, hello, name string) error {
	reply, err := ses.ask(ctx, hello+" "+name, false)
	if err != nil {
		return err
	}
	if reply.code[0] == '5' && hello == "EHLO" {
		return ses.smtpOld(ctx, name, reply)
	}
	if err := ses.smtpHello(hello, reply); err != nil {
		return err
	}
	if _, offered := ses.layer.capabilities.Param("STARTTLS"); !offered {
		return ses.unavailable(NotOffered, "")
	}
	reply, err = ses.ask(ctx, "STARTTLS", false)
	switch {
	case err != nil:
		return err
	case reply.negative():
		return ses.unavailable(Refused, reply.String())
	case reply.code != "220":
		return &ReplyError{To: "STARTTLS", Reply: reply.String()}
	}
	if err := ses.startClient(ctx); err != nil {
		return err
	}
	// RFC 3207 section 4.2: what was known before counts no longer.
	reply, err = ses.ask(ctx, hello+" "+name, false)
	if err != nil {
		return err
	}
	return ses.smtpHello(hello, reply)
}

// smtpHello takes the capabilities from the reply to EHLO.
func (ses *session) smtpHello(hello string, reply coded) error {
	if reply.code != "250" {
		return &ReplyError{To: hello, Reply: reply.String()}
	}
	ses.layer.capabilities = CapabilityList(reply.lines[1:])
	return nil
}

// smtpOld is for a server that refused EHLO, and so has no STARTTLS.
func (ses *session) smtpOld(ctx context.Context, name string, refusal coded) error {
	if err := ses.unavailable(NotOffered, refusal.String()); err != nil {
		return err
	}
	reply, err := ses.ask(ctx, "HELO "+name, false)
	if err == nil && reply.code != "250" {
		err = &ReplyError{To: "HELO", Reply: reply.String()}
	}
	return err
}

func (p SMTP) server(ctx context.Context, conn stream.ByteStream, protocol, hello string) (*buffered.Stream, error) {
	return p.engine(protocol).negotiateServer(ctx, conn, func(ctx context.Context, ses *session) error {
		if err := checkWord("name", p.name()); err != nil {
			return err
		}
		if err := ses.send(ctx, "220 "+p.name()+" ESMTP"); err != nil {
			return err
		}
		return ses.serve(ctx, "500 5.5.2 line too long", func(ctx context.Context, line string) (bool, error) {
			return p.command(ctx, ses, hello, line)
		})
	})
}

// command answers one command, and tells whether the negotiation is over.
func (p SMTP) command(ctx context.Context, ses *session, hello, line string) (bool, error) {
	verb, arg, _ := strings.Cut(strings.TrimRight(line, " "), " ")
	verb = strings.ToUpper(verb)
	switch {
	case verb == hello, verb == "HELO" && hello == "EHLO":
		return false, p.hello(ctx, ses, verb, arg)
	case verb == "STARTTLS" && arg != "":
		return false, ses.send(ctx, "501 5.5.4 STARTTLS takes no argument")
	case verb == "STARTTLS":
		return true, ses.accept(ctx, "220 2.0.0 ready to start TLS\r\n", "554 5.5.1 bytes after STARTTLS\r\n")
	case verb == "NOOP", verb == "RSET":
		return false, ses.send(ctx, "250 2.0.0 ok")
	case verb == "QUIT":
		return false, ses.goodbye(ctx, "221 2.0.0 bye")
	case ses.policy != Opportunistic:
		return false, ses.send(ctx, "530 5.7.0 must issue a STARTTLS command first")
	}
	return true, ses.decline(line)
}

func (p SMTP) hello(ctx context.Context, ses *session, verb, arg string) error {
	if checkWord("name", arg) != nil || arg == "" {
		return ses.send(ctx, "501 5.5.4 "+verb+" needs a name")
	}
	ses.layer.hello = arg
	if verb == "HELO" {
		return ses.send(ctx, "250 "+p.name())
	}
	var lines []string
	for _, line := range append([]string{p.name()}, p.Extensions...) {
		lines = append(lines, "250-"+line)
	}
	return ses.send(ctx, append(lines, "250 STARTTLS")...)
}
