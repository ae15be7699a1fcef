package starttls

import (
	"context"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// NNTP starts TLS in NNTP (RFC 4642).
type NNTP struct {
	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient. It may be nil.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation.
	Limits Limits
}

// Client negotiates as a client. When it returns the greeting is over, and CAPABILITIES
// was answered, unless the server does not know it: [Capabilities].
func (p NNTP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	e := engine{"NNTP", p.Policy, p.TLS, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		greeting, err := ses.receive(ctx)
		if err != nil {
			return err
		}
		// Replies have one line, whatever stands behind the code.
		if code, _, _, ok := splitCode(greeting); !ok || code != "200" && code != "201" {
			return &ReplyError{To: "greeting", Reply: greeting}
		}
		return ses.nntpClient(ctx)
	})
}

func (ses *session) nntpClient(ctx context.Context) error {
	if err := ses.nntpCapabilities(ctx); err != nil {
		return err
	}
	if _, offered := ses.layer.capabilities.Param("STARTTLS"); !offered {
		return ses.unavailable(NotOffered, "")
	}
	code, line, err := ses.nntpAsk(ctx, "STARTTLS")
	switch {
	case err != nil:
		return err
	case code[0] == '4' || code[0] == '5':
		return ses.unavailable(Refused, line)
	case code != "382":
		return &ReplyError{To: "STARTTLS", Reply: line}
	}
	if err := ses.startClient(ctx); err != nil {
		return err
	}
	return ses.nntpCapabilities(ctx)
}

func (ses *session) nntpCapabilities(ctx context.Context) error {
	code, line, err := ses.nntpAsk(ctx, "CAPABILITIES")
	switch {
	case err != nil || code[0] == '5':
		return err
	case code != "101":
		return &ReplyError{To: "CAPABILITIES", Reply: line}
	}
	ses.layer.capabilities, err = ses.dotted(ctx)
	return err
}

func (ses *session) nntpAsk(ctx context.Context, command string) (code, line string, err error) {
	if err := ses.send(ctx, command); err != nil {
		return "", "", err
	}
	line, err = ses.receive(ctx)
	if err != nil {
		return "", "", err
	}
	code, _, _, ok := splitCode(line)
	if !ok {
		return "", "", &ReplyError{To: command, Reply: line}
	}
	return code, line, nil
}
