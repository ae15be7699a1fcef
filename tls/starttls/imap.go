package starttls

import (
	"cmp"
	"context"
	"regexp"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// IMAP starts TLS in IMAP (RFC 9051 section 6.2.1).
type IMAP struct {
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

	// Extensions are what a server names as its capabilities besides
	// IMAP4rev2, IMAP4rev1, STARTTLS and, under Required, LOGINDISABLED.
	Extensions []string

	// PipelinedHello is that of [SMTP].
	PipelinedHello bool
}

// Client negotiates as a client. Its tags are "tls1" to "tls3". The greeting is
// over when it returns, and CAPABILITY was answered: [Capabilities]. A server
// that greets with PREAUTH cannot start TLS any more, which Required takes for an
// error as it does every other lack of TLS. Referrals and alerts from before TLS
// are dropped.
func (p IMAP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.engine().negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		greeting, err := ses.receive(ctx)
		if err != nil {
			return err
		}
		switch word, _ := imapStatus(greeting); word {
		case "OK":
			return ses.imapClient(ctx)
		case "PREAUTH":
			if err := ses.unavailable(Preauthenticated, greeting); err != nil {
				return err
			}
			return ses.imapCapability(ctx, "tls1")
		}
		return &ReplyError{To: "greeting", Reply: greeting}
	})
}

// Server negotiates as a server. It greets, and answers CAPABILITY, NOOP, LOGOUT
// and STARTTLS. Under TLS, what the client sends first comes out of the stream.
//
// Any other command is refused under Required. Under Opportunistic it ends the
// negotiation in plaintext and comes out of the stream. The error is io.EOF when the
// client left properly.
func (p IMAP) Server(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.engine().negotiateServer(ctx, conn, func(ctx context.Context, ses *session) error {
		name := cmp.Or(p.Name, "localhost")
		if err := checkWord("name", name); err != nil {
			return err
		}
		if err := ses.send(ctx, "* OK ["+p.capabilities()+"] "+name+" ready"); err != nil {
			return err
		}
		return ses.serve(ctx, "* BYE line too long", func(ctx context.Context, line string) (bool, error) {
			return p.command(ctx, ses, line)
		})
	})
}

func (p IMAP) engine() engine {
	return engine{"IMAP", p.Policy, p.TLS, p.Options, p.Limits, p.PipelinedHello}
}

func (ses *session) imapClient(ctx context.Context) error {
	if err := ses.imapCapability(ctx, "tls1"); err != nil {
		return err
	}
	if _, offered := ses.layer.capabilities.Param("STARTTLS"); !offered {
		return ses.unavailable(NotOffered, "")
	}
	status, reply, err := ses.imapAsk(ctx, "tls2", "STARTTLS", nil)
	switch {
	case err != nil:
		return err
	case status == "NO" || status == "BAD":
		return ses.unavailable(Refused, reply)
	}
	if err := ses.startClient(ctx); err != nil {
		return err
	}
	return ses.imapCapability(ctx, "tls3")
}

// imapCapability asks what the server can do.
func (ses *session) imapCapability(ctx context.Context, tag string) error {
	var found CapabilityList
	status, reply, err := ses.imapAsk(ctx, tag, "CAPABILITY", func(data string) {
		if rest, ok := cutWord(data, "CAPABILITY"); ok {
			found = strings.Fields(rest)
		}
	})
	if err == nil && (status != "OK" || found == nil) {
		err = &ReplyError{To: "CAPABILITY", Reply: reply}
	}
	ses.layer.capabilities = found
	return err
}

// imapAsk sends a command and returns the status of its completion, having shown
// the untagged data before it.
func (ses *session) imapAsk(ctx context.Context, tag, command string, untagged func(string)) (status, reply string, err error) {
	if err := ses.send(ctx, tag+" "+command); err != nil {
		return "", "", err
	}
	for {
		line, err := ses.receive(ctx)
		if err != nil {
			return "", "", err
		}
		if rest, ok := cutWord(line, tag); ok {
			word, _, _ := strings.Cut(rest, " ")
			word = strings.ToUpper(word)
			if word != "OK" && word != "NO" && word != "BAD" {
				return "", "", &ReplyError{To: command, Reply: line}
			}
			return word, line, nil
		}
		word, data := imapStatus(line)
		// A literal would put bytes of another kind into the dialogue,
		// where no answer of this dialogue has one.
		if word == "" || word == "BYE" || word == "PREAUTH" || imapLiteral.MatchString(line) {
			return "", "", &ReplyError{To: command, Reply: line}
		}
		if untagged != nil {
			untagged(data)
		}
	}
}

// imapLiteral is the announcement of a literal (RFC 9051 section 4.3).
var imapLiteral = regexp.MustCompile(`\{[0-9]+\+?\}$`)

// imapStatus returns the first word of untagged data, in upper case, and all of the
// data. The word is empty when line is something else.
func imapStatus(line string) (word, data string) {
	data, ok := strings.CutPrefix(line, "* ")
	if !ok {
		return "", ""
	}
	word, _, _ = strings.Cut(data, " ")
	return strings.ToUpper(word), data
}

// cutWord returns what follows the first word of line, if that is word.
func cutWord(line, word string) (rest string, ok bool) {
	first, rest, _ := strings.Cut(line, " ")
	return rest, strings.EqualFold(first, word)
}

func (p IMAP) capabilities() string {
	words := append([]string{"CAPABILITY IMAP4rev2 IMAP4rev1 STARTTLS"}, p.Extensions...)
	if p.Policy != Opportunistic {
		words = append(words, "LOGINDISABLED")
	}
	return strings.Join(words, " ")
}

// command answers one command, and tells whether the negotiation is over.
func (p IMAP) command(ctx context.Context, ses *session, line string) (bool, error) {
	tag, command, _ := strings.Cut(line, " ")
	if tag == "" || strings.Trim(tag, imapTag) != "" {
		return false, ses.send(ctx, "* BAD no tag")
	}
	ok := tag + " OK done"
	switch verb := strings.ToUpper(command); {
	case verb == "CAPABILITY":
		return false, ses.send(ctx, "* "+p.capabilities(), ok)
	case verb == "NOOP":
		return false, ses.send(ctx, ok)
	case verb == "LOGOUT":
		return false, ses.goodbye(ctx, "* BYE logging out", ok)
	case verb == "STARTTLS":
		return true, ses.accept(ctx, tag+" OK begin TLS negotiation\r\n", tag+" BAD bytes after STARTTLS\r\n")
	case ses.policy == Opportunistic:
		return true, ses.decline(line)
	case strings.HasSuffix(command, "+}"):
		// The literal follows without asking (RFC 7888): it must not be
		// taken for commands.
		_ = ses.send(ctx, "* BYE STARTTLS first")
		return false, &ReplyError{To: "the greeting", Reply: line}
	}
	return false, ses.send(ctx, tag+" NO [PRIVACYREQUIRED] STARTTLS first")
}

// imapTag is what tags may consist of, of what RFC 9051 allows.
const imapTag = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_$#"
