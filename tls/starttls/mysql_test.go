package starttls_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// mysqlRequest is an SSLRequest with every default.
const mysqlRequest = "\x20\x00\x00\x01\x00\x8a\x08\x00\xff\xff\xff\x00\x2d" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// mysqlPacket returns a packet with the number 0.
func mysqlPacket(payload string) string {
	return string([]byte{byte(len(payload)), byte(len(payload) >> 8), 0, 0}) + payload
}

// mysqlGreeting returns a whole greeting.
func mysqlGreeting(offers bool) string {
	lower := "\x00\x82"
	if offers {
		lower = "\x00\x8a"
	}
	return mysqlPacket("\x0a8.0.1-x\x00\x07\x00\x00\x00abcdefgh\x00" + lower + "\xff\x02\x00\x08\x00\x15" +
		strings.Repeat("\x00", 10) + "ijklmnopqrst\x00caching_sha2_password\x00")
}

func TestMySQLGreetingIsHandedOn(t *testing.T) {
	for _, offers := range []bool{true, false} {
		steps := []step{{say: mysqlGreeting(offers)}}
		if offers {
			steps = append(steps, step{hear: mysqlRequest}, step{server: true}, step{say: "hello"})
		}
		_, cfg := configs(t, 0)
		s, _, err := script(t, starttls.MySQL{TLS: cfg, Policy: starttls.Opportunistic}.Client, steps...)
		require.NoError(t, err)
		got, err := starttls.Greeting.Get(s)
		require.NoError(t, err)
		assert.Equal(t, "8.0.1-x", got.ServerVersion)
		assert.EqualValues(t, 7, got.ConnectionID)
		assert.Equal(t, offers, got.Capabilities&(1<<11) != 0)
		assert.NotZero(t, got.Capabilities&(1<<19), "the upper half")
		assert.EqualValues(t, 255, got.Charset)
		assert.EqualValues(t, 2, got.Status)
		assert.Equal(t, "caching_sha2_password", got.AuthPlugin)
		assert.Equal(t, "abcdefghijklmnopqrst", string(got.AuthData))
		assert.Equal(t, mysqlGreeting(offers)[4:], string(got.Raw))
		_, under := tls.Version.Lookup(s)
		assert.Equal(t, offers, under)
	}
}

func TestMySQLRequestSaysWhatTheClientCanDo(t *testing.T) {
	p := starttls.MySQL{Capabilities: 1<<24 | 1, MaxPacket: 1 << 20, Charset: 8}
	_, p.TLS = configs(t, 0)
	_, _, err := script(t, p.Client, step{say: mysqlGreeting(true)},
		step{hear: "\x20\x00\x00\x01\x01\x0a\x00\x01\x00\x00\x10\x00\x08" + strings.Repeat("\x00", 23)}, step{server: true})
	require.NoError(t, err)
}

func TestMySQLGreetingsOfAllKinds(t *testing.T) {
	whole := mysqlGreeting(true)[4:]
	client := starttls.MySQL{Policy: starttls.Opportunistic, Limits: starttls.Limits{Line: 200}}.Client
	bad := map[string]string{
		"an error":         mysqlPacket("\xff\x10\x04Too many connections"),
		"version 9":        mysqlPacket("\x09" + whole[1:]),
		"empty":            mysqlPacket(""),
		"another number":   "\x01\x00\x00\x01\x0a",
		"too long":         "\xc5\x00\x00\x00\x0a",
		"far too long":     "\xff\xff\xff\x00\x0a",
		"endless version":  mysqlPacket("\x0a8.0.1"),
		"another protocol": "220 mail.example ESMTP\r\n",
	}
	// Cut anywhere but where an old server's ends, and where only the last zero or
	// some of the name is missing.
	for n := range strings.Index(whole, "caching") {
		if n != len("\x0a8.0.1-x\x00....abcdefgh\x00..") {
			bad["cut at "+string(rune('0'+n%10))+whole[:n]] = mysqlPacket(whole[:n])
		}
	}
	for name, greeting := range bad {
		_, rest, err := script(t, client, step{say: greeting})
		var e *starttls.ReplyError
		require.ErrorAs(t, err, &e, "%q", name)
		assert.Empty(t, rest)
	}
	_, _, err := script(t, client, step{say: whole[:20]}, step{hangUp: true})
	require.Error(t, err)

	old := mysqlPacket("\x0a3.23.1\x00\x07\x00\x00\x00abcdefgh\x00\x00\x00")
	s, _, err := script(t, client, step{say: old})
	require.NoError(t, err)
	got, err := starttls.Greeting.Get(s)
	require.NoError(t, err)
	assert.Equal(t, "abcdefgh", string(got.AuthData))
	s, _, err = script(t, client, step{say: mysqlPacket(mysqlGreeting(false)[4:][:len(whole)-1])})
	require.NoError(t, err)
	got, err = starttls.Greeting.Get(s)
	require.NoError(t, err)
	assert.Equal(t, "caching_sha2_password", got.AuthPlugin, "without its zero")
}

// TestMySQLClientRefusesWhatCameWithTheGreeting has more packets than one in front of
// the handshake.
func TestMySQLClientRefusesWhatCameWithTheGreeting(t *testing.T) {
	for _, extra := range []string{"x", "\x16\x03\x03\x00\x01", mysqlPacket("\x00OK")} {
		_, rest, err := script(t, starttls.MySQL{Policy: starttls.Opportunistic}.Client, step{say: mysqlGreeting(true) + extra})
		require.ErrorIs(t, err, tls.ErrPlaintextBuffered)
		assert.Equal(t, mysqlRequest, rest, "no ClientHello")
	}
}
