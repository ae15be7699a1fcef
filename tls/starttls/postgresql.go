package starttls

import (
	"context"
	"encoding/binary"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// PostgreSQL starts TLS in PostgreSQL's protocol, version 3 (its documentation, section
// "SSL Session Encryption").
type PostgreSQL struct {
	// Policy says what to do when the peer does not do TLS.
	Policy Policy

	// TLS configures the handshake, as for tls.UpgradeClient and
	// tls.UpgradeServer. For a client it may be nil, and a server fails at once without.
	TLS *tls.Config

	// Options configure the stream under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation. Messages have 8 bytes, whatever Line says.
	Limits Limits

	// PipelinedHello is that of [SMTP].
	PipelinedHello bool
}

// The codes that stand where a StartupMessage has its version.
const (
	pgSSLRequest    = 1234<<16 | 5679
	pgGSSENCRequest = 1234<<16 | 5680
	pgRequestLen    = 8
)

// pgRefusal is an ErrorResponse, SQLSTATE 28000: invalid_authorization_specification.
const pgRefusal = "E\x00\x00\x00\x28SFATAL\x00VFATAL\x00C28000\x00MTLS required\x00\x00"

// Client negotiates as a client. It receives one byte and no more before the
// handshake. The startup message is for the caller to send.
func (p PostgreSQL) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.engine().negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		request := binary.BigEndian.AppendUint32(nil, pgRequestLen)
		request = binary.BigEndian.AppendUint32(request, pgSSLRequest)
		if _, err := ses.s.Send(ctx, request); err != nil {
			return err
		}
		var answer [1]byte
		if err := ses.s.ReceiveExactly(ctx, answer[:]); err != nil {
			return hungUp(err)
		}
		switch answer[0] {
		case 'S':
			return ses.startClient(ctx)
		case 'N':
			return ses.unavailable(Refused, "N")
		}
		// What follows an E is an error message, which came in plaintext
		// (CVE-2024-10977).
		return &ReplyError{To: "SSLRequest", Reply: string(answer[:])}
	})
}

// Server negotiates as a server. It answers requests for TLS, and no to those for
// GSSAPI encryption. Under TLS, what the client sends first comes out of the stream, the
// startup message.
//
// Any other message is refused under Required: an *[UnavailableError]. Under
// Opportunistic it ends the negotiation in plaintext and comes out of the stream. The
// error is io.EOF when the client hung up between two messages.
func (p PostgreSQL) Server(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	return p.engine().negotiateServer(ctx, conn, func(ctx context.Context, ses *session) error {
		for {
			if err := ses.count(); err != nil {
				return err
			}
			message, err := ses.s.Peek(ctx, pgRequestLen)
			if err != nil {
				return err
			}
			length, code := binary.BigEndian.Uint32(message), binary.BigEndian.Uint32(message[4:])
			if length != pgRequestLen || code != pgSSLRequest && code != pgGSSENCRequest {
				return ses.pgOther(ctx)
			}
			if err := ses.s.Discard(pgRequestLen); err != nil {
				return err
			}
			if code == pgSSLRequest {
				return ses.accept(ctx, "S", pgRefusal)
			}
			if _, err := ses.s.Send(ctx, []byte("N")); err != nil {
				return err
			}
		}
	})
}

func (p PostgreSQL) engine() engine {
	return engine{"PostgreSQL", p.Policy, p.TLS, p.Options, p.Limits, p.PipelinedHello}
}

// pgOther goes on in plaintext with the message that comes next, if that may be.
func (ses *session) pgOther(ctx context.Context) error {
	err := ses.unavailable(Declined, "")
	if err != nil {
		_, _ = ses.s.Send(ctx, []byte(pgRefusal)) // a courtesy: the connection ends anyway
	}
	return err
}
