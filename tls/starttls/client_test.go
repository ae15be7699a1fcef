package starttls_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// A dialect is a client's protocol in the tests of what all of them promise.
type dialect struct {
	name   string
	client func(starttls.Policy, *tls.Config, starttls.Limits) negotiator

	// before is the server's side up to where the client has asked for TLS,
	// which goes says yes to; no and wrong are other answers.
	before          []step
	goes, no, wrong string

	// after is the server's side from the handshake on.
	after []step

	// stripped is the server's side where it offers no TLS, up to the end of
	// the negotiation in plaintext. Nil where there are no offers.
	stripped []step

	// refused is the server's side after a no, where the client goes on.
	refused []step

	// has is a capability that after tells and before does not.
	has string

	// lines tells that the protocol is one of lines, exact that the client
	// receives nothing past the yes, so that it cannot know what came with it.
	// noEnds tells that a no ends the connection under either policy, mute that
	// there are no answers: the client goes on at once.
	lines, exact, noEnds, mute bool
}

const (
	sslRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	ldapYes    = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
)

const xmppOpen = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' " +
	"xmlns:stream='http://etherx.jabber.org/streams' to='x.example' version='1.0'>"

func dialects() []dialect {
	return []dialect{{
		name: "SMTP", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.SMTP{Name: "c.example", Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{say: "220-mail.example\r\n220 ready\r\n"}, {hear: "EHLO c.example\r\n"},
			{say: "250-mail.example\r\n250-AUTH EVIL\r\n250 starttls\r\n"}, {hear: "STARTTLS\r\n"},
		},
		goes: "220 go\r\n", no: "454 not now\r\n", wrong: "354 go on\r\n",
		after:    []step{{server: true}, {hear: "EHLO c.example\r\n"}, {say: "250-mail.example\r\n250 SIZE 100\r\n"}},
		stripped: []step{{say: "220 ready\r\n"}, {hear: "EHLO c.example\r\n"}, {say: "250-mail.example\r\n250 XSTARTTLS\r\n"}},
		has:      "SIZE",
	}, {
		name: "LMTP", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.LMTP{Name: "c.example", Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{say: "220 ready\r\n"}, {hear: "LHLO c.example\r\n"},
			{say: "250-mail.example\r\n250-AUTH EVIL\r\n250 STARTTLS\r\n"}, {hear: "STARTTLS\r\n"},
		},
		goes: "220 go\r\n", no: "502 no\r\n", wrong: "250 go on\r\n",
		after:    []step{{server: true}, {hear: "LHLO c.example\r\n"}, {say: "250-mail.example\r\n250 SIZE 100\r\n"}},
		stripped: []step{{say: "220 ready\r\n"}, {hear: "LHLO c.example\r\n"}, {say: "250 mail.example\r\n"}},
		has:      "SIZE",
	}, {
		name: "IMAP", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.IMAP{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{say: "* OK [CAPABILITY IMAP4rev1 EVIL] ready\r\n"}, {hear: "tls1 CAPABILITY\r\n"},
			{say: "* OK [ALERT] pay here\r\n* capability IMAP4rev1 STARTTLS EVIL\r\ntls1 OK done\r\n"}, {hear: "tls2 STARTTLS\r\n"},
		},
		goes: "tls2 OK begin\r\n", no: "tls2 NO [REFERRAL imap://evil/] no\r\n", wrong: "+ go on\r\n",
		after:    []step{{server: true}, {hear: "tls3 CAPABILITY\r\n"}, {say: "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\ntls3 OK done\r\n"}},
		stripped: []step{{say: "* OK ready\r\n"}, {hear: "tls1 CAPABILITY\r\n"}, {say: "* CAPABILITY IMAP4rev1\r\ntls1 OK done\r\n"}},
		has:      "AUTH=PLAIN",
	}, {
		name: "POP3", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.POP3{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{say: "+OK <1@evil>\r\n"}, {hear: "CAPA\r\n"}, {say: "+OK\r\nSTLS\r\nEVIL\r\n.\r\n"}, {hear: "STLS\r\n"},
		},
		goes: "+OK begin\r\n", no: "-ERR no\r\n", wrong: "+ go on\r\n",
		after:    []step{{server: true}, {hear: "CAPA\r\n"}, {say: "+OK\r\nUSER\r\n.\r\n"}},
		stripped: []step{{say: "+OK ready\r\n"}, {hear: "CAPA\r\n"}, {say: "-ERR what\r\n"}},
		has:      "USER",
	}, {
		name: "PostgreSQL", exact: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.PostgreSQL{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{{hear: sslRequest}},
		goes:   "S", no: "N", wrong: "EFATAL",
		after: []step{{server: true}},
	}, {
		name: "LDAP",
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.LDAP{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{{hear: "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"}},
		goes:   ldapYes, no: "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00",
		wrong: "\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
		after: []step{{server: true}},
	}, {
		name: "NNTP", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.NNTP{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{say: "200 ready\r\n"}, {hear: "CAPABILITIES\r\n"},
			{say: "101 list\r\nVERSION 2\r\nSTARTTLS\r\nEVIL\r\n.\r\n"}, {hear: "STARTTLS\r\n"},
		},
		goes: "382 go\r\n", no: "580 no\r\n", wrong: "200 what\r\n",
		after:    []step{{server: true}, {hear: "CAPABILITIES\r\n"}, {say: "101 list\r\nREADER\r\n.\r\n"}},
		stripped: []step{{say: "201 ready\r\n"}, {hear: "CAPABILITIES\r\n"}, {say: "500 what\r\n"}},
		has:      "READER",
	}, {
		name: "ManageSieve", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.ManageSieve{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{say: "\"IMPLEMENTATION\" \"x\"\r\n\"SASL\" \"EVIL\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n"}, {hear: "STARTTLS\r\n"},
		},
		goes: "OK\r\n", no: "NO \"no\"\r\n", wrong: "BYE\r\n",
		after:    []step{{server: true}, {say: "\"SASL\" \"PLAIN\"\r\nOK\r\n"}}, // it speaks first
		stripped: []step{{say: "\"IMPLEMENTATION\" \"x\"\r\nOK\r\n"}},
		has:      "SASL",
	}, {
		name: "IRC", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.IRC{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{{hear: "STARTTLS\r\n"}, {say: ":irc.example NOTICE * :hello\r\nPING 5\r\n"}, {hear: "PONG 5\r\n"}},
		goes:   ":irc.example 670 * :go\r\n", no: ":irc.example 691 * :no\r\n", wrong: ":irc.example 001 * :hi\r\n",
		after: []step{{server: true}},
	}, {
		name: "FTP", lines: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.FTP{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{{say: "220-hello\r\nwithout a code\r\n 220 not the end\r\n220 ready\r\n"}, {hear: "AUTH TLS\r\n"}},
		goes:   "234 go\r\n", no: "534 no\r\n", wrong: "334 go on\r\n",
		refused: []step{{hear: "FEAT\r\n"}, {say: "502 what\r\n"}},
		after: []step{
			{server: true}, {hear: "PBSZ 0\r\n"}, {say: "200 ok\r\n"}, {hear: "PROT P\r\n"}, {say: "200 ok\r\n"},
			{hear: "FEAT\r\n"}, {say: "211-features\r\n SIZE\r\n211 end\r\n"},
		},
		has: "SIZE",
	}, {
		name: "XMPP",
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.XMPP{To: "x.example", Policy: p, TLS: cfg, Limits: l}.Client
		},
		before: []step{
			{hear: xmppOpen},
			{say: "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='>' version='1.0'>" +
				"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><EVIL xmlns='x'/></stream:features>"},
			{hear: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
		},
		goes: "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", wrong: "<proceed xmlns='urn:other'/>",
		no: "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>", noEnds: true,
		after: []step{{server: true}, {hear: xmppOpen}, {say: "<s:stream xmlns='jabber:client' xmlns:s=\"http://etherx.jabber.org/streams\">" +
			"<s:features><mechanisms xmlns='m'><mechanism>PLAIN</mechanism><mechanism>X</mechanism></mechanisms></s:features>"}},
		stripped: []step{{hear: xmppOpen}, {say: "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><stream:features/>"}},
		has:      "mechanisms",
	}, {
		name: "MySQL", exact: true, mute: true,
		client: func(p starttls.Policy, cfg *tls.Config, l starttls.Limits) negotiator {
			return starttls.MySQL{Policy: p, TLS: cfg, Limits: l}.Client
		},
		before:   []step{{say: mysqlGreeting(true)}, {hear: mysqlRequest}},
		after:    []step{{server: true}},
		stripped: []step{{say: mysqlGreeting(false)}},
	}}
}

// forEach runs a test for every dialect under a policy.
func forEach(t *testing.T, policy starttls.Policy, test func(t *testing.T, d dialect, client negotiator)) {
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			_, cfg := configs(t, 0)
			test(t, d, d.client(policy, cfg, starttls.Limits{}))
		})
	}
}

// whole is the server's side of a negotiation that succeeds.
func (d dialect) whole() []step {
	steps := d.before
	if d.goes != "" {
		steps = with(steps, step{say: d.goes})
	}
	return with(steps, d.after...)
}

func with(steps []step, more ...step) []step {
	return append(append([]step(nil), steps...), more...)
}

func TestClientStartsTLSAndAsksAgain(t *testing.T) {
	forEach(t, starttls.Required, func(t *testing.T, d dialect, client negotiator) {
		s, rest, err := script(t, client, d.whole()...)
		require.NoError(t, err)
		requireTLS(t, s)
		assert.Empty(t, rest)
		list, ok := starttls.Capabilities.Lookup(s)
		require.Equal(t, d.has != "", ok)
		if ok {
			_, has := list.Param(d.has)
			assert.True(t, has, "%q", list)
		}
		for list, err := range starttls.Capabilities.All(s) {
			require.NoError(t, err)
			assert.NotContains(t, strings.Join(list, " "), "EVIL", "in any layer")
		}
	})
}

func TestClientRefusesWhatCameWithTheYes(t *testing.T) {
	for _, extra := range []string{"x", "250 AUTH LOGIN\r\n", "\x16\x03\x03\x00\x01"} {
		forEach(t, starttls.Opportunistic, func(t *testing.T, d dialect, client negotiator) {
			s, rest, err := script(t, client, with(d.before, step{say: d.goes + extra}, step{hangUp: d.exact})...)
			if d.exact { // what came with the yes can only be a bad record
				var he *tls.HandshakeError
				require.ErrorAs(t, err, &he)
				return
			}
			require.ErrorIs(t, err, tls.ErrPlaintextBuffered)
			assert.Nil(t, s)
			assert.Empty(t, rest, "no ClientHello, no command")
		})
	}
}

func TestClientUnderRequiredSendsNothingMoreWithoutTLS(t *testing.T) {
	forEach(t, starttls.Required, func(t *testing.T, d dialect, client negotiator) {
		tests := map[string][]step{}
		if !d.mute {
			tests["refused"] = with(d.before, step{say: d.no})
		}
		if d.stripped != nil {
			tests["not offered"] = d.stripped
		}
		for name, steps := range tests {
			t.Run(name, func(t *testing.T) {
				s, rest, err := script(t, client, steps...)
				var e *starttls.UnavailableError
				require.ErrorAs(t, err, &e)
				assert.Equal(t, d.name, e.Protocol)
				assert.Nil(t, s)
				assert.Empty(t, rest)
			})
		}
	})
}

func TestOpportunisticClientTellsWhyItIsInPlaintext(t *testing.T) {
	forEach(t, starttls.Opportunistic, func(t *testing.T, d dialect, client negotiator) {
		if !d.mute {
			steps := with(d.before, step{say: d.no})
			s, rest, err := script(t, client, with(steps, d.refused...)...)
			assert.Empty(t, rest)
			if d.noEnds {
				var e *starttls.UnavailableError
				require.ErrorAs(t, err, &e)
			} else {
				require.NoError(t, err)
				requirePlaintext(t, s, starttls.Refused)
			}
		}
		if d.stripped == nil {
			return
		}
		s, rest, err := script(t, client, with(d.stripped, step{say: "more"})...)
		require.NoError(t, err)
		requirePlaintext(t, s, starttls.NotOffered)
		assert.Empty(t, rest)
		p := make([]byte, 4)
		require.NoError(t, s.ReceiveExactly(t.Context(), p))
		assert.Equal(t, "more", string(p), "what comes next is for the caller")
	})
}

func TestClientGoesOnWithNoOddServerWhateverThePolicy(t *testing.T) {
	forEach(t, starttls.Opportunistic, func(t *testing.T, d dialect, client negotiator) {
		if !d.mute {
			_, rest, err := script(t, client, with(d.before, step{say: d.wrong})...)
			var e *starttls.ReplyError
			require.ErrorAs(t, err, &e)
			assert.Empty(t, rest)
		}
		_, rest, err := script(t, client, with(d.before, step{hangUp: true})...)
		if d.mute { // it may be about to send the ClientHello
			require.ErrorIs(t, err, stream.ErrBroken)
		} else {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
		assert.Empty(t, rest)
		_, rest, err = script(t, client, with(d.before, step{say: d.goes}, step{hear: "\x16"}, step{say: "plain text, no TLS"})...)
		var he *tls.HandshakeError
		require.ErrorAs(t, err, &he)
		assert.True(t, isRecords("\x16"+rest), "records, and not %q", rest)
	})
}

func TestClientRefusesAServerOfAnotherName(t *testing.T) {
	forEach(t, starttls.Required, func(t *testing.T, d dialect, _ negotiator) {
		_, cfg := configs(t, 0)
		cfg.ServerName = "other.example"
		_, _, err := script(t, d.client(starttls.Opportunistic, cfg, starttls.Limits{}), d.whole()...)
		var he *tls.HandshakeError
		require.ErrorAs(t, err, &he)
	})
}

func TestClientBoundsWhatTheServerSays(t *testing.T) {
	forEach(t, starttls.Opportunistic, func(t *testing.T, d dialect, client negotiator) {
		_, cfg := configs(t, 0)
		small := d.client(starttls.Opportunistic, cfg, starttls.Limits{Line: 20, Lines: 2})
		if !d.lines {
			return
		}
		tooLong := strings.Repeat("x", 30) + "\r\n"
		_, _, err := script(t, small, step{say: tooLong})
		_, ok := errors.AsType[*buffered.DelimiterNotFoundError](err)
		require.True(t, ok, "a line of 32 bytes: %v", err)
		_, _, err = script(t, small, d.whole()...)
		require.Error(t, err, "more than 2 lines, or a longer one")
		_, _, err = script(t, client, step{say: "2\n20 x\r\n"})
		require.ErrorContains(t, err, "control character")
	})
}

func TestSilentServerIsGivenUp(t *testing.T) {
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			_, cfg := configs(t, 0)
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ours, theirs := memory.Pipe(nil)
				defer theirs.Close()
				_, err := d.client(starttls.Opportunistic, cfg, starttls.Limits{})(t.Context(), ours)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 30*time.Second, time.Since(start))
				ours, theirs = memory.Pipe(nil)
				defer theirs.Close()
				_, err = d.client(starttls.Opportunistic, cfg, starttls.Limits{Time: time.Second})(t.Context(), ours)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 31*time.Second, time.Since(start))
			})
		})
	}
}

func TestNilStreamIsAnError(t *testing.T) {
	forEach(t, starttls.Required, func(t *testing.T, _ dialect, client negotiator) {
		_, err := client(t.Context(), nil)
		require.Error(t, err)
	})
}

func TestDoneContextClosesTheConnection(t *testing.T) {
	forEach(t, starttls.Required, func(t *testing.T, _ dialect, client negotiator) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ours, theirs := memory.Pipe(nil)
		_, err := client(ctx, ours)
		require.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, rest(t.Context(), theirs))
	})
}

func TestNamesThatEndTheCommandAreRefused(t *testing.T) {
	for _, name := range []string{"a\r\nMAIL FROM:<x@y>", "a b", "a\nb", "a\x00b", "a\x7f"} {
		for _, side := range []negotiator{
			starttls.SMTP{Name: name}.Client, starttls.LMTP{Name: name}.Client, starttls.SMTP{Name: name, TLS: new(tls.Config)}.Server,
			starttls.IMAP{Name: name, TLS: new(tls.Config)}.Server, starttls.POP3{Name: name, TLS: new(tls.Config)}.Server,
			starttls.XMPP{To: name}.Client, starttls.XMPP{To: "x.example", From: name}.Client,
		} {
			_, rest, err := script(t, side, step{say: "220 ready\r\n"})
			require.ErrorContains(t, err, "space or control character")
			assert.Empty(t, rest)
		}
	}
}

func TestIMAPPreauthenticated(t *testing.T) {
	_, rest, err := script(t, starttls.IMAP{}.Client, step{say: "* PREAUTH welcome\r\n"})
	var e *starttls.UnavailableError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, starttls.Preauthenticated, e.Reason)
	assert.Empty(t, rest)

	s, _, err := script(t, starttls.IMAP{Policy: starttls.Opportunistic}.Client, step{say: "* PREAUTH welcome\r\n"},
		step{hear: "tls1 CAPABILITY\r\n"}, step{say: "* CAPABILITY IMAP4rev1 STARTTLS\r\ntls1 OK\r\n"})
	require.NoError(t, err)
	requirePlaintext(t, s, starttls.Preauthenticated)
}

func TestIMAPServerThatHidesAYes(t *testing.T) {
	before := []step{{say: "* OK\r\n"}, {hear: "tls1 CAPABILITY\r\n"}, {say: "* CAPABILITY STARTTLS\r\ntls1 OK\r\n"}, {hear: "tls2 STARTTLS\r\n"}}
	for _, answer := range []string{
		"* PREAUTH\r\n", "* BYE\r\n", "* OK {5}\r\n", "tls2 PREAUTH\r\n", "tls1 OK\r\n", "OK tls2\r\n", "HTTP/1.1 400 Bad Request\r\n", "\r\n",
	} {
		_, rest, err := script(t, starttls.IMAP{Policy: starttls.Opportunistic}.Client, with(before, step{say: answer})...)
		var e *starttls.ReplyError
		require.ErrorAs(t, err, &e, answer)
		assert.Empty(t, rest)
	}
}

func TestSMTPServerWithoutEHLO(t *testing.T) {
	before := []step{{say: "220 old\r\n"}, {hear: "EHLO localhost\r\n"}, {say: "502 what\r\n"}}
	s, _, err := script(t, starttls.SMTP{Policy: starttls.Opportunistic}.Client,
		with(before, step{hear: "HELO localhost\r\n"}, step{say: "250 hello\r\n"})...)
	require.NoError(t, err)
	requirePlaintext(t, s, starttls.NotOffered)
	_, ok := starttls.Capabilities.Lookup(s)
	assert.False(t, ok)
	_, rest, err := script(t, starttls.SMTP{}.Client, before...)
	var e *starttls.UnavailableError
	require.ErrorAs(t, err, &e)
	assert.Empty(t, rest)
}

func TestSMTPRepliesMustBeOfOnePiece(t *testing.T) {
	for _, reply := range []string{"", "22", "220x", "abc ", "220-a\r\n250 b", "220-a\r\nb", "\xff20 a", "999 a"} {
		_, _, err := script(t, starttls.SMTP{Policy: starttls.Opportunistic}.Client, step{say: reply + "\r\n"})
		var e *starttls.ReplyError
		require.ErrorAs(t, err, &e, reply)
	}
}

func TestCapabilitiesOfAStreamInPlaintextAreItsOwn(t *testing.T) {
	s, _, err := script(t, starttls.SMTP{Name: "c.example", Policy: starttls.Opportunistic}.Client, dialects()[0].stripped...)
	require.NoError(t, err)
	list, err := starttls.Capabilities.Get(s)
	require.NoError(t, err)
	assert.Equal(t, starttls.CapabilityList{"XSTARTTLS"}, list)
	_, ok := list.Param("STARTTLS")
	assert.False(t, ok)
	require.NoError(t, stream.Abort(s, nil))
}

func TestLDAPAnswersOfAllKinds(t *testing.T) {
	request := dialects()[5].before[0]
	client := starttls.LDAP{Policy: starttls.Opportunistic, Limits: starttls.Limits{Line: 100}}.Client
	for name, answer := range map[string]string{
		"no sequence":       "\x31\x00",
		"indefinite length": "\x30\x80\x02\x01\x01\x00\x00",
		"too long":          "\x30\x65",
		"far too long":      "\x30\x84\xff\xff\xff\xff",
		"length of lengths": "\x30\x85\x00\x00\x00\x00\x00",
		"empty":             "\x30\x00",
		"other ID":          strings.Replace(ldapYes, "\x02\x01\x01", "\x02\x01\x02", 1),
		"bind response":     strings.Replace(ldapYes, "\x78", "\x61", 1),
		"inner length":      strings.Replace(ldapYes, "\x78\x07", "\x78\x08", 1),
	} {
		_, rest, err := script(t, client, request, step{say: answer})
		var e *starttls.ReplyError
		require.ErrorAs(t, err, &e, name)
		assert.Empty(t, rest)
	}
	for name, answer := range map[string]string{
		"long forms":  "\x30\x84\x00\x00\x00\x1c\x02\x01\x01\x78\x84\x00\x00\x00\x13\x0a\x01\x02\x04\x84\x00\x00\x00\x00\x04\x84\x00\x00\x00\x04evil",
		"short forms": "\x30\x10\x02\x01\x01\x78\x0b\x0a\x01\x02\x04\x00\x04\x04evil",
	} {
		s, _, err := script(t, client, request, step{say: answer})
		require.NoError(t, err, name)
		why, err := starttls.Plaintext.Get(s)
		require.NoError(t, err)
		assert.Equal(t, "2 evil", why.Reply)
	}
}

func TestXMPPServerThatSendsWhatIsNoStream(t *testing.T) {
	const open = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	for name, answer := range map[string]string{
		"other protocol":     "HTTP/1.1 400 Bad Request\r\n\r\n<html>",
		"other root":         "<html>",
		"other namespace":    "<stream:stream xmlns:stream='urn:other'>",
		"no namespace":       "<stream:stream>",
		"entity declaration": "<!DOCTYPE a [<!ENTITY b 'c'>]>",
		"comment":            open + "<!-- -->",
		"section":            open + "<stream:features><![CDATA[x]]></stream:features>",
		"entity":             open + "<stream:features>&a;</stream:features>",
		"instruction":        open + "<?x y?>",
		"text":               open + "evil<stream:features/>",
		"end":                open + "</stream:stream>",
		"error":              open + "<stream:error/>",
		"crossed":            open + "<stream:features><a></b></stream:features>",
		"deep":               open + strings.Repeat("<a>", 9),
		"many":               open + "<stream:features>" + strings.Repeat("<a/>", 300),
		"long":               open + "<stream:features a='" + strings.Repeat("x", 9000) + "'>",
		"long in pieces":     open + "<stream:features>" + strings.Repeat("<a b='"+strings.Repeat("x", 4000)+"'/>", 3),
		"brackets":           open + "<>",
		"slash":              open + "</>",
	} {
		_, rest, err := script(t, starttls.XMPP{To: "x.example", Policy: starttls.Opportunistic}.Client,
			step{hear: xmppOpen}, step{say: answer}, step{hangUp: true})
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, io.ErrUnexpectedEOF, name)
		assert.Empty(t, rest)
	}
	_, _, err := script(t, starttls.XMPP{}.Client)
	require.ErrorContains(t, err, "To is empty")
	_, rest, err := script(t, starttls.XMPP{To: "x'><evil/>"}.Client)
	require.ErrorContains(t, err, "character of XML")
	assert.Empty(t, rest)
}
