package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

const maxReplyLines = 100

// A client sends one message, under TLS where the server offers it.
type client struct {
	name     string // says EHLO with it
	tls      *tls.Config
	required bool          // no TLS, no message
	timeout  time.Duration // of the whole conversation; 0 means sessionTimeout
	out      *printer

	s        *buffered.Stream
	features map[string]string // of the last EHLO
}

// A replyError is a refusal by the server.
type replyError struct {
	Command string
	Code    int
	Text    string
}

func (e *replyError) Error() string {
	return fmt.Sprintf("%s: server says %d %s", e.Command, e.Code, e.Text)
}

// send delivers m to the server at addr.
func (c *client) send(ctx context.Context, addr string, m message) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.timeout, sessionTimeout))
	defer cancel()
	conn, err := tcp.Dial(ctx, addr, nil)
	if err != nil {
		return err
	}
	c.s = buffered.New(conn, nil)
	return closeAfter(c.s, c.talk(ctx, m))
}

func (c *client) talk(ctx context.Context, m message) error {
	if _, err := c.expect(ctx, "greeting", 220); err != nil {
		return err
	}
	if err := c.hello(ctx); err != nil {
		return err
	}
	c.print("client: before STARTTLS", c.s)
	if err := c.startTLS(ctx); err != nil {
		return err
	}
	return c.transfer(ctx, m)
}

// startTLS upgrades if the server can, and asks again for what it offers,
// since none of what was said in the open counts (RFC 3207 section 4.2).
func (c *client) startTLS(ctx context.Context) error {
	if _, offered := c.features["STARTTLS"]; !offered {
		return c.stayInPlaintext(errors.New("the server does not offer STARTTLS"))
	}
	_, err := c.command(ctx, 220, "STARTTLS")
	if refused, ok := errors.AsType[*replyError](err); ok && refused.Code >= 400 {
		return c.stayInPlaintext(refused)
	}
	if err != nil {
		return err
	}
	conn, err := tls.UpgradeClient(ctx, c.s, c.tls, nil)
	if err != nil {
		return err
	}
	c.s = buffered.New(conn, nil)
	c.print("client: after STARTTLS", c.s)
	return c.hello(ctx)
}

// stayInPlaintext goes on without TLS, unless it is required.
func (c *client) stayInPlaintext(reason error) error {
	if c.required {
		return reason
	}
	c.out.line("client: staying in plaintext: %v", reason)
	return nil
}

func (c *client) hello(ctx context.Context) error {
	lines, err := c.command(ctx, 250, "EHLO %s", c.name)
	if err != nil {
		return err
	}
	c.features = make(map[string]string)
	for _, line := range lines[1:] {
		feature, params, _ := strings.Cut(line, " ")
		c.features[strings.ToUpper(feature)] = params
	}
	return nil
}

func (c *client) transfer(ctx context.Context, m message) error {
	body := ""
	if _, ok := c.features["8BITMIME"]; ok {
		body = " BODY=8BITMIME"
	}
	if _, err := c.command(ctx, 250, "MAIL FROM:<%s>%s", m.From, body); err != nil {
		return err
	}
	for _, to := range m.To {
		if _, err := c.command(ctx, 250, "RCPT TO:<%s>", to); err != nil {
			return err
		}
	}
	if _, err := c.command(ctx, 354, "DATA"); err != nil {
		return err
	}
	if _, err := c.s.Send(ctx, stuffed(m.Body)); err != nil {
		return err
	}
	if _, err := c.expect(ctx, "DATA", 250); err != nil {
		return err
	}
	_, err := c.command(ctx, 221, "QUIT")
	return err
}

func (c *client) command(ctx context.Context, want int, format string, args ...any) ([]string, error) {
	line := fmt.Sprintf(format, args...)
	if strings.ContainsAny(line, "\r\n") {
		return nil, fmt.Errorf("line break in %q", line)
	}
	if err := sendLine(ctx, c.s, line); err != nil {
		return nil, err
	}
	verb, _, _ := strings.Cut(line, " ")
	return c.expect(ctx, verb, want)
}

// expect receives a reply, which may have several lines.
func (c *client) expect(ctx context.Context, command string, want int) ([]string, error) {
	var lines []string
	for line, err := range c.s.Until(ctx, crlf, maxTextLine) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
		if len(line) < 3 || len(lines) == maxReplyLines {
			return nil, fmt.Errorf("%s: not an SMTP reply: %q", command, line)
		}
		code, err := strconv.Atoi(string(line[:3]))
		if err != nil {
			return nil, fmt.Errorf("%s: not an SMTP reply: %q", command, line)
		}
		more := len(line) > 3 && line[3] == '-'
		lines = append(lines, string(line[min(4, len(line)):]))
		if more {
			continue
		}
		if code != want {
			return nil, &replyError{Command: command, Code: code, Text: strings.Join(lines, " ")}
		}
		return lines, nil
	}
	return nil, fmt.Errorf("%s: %w", command, io.ErrUnexpectedEOF)
}

func (c *client) print(title string, p attr.Provider) { c.out.attributes(title, p) }

// stuffed returns body as DATA wants it: lines end in CRLF, a dot at the
// start of a line is doubled, and a dot alone ends it (RFC 5321 section
// 4.5.2).
func stuffed(body []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(body) {
		if line[0] == '.' {
			out.WriteByte('.')
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		out.Write(bytes.TrimSuffix(line, []byte("\r")))
		out.Write(crlf)
	}
	out.WriteString(".\r\n")
	return out.Bytes()
}

// closeAfter ends s after a conversation that ended with err: properly if it
// went well, with whatever Close can still do if not.
func closeAfter(s stream.ByteStream, err error) error {
	if err != nil {
		return errors.Join(err, s.Close())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// The conversation is complete: how the peer hangs up changes nothing.
	_ = stream.Shutdown(ctx, s)
	return nil
}

func connectCommand(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("starttls connect", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:2525", "`address` of the server")
	ca := flags.String("ca", "", "`file` with the authorities to trust, PEM (default: the system's)")
	name := flags.String("name", "", "the server's `name` in its certificate (default: the host of -addr)")
	required := flags.Bool("required", false, "refuse to go on without TLS")
	timeout := flags.Duration("timeout", sessionTimeout, "give up after this `duration`")
	from := flags.String("from", "alice@client.example", "sender's `address`")
	to := flags.String("to", "bob@server.example", "recipient's `address`")
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg := &tls.Config{ServerName: *name}
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		if err != nil {
			return err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("no certificate in %s", *ca)
		}
	}
	c := &client{name: "client.example", tls: cfg, required: *required, timeout: *timeout, out: &printer{w: out}}
	if err := c.send(ctx, *addr, sample(*from, *to)); err != nil {
		return err
	}
	c.out.line("client: message accepted")
	return nil
}

func sample(from, to string) message {
	return message{From: from, To: []string{to}, Body: []byte(
		"From: " + from + "\r\nTo: " + to + "\r\nSubject: Grüße\r\n\r\n" +
			"Lines may start with a dot:\r\n.like this one\r\n..or this\r\n" +
			"and carry 8-bit text: faß, 流れ.\r\n")}
}
