package starttls

import (
	"context"
	"fmt"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// FTP starts TLS in FTP (RFC 4217), on the control connection and on those for data.
type FTP struct {
	// Policy says what to do when the server does not do TLS.
	Policy Policy

	// TLS configures the handshakes, as for tls.UpgradeClient. It may be nil. Many
	// servers want data connections to resume the session of the control
	// connection, for which it needs a ClientSessionCache.
	TLS *tls.Config

	// Options configure the streams under TLS. Nil means every default.
	Options *tls.Options

	// Limits bound the negotiation.
	Limits Limits
}

// Client negotiates as a client on the control connection. When it returns the greeting
// is over, and FEAT was answered, unless the server does not know it: [Capabilities].
// Under TLS, PBSZ 0 and PROT P were too: data connections are under TLS from now on, see
// [FTP.Data].
func (p FTP) Client(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	e := engine{"FTP", p.Policy, p.TLS, p.Options, p.Limits, false}
	return e.negotiate(ctx, conn, func(ctx context.Context, ses *session) error {
		greeting, err := ses.code(ctx, "greeting", true)
		if err != nil {
			return err
		}
		if greeting.code != "220" {
			return &ReplyError{To: "greeting", Reply: greeting.String()}
		}
		return ses.ftpClient(ctx)
	})
}

// Data does the handshake on a data connection, which it takes over, once the server
// has answered the command for the transfer with a reply of 1yz. The name to verify is
// TLS.ServerName, or else the one that the handshake on the control connection asked for,
// or, where that was none, as with an address, the one that data was dialed by. ctx covers
// the handshake only, and Limits do not count here.
//
// A control connection that stayed in plaintext has data connections in plaintext; that
// is an *[UnavailableError] here.
func (p FTP) Data(ctx context.Context, control *buffered.Stream, data stream.ByteStream) (*tls.Conn, error) {
	if data == nil {
		return nil, errNilStream
	}
	if control == nil {
		_ = data.Close() // the error says more than this could
		return nil, errNilStream
	}
	if why, ok := Plaintext.Lookup(control); ok {
		_ = data.Close() // likewise
		return nil, fmt.Errorf("starttls: FTP: data: %w", why)
	}
	cfg := &tls.Config{}
	if p.TLS != nil {
		cfg = p.TLS.Clone()
	}
	if state, ok := tls.State.Lookup(control); ok && cfg.ServerName == "" {
		cfg.ServerName = state.ServerName
	}
	return tls.WrapClient(ctx, data, cfg, p.Options)
}

func (ses *session) ftpClient(ctx context.Context) error {
	reply, err := ses.ask(ctx, "AUTH TLS", true)
	switch {
	case err != nil:
		return err
	case reply.negative():
		if err := ses.unavailable(Refused, reply.String()); err != nil {
			return err
		}
		return ses.ftpFeatures(ctx)
	case reply.code != "234":
		return &ReplyError{To: "AUTH TLS", Reply: reply.String()}
	}
	if err := ses.startClient(ctx); err != nil {
		return err
	}
	for _, command := range []string{"PBSZ 0", "PROT P"} {
		reply, err := ses.ask(ctx, command, true)
		if err != nil {
			return err
		}
		if reply.code != "200" {
			return &ReplyError{To: command, Reply: reply.String()}
		}
	}
	return ses.ftpFeatures(ctx)
}

// ftpFeatures asks what the server can do (RFC 2389 section 3), which it need not know
// how to answer. Features stand between the first line and the last.
func (ses *session) ftpFeatures(ctx context.Context) error {
	reply, err := ses.ask(ctx, "FEAT", true)
	if err != nil || reply.code != "211" {
		return err
	}
	found := CapabilityList{}
	for _, line := range reply.lines[1:max(1, len(reply.lines)-1)] {
		found = append(found, strings.TrimSpace(line))
	}
	ses.layer.capabilities = found
	return nil
}
