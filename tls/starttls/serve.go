package starttls

import (
	"context"
	"errors"
	"io"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/tls"
)

// serve answers commands until one ends the negotiation.
func (ses *session) serve(ctx context.Context, tooLong string, answer func(ctx context.Context, line string) (done bool, err error)) error {
	for {
		line, err := ses.command(ctx)
		if isTooLong(err) {
			_ = ses.send(ctx, tooLong) // a courtesy: the connection ends anyway
		}
		if err != nil {
			return err
		}
		if done, err := answer(ctx, line); done || err != nil {
			return err
		}
	}
}

// accept says yes to the command that starts TLS and does the handshake. It
// says no when more came with the command, which the upgrade would refuse.
func (ses *session) accept(ctx context.Context, yes, no string) error {
	if ses.s.Buffered() > 0 && !ses.pipelined {
		_, _ = ses.s.Send(ctx, []byte(no)) // a courtesy: the connection ends anyway
		return &tls.PlaintextBufferedError{Unread: ses.s.Buffered()}
	}
	if _, err := ses.s.Send(ctx, []byte(yes)); err != nil {
		return err
	}
	return ses.startServer(ctx)
}

// decline goes on in plaintext with a command that is not of the negotiation.
func (ses *session) decline(line string) error {
	if err := ses.unavailable(Declined, ""); err != nil {
		return err
	}
	return ses.s.Feed([]byte(line + "\r\n"))
}

// goodbye ends the negotiation and the connection.
func (ses *session) goodbye(ctx context.Context, reply ...string) error {
	if err := ses.send(ctx, reply...); err != nil {
		return err
	}
	return io.EOF
}

func isTooLong(err error) bool {
	_, ok := errors.AsType[*buffered.DelimiterNotFoundError](err)
	return ok
}
