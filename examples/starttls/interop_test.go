package main

import (
	"bufio"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/golden"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
)

// underTLS is what the client of the golden session says after the handshake.
func underTLS(t *testing.T) string {
	t.Helper()
	turns, err := golden.Dialogue("smtp/session.txt")
	require.NoError(t, err)
	var said strings.Builder
	encrypted := false
	for _, turn := range turns {
		encrypted = encrypted || turn.Event == golden.StartTLS
		if encrypted && turn.From == golden.Client {
			said.Write(turn.Data)
		}
	}
	return said.String()
}

func TestOpenSSLCompletesASession(t *testing.T) {
	openssl := peers.Program(t, "openssl", "openssl")
	for version, flag := range map[string]string{"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			ts := startServer(t)
			out, err := runProgram(t, underTLS(t), openssl, "s_client", "-starttls", "smtp", "-name", "client.example",
				"-connect", ts.addr, "-CAfile", ts.caFile, "-servername", "localhost",
				"-verify_hostname", "localhost", "-verify_return_error", "-quiet", flag)
			require.NoError(t, err, out)
			assert.Contains(t, out, "221 2.0.0 bye")
			m := ts.received(t)
			assert.Equal(t, wantBody(t), string(m.Body))
			assert.Equal(t, "anna@client.example", m.From)
			assert.Equal(t, []string{"berta@mail.example"}, m.To)
			assert.Contains(t, sectionOf(ts.printed.String(), "server: after STARTTLS"), version)
			assert.Empty(t, ts.failed.String())
		})
	}
}

func TestSwaksCompletesASession(t *testing.T) {
	swaks := peers.Program(t, "swaks", "swaks libnet-ssleay-perl")
	for version, protocol := range map[string]string{"TLS 1.2": "tlsv1_2", "TLS 1.3": "tlsv1_3"} {
		t.Run(version, func(t *testing.T) {
			ts := startServer(t)
			host, port, err := net.SplitHostPort(ts.addr)
			require.NoError(t, err)
			out, err := runProgram(t, wantBody(t), swaks, "--server", host, "--port", port, "--tls", "--tls-protocol", protocol,
				"--tls-ca-path", ts.caFile, "--tls-verify", "--tls-sni", "localhost", "--ehlo", "client.example",
				"--from", "anna@client.example", "--to", "berta@mail.example", "--data", "-")
			require.NoError(t, err, out)
			m := ts.received(t)
			assert.Equal(t, wantBody(t), strings.TrimRight(string(m.Body), "\r\n")+"\r\n")
			assert.Contains(t, sectionOf(ts.printed.String(), "server: after STARTTLS"), version)
			assert.Empty(t, ts.failed.String())
		})
	}
}

// aiosmtpd is a server in Python that prints its port, then the body of the
// message that it got, with its line ends shown.
const aiosmtpd = `
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP
done = asyncio.Event()
class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(repr((session.ssl is not None, envelope.mail_from, envelope.original_content.decode("latin-1"))), flush=True)
        return "250 ok"
async def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), tls_context=tls, require_starttls=True, loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
asyncio.run(main())
`

func TestClientDeliversToAServerOfOthers(t *testing.T) {
	python := peers.Python(t, "aiosmtpd")
	ca, _, err := newAuthority("localhost")
	require.NoError(t, err)
	leaf, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key, err := testpki.WritePEM(dir, "server", leaf)
	require.NoError(t, err)
	caFile, err := ca.WritePEM(filepath.Dir(cert))
	require.NoError(t, err)

	cmd := exec.CommandContext(t.Context(), python, "-c", aiosmtpd, cert, key)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	require.True(t, lines.Scan(), "it prints its port")

	err = run(t.Context(), []string{"connect", "-addr", "127.0.0.1:" + lines.Text(), "-ca", caFile, "-name", "localhost", "-required"}, t.Output())
	assert.NoError(t, err)
	assert.True(t, lines.Scan(), "it prints the message")
	assert.Contains(t, lines.Text(), `(True, 'alice@client.example', `)
	assert.Contains(t, lines.Text(), `\r\n.like this one\r\n..or this\r\n`)
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
}
