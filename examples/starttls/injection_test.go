package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/golden"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(testTimeout)))
	return conn
}

// The file's server is not ours word for word: what counts is what the client
// sends in one segment, and how it ends.
func TestCommandInjectedBeforeTLSIsRefusedAndNotExecuted(t *testing.T) {
	turns, err := golden.Dialogue("smtp/injection-command.txt")
	require.NoError(t, err)
	ts := startServer(t)
	conn := dial(t, ts.addr)
	var said strings.Builder
	for _, turn := range turns {
		switch {
		case turn.From == golden.Client:
			_, err := conn.Write(turn.Data)
			require.NoError(t, err)
		case turn.From == golden.Server:
			said.WriteString(receiveReply(t, conn))
		case turn.Event == golden.Closed:
			rest, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.Equal(t, "554 5.5.1 bytes after STARTTLS\r\n", string(rest), "RSET has no answer")
		}
	}
	waitFor(t, func() bool { return strings.Contains(ts.failed.String(), tls.ErrPlaintextBuffered.Error()) })
}

func TestStartTLSAloneIsNotRefused(t *testing.T) { // the control of the test above
	ts := startServer(t)
	conn := dial(t, ts.addr)
	receiveReply(t, conn)
	_, err := io.WriteString(conn, "EHLO client.example\r\n")
	require.NoError(t, err)
	receiveReply(t, conn)
	_, err = io.WriteString(conn, "STARTTLS\r\n")
	require.NoError(t, err)
	assert.Equal(t, "220 2.0.0 ready for TLS\r\n", receiveReply(t, conn))
}

// receiveReply reads one reply, which may have several lines.
func receiveReply(t *testing.T, conn net.Conn) string {
	t.Helper()
	var reply []byte
	p := make([]byte, 512)
	for {
		n, err := conn.Read(p)
		require.NoError(t, err)
		reply = append(reply, p[:n]...)
		lines := bytes.SplitAfter(reply, crlf)
		if len(lines) > 1 && len(lines[len(lines)-1]) == 0 {
			if last := lines[len(lines)-2]; len(last) > 3 && last[3] == ' ' {
				return string(reply)
			}
		}
	}
}

func TestReplyInjectedBeforeTLSEndsTheClientBeforeItsHandshake(t *testing.T) {
	turns, err := golden.Dialogue("smtp/injection-reply.txt")
	require.NoError(t, err)
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	heard := make(chan string, 1)
	go func() { heard <- playServer(t.Context(), ln, turns) }()

	ts := &testServer{}
	c, _ := ts.newClient()
	err = c.send(t.Context(), addressOf(ln), sample("a@client.example", "b@mail.example"))
	assert.ErrorIs(t, err, tls.ErrPlaintextBuffered)
	assert.Equal(t, "EHLO client.example\r\nSTARTTLS\r\n", <-heard, "and nothing after that")
}

// playServer plays the server's turns to one client, and returns all that the
// client sent until it hung up.
func playServer(ctx context.Context, ln *tcp.Listener, turns []golden.Turn) string {
	conn, err := ln.Accept(ctx)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	var heard []byte
	p := make([]byte, 512)
	for _, turn := range turns {
		switch turn.From {
		case golden.Server:
			if _, err := conn.Send(ctx, turn.Data); err != nil {
				return err.Error()
			}
		case golden.Client:
			n, err := conn.Receive(ctx, p)
			if err != nil {
				return err.Error()
			}
			heard = append(heard, p[:n]...)
		}
	}
	for {
		n, err := conn.Receive(ctx, p)
		if err != nil { // the end, or a reset for what the client did not read
			return string(heard)
		}
		heard = append(heard, p[:n]...)
	}
}

func TestServerThatLosesSTARTTLSGetsNoMessageUnderRequired(t *testing.T) {
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	heard := make(chan string, 1)
	turns := []golden.Turn{
		{From: golden.Server, Data: []byte("220 mail.example ESMTP\r\n")},
		{From: golden.Client},
		{From: golden.Server, Data: []byte("250-mail.example\r\n250 8BITMIME\r\n")},
	}
	go func() { heard <- playServer(t.Context(), ln, turns) }()
	ts := &testServer{}
	c, _ := ts.newClient()
	c.required = true
	err = c.send(t.Context(), addressOf(ln), sample("a@client.example", "b@mail.example"))
	assert.ErrorContains(t, err, "does not offer STARTTLS")
	assert.Equal(t, "EHLO client.example\r\n", <-heard)
}

func TestOpportunisticClientStaysInPlaintextAndSaysSo(t *testing.T) {
	ts := startServer(t)
	c, printed := ts.newClient()
	// A server without TLS: as ours, but for what a proxy strips.
	addr := strip(t, ts.addr, "250 STARTTLS\r\n", "250 NOTHING\r\n")
	require.NoError(t, c.send(t.Context(), addr, sample("a@client.example", "b@mail.example")))
	assert.Contains(t, printed.String(), "staying in plaintext")
	assert.Equal(t, "a@client.example", ts.received(t).From)
}

func TestRefusedSTARTTLSEndsOnlyWhoRequiresIt(t *testing.T) {
	for _, tt := range []struct {
		name           string
		required       bool
		failing, after string
	}{
		{"opportunistic", false, "MAIL: server says 550", "MAIL FROM:<a@client.example>\r\n"},
		{"required", true, "STARTTLS: server says 454", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
			require.NoError(t, err)
			defer ln.Close()
			heard := make(chan string, 1)
			turns := []golden.Turn{
				{From: golden.Server, Data: []byte("220 mail.example ESMTP\r\n")},
				{From: golden.Client},
				{From: golden.Server, Data: []byte("250-mail.example\r\n250 STARTTLS\r\n")},
				{From: golden.Client},
				{From: golden.Server, Data: []byte("454 4.7.0 not now\r\n550 5.7.1 nor this\r\n")},
			}
			go func() { heard <- playServer(t.Context(), ln, turns) }()
			ts := &testServer{}
			c, _ := ts.newClient()
			c.required = tt.required
			err = c.send(t.Context(), addressOf(ln), sample("a@client.example", "b@mail.example"))
			assert.ErrorContains(t, err, tt.failing)
			assert.Equal(t, "EHLO client.example\r\nSTARTTLS\r\n"+tt.after, <-heard)
		})
	}
}

// strip relays one connection to addr and replaces text in what the server
// says.
func strip(t *testing.T, addr, old, replacement string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	server := dial(t, addr)
	go func() {
		defer close(done)
		client, err := ln.Accept()
		if err != nil {
			return
		}
		defer client.Close()
		go func() { // ends when either connection does
			io.Copy(server, client)
			server.Close()
		}()
		p := make([]byte, 4096)
		for {
			n, err := server.Read(p)
			if err != nil {
				return
			}
			io.WriteString(client, strings.ReplaceAll(string(p[:n]), old, replacement))
		}
	}()
	return ln.Addr().String()
}

func TestHostileClientsHarmNobodyElse(t *testing.T) {
	tests := []struct{ name, says, want string }{
		{"line without end", strings.Repeat("x", maxCommand+2), "500 5.5.2 line too long\r\n"},
		{"two commands to others", "EHLO c.example\nSTARTTLS\r\n", "500 5.5.2 bare CR or LF\r\n"},
		{"garbage", "\x00\xff\r\n", "500 5.5.1 unknown command\r\n"},
		{"out of order", "DATA\r\n", "503 5.5.1 MAIL and RCPT first\r\n"},
		{"plaintext where TLS was announced", "STARTTLS\r\n", "220 2.0.0 ready for TLS\r\n"},
	}
	ts := startServer(t)
	silent := dial(t, ts.addr)
	defer silent.Close()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn := dial(t, ts.addr)
			receiveReply(t, conn)
			_, err := io.WriteString(conn, tt.says)
			require.NoError(t, err)
			assert.Equal(t, tt.want, receiveReply(t, conn))
			if strings.HasPrefix(tt.want, "220") {
				_, err := io.WriteString(conn, "RSET\r\nMAIL FROM:<x@y.example>\r\n")
				require.NoError(t, err)
				rest, _ := io.ReadAll(conn)
				assert.NotContains(t, string(rest), "250")
			}
		})
	}
	c, _ := ts.newClient()
	require.NoError(t, c.send(t.Context(), ts.addr, sample("a@client.example", "b@mail.example")))
	ts.received(t)
}

func TestSmuggledMessageIsRefused(t *testing.T) {
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n"} {
		ts := startServer(t)
		conn := dial(t, ts.addr)
		receiveReply(t, conn)
		for _, line := range []string{"EHLO c.example", "MAIL FROM:<a@c.example>", "RCPT TO:<b@m.example>", "DATA"} {
			_, err := io.WriteString(conn, line+"\r\n")
			require.NoError(t, err)
			receiveReply(t, conn)
		}
		_, err := io.WriteString(conn, "one"+end+"MAIL FROM:<evil@c.example>\r\n.\r\n")
		require.NoError(t, err)
		assert.Equal(t, "550 5.6.11 bare CR or LF\r\n", receiveReply(t, conn), "%q", end)
		assert.Empty(t, ts.delivered)
		conn.Close()
	}
}
