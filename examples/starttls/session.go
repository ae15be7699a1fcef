package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

// The limits of a session (RFC 5321 section 4.5.3.1), without the CRLF.
const (
	maxCommand    = 510
	maxTextLine   = 998
	maxMessage    = 10 << 20
	maxRecipients = 100
)

var crlf = []byte("\r\n")

// A message is what a client sent between MAIL and the end of DATA.
type message struct {
	From string
	To   []string
	Body []byte // lines end in CRLF, dots unstuffed
}

// A session is the server's end of one SMTP session (RFC 5321).
type session struct {
	*server
	s         *buffered.Stream
	encrypted bool
	greeted   bool
	mail      *message // between MAIL and the end of DATA
}

// errQuit ends a session that went well.
var errQuit = errors.New("client said QUIT")

func (ses *session) run(ctx context.Context) error {
	ses.print("server: before STARTTLS", ses.s)
	if err := ses.reply(ctx, "220 %s ESMTP", ses.name); err != nil {
		return err
	}
	idle, stop := listener.Draining(ctx)
	defer stop()
	for {
		line, err := ses.s.ReceiveUntil(idle, crlf, maxCommand)
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, listener.ErrDraining) {
			return ses.reply(ctx, "421 4.3.2 %s is shutting down", ses.name)
		}
		if _, tooLong := errors.AsType[*buffered.DelimiterNotFoundError](err); tooLong {
			return errors.Join(err, ses.reply(ctx, "500 5.5.2 line too long"))
		}
		if err != nil {
			return err
		}
		if bytes.ContainsAny(line, "\r\n") {
			// To others that may be two commands: see receiveBody.
			if err := ses.reply(ctx, "500 5.5.2 bare CR or LF"); err != nil {
				return err
			}
			continue
		}
		verb, arg, _ := strings.Cut(string(line), " ")
		if err := ses.command(ctx, strings.ToUpper(verb), arg); err == errQuit {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// command returns an error only when the session cannot go on.
func (ses *session) command(ctx context.Context, verb, arg string) error {
	switch verb {
	case "EHLO", "HELO":
		return ses.hello(ctx, verb, arg)
	case "STARTTLS":
		return ses.startTLS(ctx, arg)
	case "MAIL":
		return ses.mailFrom(ctx, arg)
	case "RCPT":
		return ses.rcptTo(ctx, arg)
	case "DATA":
		return ses.data(ctx)
	case "RSET":
		ses.mail = nil
		return ses.reply(ctx, "250 2.0.0 ok")
	case "NOOP":
		return ses.reply(ctx, "250 2.0.0 ok")
	case "VRFY":
		return ses.reply(ctx, "252 2.5.0 send some mail and see")
	case "QUIT":
		if err := ses.reply(ctx, "221 2.0.0 bye"); err != nil {
			return err
		}
		return errQuit
	}
	return ses.reply(ctx, "500 5.5.1 unknown command")
}

func (ses *session) hello(ctx context.Context, verb, arg string) error {
	if arg == "" {
		return ses.reply(ctx, "501 5.5.4 %s needs a name", verb)
	}
	ses.greeted, ses.mail = true, nil
	if verb == "HELO" {
		return ses.reply(ctx, "250 %s", ses.name)
	}
	lines := []string{ses.name, "PIPELINING", "8BITMIME", fmt.Sprintf("SIZE %d", maxMessage), "ENHANCEDSTATUSCODES"}
	if !ses.encrypted {
		lines = append(lines, "STARTTLS")
	}
	return ses.replyLines(ctx, 250, lines)
}

// startTLS upgrades the connection. What the client said before counts no
// longer (RFC 3207 section 4.2).
func (ses *session) startTLS(ctx context.Context, arg string) error {
	switch {
	case ses.encrypted:
		return ses.reply(ctx, "503 5.5.1 already under TLS")
	case arg != "":
		return ses.reply(ctx, "501 5.5.4 STARTTLS takes no argument")
	case ses.s.Buffered() > 0:
		// Whoever put these bytes here, they did not come through TLS
		// (CVE-2011-0411). UpgradeServer would refuse them as well.
		return errors.Join(tls.ErrPlaintextBuffered, ses.reply(ctx, "554 5.5.1 bytes after STARTTLS"))
	}
	if err := ses.reply(ctx, "220 2.0.0 ready for TLS"); err != nil {
		return err
	}
	conn, err := tls.UpgradeServer(ctx, ses.s, ses.tls, nil)
	if err != nil {
		return err
	}
	ses.s = buffered.New(conn, nil)
	ses.encrypted, ses.greeted, ses.mail = true, false, nil
	ses.print("server: after STARTTLS", ses.s)
	return nil
}

func (ses *session) mailFrom(ctx context.Context, arg string) error {
	from, params, ok := path(arg, "FROM:")
	switch {
	case !ses.greeted:
		return ses.reply(ctx, "503 5.5.1 EHLO first")
	case ses.mail != nil:
		return ses.reply(ctx, "503 5.5.1 one message at a time")
	case !ok:
		return ses.reply(ctx, "501 5.5.4 MAIL FROM:<address>")
	}
	for _, param := range strings.Fields(strings.ToUpper(params)) {
		name, _, _ := strings.Cut(param, "=")
		if name != "BODY" && name != "SIZE" {
			return ses.reply(ctx, "555 5.5.4 unknown parameter %s", name)
		}
	}
	ses.mail = &message{From: from}
	return ses.reply(ctx, "250 2.1.0 ok")
}

func (ses *session) rcptTo(ctx context.Context, arg string) error {
	to, params, ok := path(arg, "TO:")
	switch {
	case ses.mail == nil:
		return ses.reply(ctx, "503 5.5.1 MAIL first")
	case !ok || to == "" || params != "":
		return ses.reply(ctx, "501 5.5.4 RCPT TO:<address>")
	case len(ses.mail.To) == maxRecipients:
		return ses.reply(ctx, "452 4.5.3 too many recipients")
	}
	ses.mail.To = append(ses.mail.To, to)
	return ses.reply(ctx, "250 2.1.5 ok")
}

func (ses *session) data(ctx context.Context) error {
	if ses.mail == nil || len(ses.mail.To) == 0 {
		return ses.reply(ctx, "503 5.5.1 MAIL and RCPT first")
	}
	if err := ses.reply(ctx, "354 end with <CRLF>.<CRLF>"); err != nil {
		return err
	}
	refusal, err := ses.receiveBody(ctx)
	if err != nil {
		return err
	}
	mail := ses.mail
	ses.mail = nil
	if refusal != "" {
		return ses.reply(ctx, "%s", refusal)
	}
	if err := ses.deliver(*mail); err != nil {
		return errors.Join(err, ses.reply(ctx, "451 4.3.0 cannot store the message"))
	}
	return ses.reply(ctx, "250 2.0.0 stored %d bytes", len(mail.Body))
}

// receiveBody reads to the end of the message in any case, so that no line of
// it is ever taken for a command, and then tells why to refuse it, if so.
func (ses *session) receiveBody(ctx context.Context) (refusal string, err error) {
	var body bytes.Buffer
	for line, err := range ses.s.Until(ctx, crlf, maxTextLine) {
		switch {
		case err != nil:
			return "", err
		case len(line) == 1 && line[0] == '.':
			ses.mail.Body = body.Bytes()
			return refusal, nil
		case bytes.ContainsAny(line, "\r\n"):
			// What others take for the end of a line is how a second
			// message is smuggled past them.
			refusal = "550 5.6.11 bare CR or LF"
		case body.Len()+len(line) > maxMessage:
			refusal = "552 5.3.4 message too big"
		}
		if refusal == "" {
			body.Write(bytes.TrimPrefix(line, []byte(".")))
			body.Write(crlf)
		}
	}
	return "", io.ErrUnexpectedEOF
}

func (ses *session) reply(ctx context.Context, format string, args ...any) error {
	return sendLine(ctx, ses.s, fmt.Sprintf(format, args...))
}

func (ses *session) replyLines(ctx context.Context, code int, lines []string) error {
	var reply strings.Builder
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		fmt.Fprintf(&reply, "%d%s%s\r\n", code, separator, line)
	}
	_, err := ses.s.Send(ctx, []byte(reply.String()))
	return err
}

func sendLine(ctx context.Context, s stream.ByteSender, line string) error {
	_, err := s.Send(ctx, []byte(line+"\r\n"))
	return err
}

// path parses "FROM:<a@b.example> PARAM=1".
func path(arg, keyword string) (address, params string, ok bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(arg[len(keyword):], " "), "<")
	if !ok {
		return "", "", false
	}
	address, params, ok = strings.Cut(rest, ">")
	return address, strings.TrimSpace(params), ok
}
