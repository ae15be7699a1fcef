package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// newClient returns a client that trusts the server's authority.
func (ts *testServer) newClient() (*client, *lockedBuffer) {
	printed := new(lockedBuffer)
	return &client{
		name: "client.example",
		tls:  &tls.Config{RootCAs: ts.roots, ServerName: "localhost"},
		out:  &printer{w: printed},
	}, printed
}

func TestDemoDeliversTheMessageAndPrintsEveryLayerTwice(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	for _, end := range []string{"server", "client"} {
		before, after := sectionOf(out.String(), end+": before STARTTLS"), sectionOf(out.String(), end+": after STARTTLS")
		for _, section := range []string{before, after} {
			assert.Contains(t, section, "*buffered.Stream")
			assert.Contains(t, section, "*tcp.Conn")
			assert.Contains(t, section, "net.remote_addr")
		}
		assert.NotContains(t, before, "tls.")
		assert.Contains(t, after, "*tls.Conn")
		assert.Contains(t, after, "tls.version")
	}
	assert.Contains(t, out.String(), ".like this one")
}

// sectionOf returns the lines under a title, which are indented.
func sectionOf(out, title string) string {
	_, rest, found := bytes.Cut([]byte(out), []byte(title+"\n"))
	if !found {
		return ""
	}
	var section []byte
	for line := range bytes.Lines(rest) {
		if line[0] != ' ' {
			break
		}
		section = append(section, line...)
	}
	return string(section)
}

func TestMessageArrivesByteForByte(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			ts := startServer(t)
			c, printed := ts.newClient()
			c.tls.MinVersion, c.tls.MaxVersion = version, version
			body := wantBody(t)
			m := message{From: "anna@client.example", To: []string{"berta@mail.example", "carl@mail.example"}, Body: []byte(body)}
			require.NoError(t, c.send(t.Context(), ts.addr, m))
			assert.Equal(t, m, ts.received(t))
			assert.Contains(t, printed.String(), "after STARTTLS")
			assert.Empty(t, ts.failed.String())
		})
	}
}

var versions = map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

func TestClientThatCannotVerifyTheServerSendsNothing(t *testing.T) {
	ts := startServer(t)
	c, _ := ts.newClient()
	c.tls.ServerName = "other.example"
	err := c.send(t.Context(), ts.addr, sample("a@client.example", "b@mail.example"))
	_, ok := errors.AsType[*tls.HandshakeError](err)
	require.True(t, ok, "%v", err)
	assert.ErrorContains(t, err, "other.example")
	assert.Empty(t, ts.delivered)
}

func TestCommandsRunAloneWithFiles(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	printed := new(lockedBuffer)
	done := make(chan error, 1)
	addr := freeAddr(t)
	go func() { done <- run(ctx, []string{"serve", "-addr", addr, "-write-ca", ca}, printed) }()

	waitFor(t, func() bool { return bytes.Contains([]byte(printed.String()), []byte("listening on "+addr)) })
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"connect", "-addr", addr, "-ca", ca, "-name", "localhost", "-required"}, &out))
	assert.Contains(t, out.String(), "client: message accepted")
	stop()
	require.NoError(t, <-done)
	assert.Contains(t, printed.String(), "server: message from alice@client.example")
}

func TestSilentServerIsGivenUp(t *testing.T) {
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	err = run(t.Context(), []string{"connect", "-addr", addressOf(ln), "-timeout", "50ms"}, new(lockedBuffer))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "greeting")
}

func TestBadCommandLinesAreNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"command", []string{"listen"}, `unknown command "listen"`},
		{"address", []string{"serve", "-addr", "127.0.0.1:65536"}, "invalid port"},
		{"empty address", []string{"connect", "-addr", ""}, "empty address"},
		{"argument", []string{"serve", "extra"}, `unexpected argument "extra"`},
		{"certificate without its key", []string{"serve", "-cert", "some.pem"}, "-cert and -key"},
		{"authority of a certificate from a file", []string{"serve", "-cert", "a", "-key", "b", "-write-ca", "c"}, "-write-ca"},
		{"authority into no directory", []string{"serve", "-write-ca", filepath.Join(empty, "ca.pem")}, "ca.pem"},
		{"unknown host", []string{"connect", "-addr", "host.invalid:25"}, "host.invalid"},
		{"certificate", []string{"serve", "-cert", "none.pem", "-key", "none.key"}, "none.pem"},
		{"no certificate in file", []string{"connect", "-ca", empty}, "no certificate in"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.ErrorContains(t, run(t.Context(), tt.args, new(lockedBuffer)), tt.want)
		})
	}
}
