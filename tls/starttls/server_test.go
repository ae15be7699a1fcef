package starttls_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// A service is a server's protocol in the tests of what all of them promise.
type service struct {
	name   string
	server func(starttls.Policy, *tls.Config, bool) negotiator
	client func(*tls.Config) negotiator

	greeting, start, goes string
	other                 string // a command that is not of the negotiation
	quit, bye             string
}

func services() []service {
	return []service{{
		name: "SMTP",
		server: func(p starttls.Policy, cfg *tls.Config, pipelined bool) negotiator {
			return starttls.SMTP{Name: "m.example", Policy: p, TLS: cfg, PipelinedHello: pipelined}.Server
		},
		client:   func(cfg *tls.Config) negotiator { return starttls.SMTP{TLS: cfg}.Client },
		greeting: "220 m.example ESMTP\r\n", start: "STARTTLS\r\n", goes: "220 2.0.0 ready to start TLS\r\n",
		other: "MAIL FROM:<a@b.example>\r\n", quit: "QUIT\r\n", bye: "221 2.0.0 bye\r\n",
	}, {
		name: "LMTP",
		server: func(p starttls.Policy, cfg *tls.Config, pipelined bool) negotiator {
			return starttls.LMTP{Name: "m.example", Policy: p, TLS: cfg, PipelinedHello: pipelined}.Server
		},
		client:   func(cfg *tls.Config) negotiator { return starttls.LMTP{TLS: cfg}.Client },
		greeting: "220 m.example ESMTP\r\n", start: "STARTTLS\r\n", goes: "220 2.0.0 ready to start TLS\r\n",
		other: "MAIL FROM:<a@b.example>\r\n", quit: "QUIT\r\n", bye: "221 2.0.0 bye\r\n",
	}, {
		name: "IMAP",
		server: func(p starttls.Policy, cfg *tls.Config, pipelined bool) negotiator {
			return starttls.IMAP{Name: "m.example", Policy: p, TLS: cfg, PipelinedHello: pipelined}.Server
		},
		client:   imapClient,
		greeting: "* OK [CAPABILITY IMAP4rev2 IMAP4rev1 STARTTLS", start: "a STARTTLS\r\n", goes: "a OK begin TLS negotiation\r\n",
		other: "a LOGIN user secret\r\n", quit: "a LOGOUT\r\n", bye: "* BYE logging out\r\na OK done\r\n",
	}, {
		name: "POP3",
		server: func(p starttls.Policy, cfg *tls.Config, pipelined bool) negotiator {
			return starttls.POP3{Name: "m.example", Policy: p, TLS: cfg, PipelinedHello: pipelined}.Server
		},
		client:   pop3Client,
		greeting: "+OK m.example ready\r\n", start: "STLS\r\n", goes: "+OK begin TLS negotiation\r\n",
		other: "USER bob\r\n", quit: "QUIT\r\n", bye: "+OK bye\r\n",
	}, {
		name: "PostgreSQL",
		server: func(p starttls.Policy, cfg *tls.Config, pipelined bool) negotiator {
			return starttls.PostgreSQL{Policy: p, TLS: cfg, PipelinedHello: pipelined}.Server
		},
		client: func(cfg *tls.Config) negotiator { return starttls.PostgreSQL{TLS: cfg}.Client },
		start:  sslRequest, goes: "S",
		other: "\x00\x00\x00\x22\x00\x03\x00\x00user\x00postgres\x00database\x00x\x00\x00",
	}}
}

// greeted returns the first steps of a client: it hears the greeting to its end.
func (s service) greeted(policy starttls.Policy) step {
	if s.name != "IMAP" {
		return step{hear: s.greeting}
	}
	if policy == starttls.Required {
		return step{hear: s.greeting + " LOGINDISABLED] m.example ready\r\n"}
	}
	return step{hear: s.greeting + "] m.example ready\r\n"}
}

// forService runs a test for every service.
func forService(t *testing.T, policy starttls.Policy, test func(t *testing.T, s service, server negotiator)) {
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			cfg, _ := configs(t, 0)
			test(t, s, s.server(policy, cfg, false))
		})
	}
}

const gssRequest = "\x00\x00\x00\x08\x04\xd2\x16\x30"

// injections are what somebody sends in plaintext with the command.
var injections = map[string]string{
	"one byte":             "R",
	"commands":             "RSET\r\nVRFY x\r\nEVIL\r\n",
	"a line":               "EVIL\r\n",
	"the head of a record": "\x16\x03\x01\x00\x05",
}

func TestServerRefusesWhatCameWithTheCommand(t *testing.T) {
	for name, injected := range injections {
		t.Run(name, func(t *testing.T) {
			forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
				refusal := "\r\n"
				if s.name == "PostgreSQL" {
					refusal = "FATAL\x00C28000"
				}
				got, rest, err := script(t, server, s.greeted(starttls.Required), step{say: s.start + injected})
				require.ErrorIs(t, err, tls.ErrPlaintextBuffered)
				assert.Nil(t, got)
				assert.Equal(t, 1, strings.Count(rest, refusal), "one refusal, and no answer to what was injected: %q", rest)
				assert.False(t, strings.HasPrefix(rest, s.goes))
			})
		})
	}
}

func TestServerRefusesInjectionThatIsSplitInTheCommand(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		half := len(s.start) / 2
		_, rest, err := script(t, server, s.greeted(starttls.Required),
			step{say: s.start[:half]}, step{say: s.start[half:] + "EVIL\r\n"})
		require.ErrorIs(t, err, tls.ErrPlaintextBuffered)
		assert.False(t, strings.HasPrefix(rest, s.goes))
	})
}

// TestPlaintextAfterTheYesIsNoRecord also stands for what arrives in a segment of its
// own before the answer is out: the server does not read between the two.
func TestPlaintextAfterTheYesIsNoRecord(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		_, rest, err := script(t, server, s.greeted(starttls.Required), step{say: s.start}, step{hear: s.goes}, step{say: s.other})
		var he *tls.HandshakeError
		require.ErrorAs(t, err, &he)
		assert.NotContains(t, rest, "\r\n", "no answer in plaintext")
	})
}

func TestServerStartsTLSAndForgets(t *testing.T) {
	forService(t, starttls.Opportunistic, func(t *testing.T, s service, server negotiator) {
		steps := []step{s.greeted(starttls.Opportunistic)}
		if s.name == "SMTP" {
			steps = append(steps, step{say: "EHLO evil.example\r\n"}, step{hear: "250-m.example\r\n250 STARTTLS\r\n"})
		}
		got, rest, err := script(t, server, append(steps, step{say: s.start}, step{hear: s.goes}, step{client: true}, step{say: "first"})...)
		require.NoError(t, err)
		requireTLS(t, got)
		assert.Empty(t, rest)
		_, ok := starttls.Hello.Lookup(got)
		assert.False(t, ok, "the name from before TLS")
		p := make([]byte, 5)
		require.NoError(t, got.ReceiveExactly(t.Context(), p))
		assert.Equal(t, "first", string(p))
	})
}

func TestServerUnderRequiredAnswersNothingElse(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		if s.quit == "" {
			_, rest, err := script(t, server, step{say: s.other})
			var e *starttls.UnavailableError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, "E\x00\x00\x00\x28SFATAL\x00VFATAL\x00C28000\x00MTLS required\x00\x00", rest)
			return
		}
		_, rest, err := script(t, server, s.greeted(starttls.Required), step{say: s.other + s.quit})
		require.Equal(t, io.EOF, err)
		refusal, bye, _ := strings.Cut(rest, "\r\n")
		assert.Contains(t, refusal, "first", "a command that needs TLS")
		assert.Equal(t, s.bye, bye)
	})
}

func TestOpportunisticServerGoesOnWithTheCommand(t *testing.T) {
	forService(t, starttls.Opportunistic, func(t *testing.T, s service, server negotiator) {
		steps := []step{s.greeted(starttls.Opportunistic)}
		if s.name == "SMTP" {
			steps = append(steps, step{say: "EHLO c.example\r\n"}, step{hear: "250-m.example\r\n250 STARTTLS\r\n"})
		}
		got, rest, err := script(t, server, append(steps, step{say: s.other + "more\r\n"})...)
		require.NoError(t, err)
		requirePlaintext(t, got, starttls.Declined)
		assert.Empty(t, rest)
		if s.name == "SMTP" {
			hello, err := starttls.Hello.Get(got)
			require.NoError(t, err)
			assert.Equal(t, "c.example", hello)
		}
		all := make([]byte, len(s.other)+len("more\r\n"))
		require.NoError(t, got.ReceiveExactly(t.Context(), all))
		assert.Equal(t, s.other+"more\r\n", string(all))
	})
}

func TestServerSaysGoodbye(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		if s.quit != "" {
			_, rest, err := script(t, server, s.greeted(starttls.Required), step{say: s.quit})
			require.Equal(t, io.EOF, err)
			assert.Equal(t, s.bye, rest)
		}
		_, _, err := script(t, server, s.greeted(starttls.Required), step{hangUp: true})
		require.Equal(t, io.EOF, err)
	})
}

func TestServerEndsWithAClientThatNeverComesToThePoint(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		if s.name == "PostgreSQL" {
			_, rest, err := script(t, server, step{say: strings.Repeat(gssRequest, 300)})
			require.ErrorContains(t, err, "says too much")
			assert.Equal(t, strings.Repeat("N", 256), rest)
			return
		}
		_, rest, err := script(t, server, s.greeted(starttls.Required), step{say: strings.Repeat("x", 9000)})
		require.Error(t, err)
		assert.Contains(t, rest, "line too long")
		_, _, err = script(t, server, s.greeted(starttls.Required), step{say: strings.Repeat("a NOOP\r\n", 300)})
		require.ErrorContains(t, err, "says too much")
	})
}

// TestPipelinedHello sends the command and the ClientHello in one segment.
func TestPipelinedHello(t *testing.T) {
	for _, s := range services() {
		for _, pipelined := range []bool{true, false} {
			t.Run(s.name, func(t *testing.T) {
				ctx := limited(t)
				cfg, clientConfig := configs(t, 0)
				ours, theirs := memory.Pipe(nil)
				done := make(chan error, 1)
				go func() {
					got, err := s.server(starttls.Opportunistic, cfg, pipelined)(ctx, ours)
					if err == nil {
						requireTLS(t, got)
						_, ok := starttls.Hello.Lookup(got)
						assert.False(t, ok)
						err = errors.Join(got.Shutdown(ctx))
					}
					done <- err
				}()
				_, err := receiveFull(ctx, theirs, make([]byte, len(s.greeted(starttls.Opportunistic).hear)))
				require.NoError(t, err)
				c, err := tls.WrapClient(ctx, &impatient{ByteStream: theirs, command: s.start, answer: len(s.goes)}, clientConfig, nil)
				if !pipelined {
					require.Error(t, err)
					require.ErrorIs(t, <-done, tls.ErrPlaintextBuffered)
					return
				}
				require.NoError(t, err)
				require.NoError(t, c.Shutdown(ctx))
				require.NoError(t, <-done)
			})
		}
	}
}

// An impatient client sends its command together with its first bytes, and skips
// the answer to it.
type impatient struct {
	stream.ByteStream
	command string
	answer  int
}

func (c *impatient) Send(ctx context.Context, p []byte) (int, error) {
	n := len(c.command)
	p = append([]byte(c.command), p...)
	c.command = ""
	m, err := c.ByteStream.Send(ctx, p)
	return m - n, err
}

func (c *impatient) Receive(ctx context.Context, p []byte) (int, error) {
	if c.answer > 0 {
		if _, err := receiveFull(ctx, c.ByteStream, make([]byte, c.answer)); err != nil {
			return 0, err
		}
		c.answer = 0
	}
	return c.ByteStream.Receive(ctx, p)
}

func TestBothHalvesTogetherAndTLSInTLS(t *testing.T) {
	for _, s := range services() {
		for name, version := range versions {
			t.Run(s.name+" "+name, func(t *testing.T) {
				ctx := limited(t)
				serverConfig, clientConfig := configs(t, version)
				ours, theirs := memory.Pipe(nil)
				served := make(chan error, 1)
				go func() {
					got, err := s.server(starttls.Required, serverConfig, false)(ctx, theirs)
					if err == nil && s.quit != "" {
						err = answerCapabilities(ctx, got)
					}
					if err == nil { // once more inside of the first
						got, err = s.server(starttls.Required, serverConfig, false)(ctx, got)
					}
					if err == nil && s.quit != "" {
						err = answerCapabilities(ctx, got)
					}
					if err == nil {
						err = got.Shutdown(ctx)
					}
					served <- err
				}()
				got, err := s.client(clientConfig)(ctx, ours)
				require.NoError(t, err)
				requireTLS(t, got)
				got, err = s.client(clientConfig)(ctx, got)
				require.NoError(t, err)
				requireTLS(t, got)
				layers := 0
				for v, err := range tls.Version.All(got) {
					require.NoError(t, err)
					assert.Equal(t, name, v.String())
					layers++
				}
				assert.Equal(t, 2, layers)
				require.NoError(t, got.Shutdown(ctx))
				require.NoError(t, <-served)
			})
		}
	}
}

func TestHostileClientDoesNotHoldAServerForLong(t *testing.T) {
	cfg, _ := configs(t, 0)
	ctx := limited(t)
	ours, theirs := memory.Pipe(nil)
	defer theirs.Close()
	_, err := starttls.SMTP{TLS: cfg, Limits: starttls.Limits{Time: time.Millisecond}}.Server(ctx, ours)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, ctx.Err())
}

func TestAServerWithoutAConfigSaysNothing(t *testing.T) {
	for name, server := range map[string]negotiator{
		"SMTP":       starttls.SMTP{}.Server,
		"LMTP":       starttls.LMTP{Policy: starttls.Opportunistic}.Server,
		"IMAP":       starttls.IMAP{}.Server,
		"POP3":       starttls.POP3{}.Server,
		"PostgreSQL": starttls.PostgreSQL{}.Server,
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := memory.Pipe(nil)
			_, err := server(t.Context(), ours)
			require.EqualError(t, err, "starttls: "+name+": a server needs a tls.Config")
			assert.Empty(t, rest(t.Context(), theirs))
		})
	}
}
