package starttls

import (
	"context"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// ManageSieve starts TLS in ManageSieve (RFC 5804 section 2.2).
type ManageSieve struct {
	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient. It may be nil.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation.
	Limits Limits
}

// Client negotiates as a client. When it returns, the server has told its
// [Capabilities], which it does unasked under TLS as well. Literals in them are not
// understood, and an error.
func (p ManageSieve) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	e := engine{"ManageSieve", p.Policy, p.TLS, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		if err := ses.sieveGreeting(ctx); err != nil {
			return err
		}
		if _, offered := ses.layer.capabilities.Param("STARTTLS"); !offered {
			return ses.unavailable(NotOffered, "")
		}
		if err := ses.send(ctx, "STARTTLS"); err != nil {
			return err
		}
		line, err := ses.receive(ctx)
		if err != nil {
			return err
		}
		switch sieveStatus(line) {
		case "OK":
		case "NO":
			return ses.unavailable(Refused, line)
		default:
			return &ReplyError{To: "STARTTLS", Reply: line}
		}
		if err := ses.startClient(ctx); err != nil {
			return err
		}
		return ses.sieveGreeting(ctx)
	})
}

// sieveGreeting receives what the server can do: lines such as "SIEVE" "fileinto",
// and an OK.
func (ses *session) sieveGreeting(ctx context.Context) error {
	found := CapabilityList{}
	for {
		line, err := ses.receive(ctx)
		if err != nil {
			return err
		}
		if sieveStatus(line) == "OK" {
			ses.layer.capabilities = found
			return nil
		}
		if !strings.HasPrefix(line, `"`) || !strings.HasSuffix(line, `"`) {
			return &ReplyError{To: "greeting", Reply: line}
		}
		name, value, _ := strings.Cut(strings.Trim(line, `"`), `" "`)
		found = append(found, strings.TrimSuffix(name+" "+value, " "))
	}
}

// sieveStatus returns the word of a response in upper case, or an empty string. A literal
// at the end of it would put bytes of another kind into the dialogue.
func sieveStatus(line string) string {
	word, _, _ := strings.Cut(line, " ")
	if imapLiteral.MatchString(line) {
		return ""
	}
	return strings.ToUpper(word)
}
