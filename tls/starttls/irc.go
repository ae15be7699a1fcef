package starttls

import (
	"context"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// IRC starts TLS in IRC (the tls extension of IRCv3). It has no capabilities: those
// are for the caller to ask for.
type IRC struct {
	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient. It may be nil.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation.
	Limits Limits
}

// Client negotiates as a client, before any registration. Notices of the server are
// dropped.
func (p IRC) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	e := engine{"IRC", p.Policy, p.TLS, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		if err := ses.send(ctx, "STARTTLS"); err != nil {
			return err
		}
		for {
			line, err := ses.receive(ctx)
			if err != nil {
				return err
			}
			switch command, params := ircCommand(line); command {
			case "670": // RPL_STARTTLS
				return ses.startClient(ctx)
			case "691", "421", "451": // ERR_STARTTLS, unknown command, not registered
				return ses.unavailable(Refused, line)
			case "NOTICE", "020": // "please wait"
			case "PING":
				if err := ses.send(ctx, "PONG "+params); err != nil {
					return err
				}
			default:
				return &ReplyError{To: "STARTTLS", Reply: line}
			}
		}
	})
}

// ircCommand takes a message apart, whose sender is dropped.
func ircCommand(line string) (command, params string) {
	if strings.HasPrefix(line, ":") {
		_, line, _ = strings.Cut(line, " ")
	}
	command, params, _ = strings.Cut(line, " ")
	return strings.ToUpper(command), params
}
