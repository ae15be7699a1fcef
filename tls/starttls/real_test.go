package starttls_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// A talk is what a client says once under TLS, and how the last lines of the answers
// begin.
type talk [][2]string

var (
	smtpTalk = talk{{"MAIL FROM:<a@c.example>", "250"}, {"RCPT TO:<b@localhost>", "250"}, {"RSET", "250"}, {"QUIT", "221"}}
	imapTalk = talk{{"a1 LOGIN bob secret", "a1 OK"}, {"a2 LOGOUT", "a2 OK"}}
	pop3Talk = talk{{"USER bob", "+OK"}, {"PASS secret", "+OK"}, {"STAT", "+OK"}, {"QUIT", "+OK"}}
	// The password is "bob" and "secret", each behind a zero.
	sieveTalk = talk{{`AUTHENTICATE "PLAIN" "AGJvYgBzZWNyZXQ="`, "OK"}, {"LISTSCRIPTS", "OK"}, {"LOGOUT", "OK"}}
	nntpTalk  = talk{{"LIST ACTIVE", "local.test "}, {"QUIT", "205"}}
	ircTalk   = talk{{"NICK bob\r\nUSER bob 0 * :Bob", ":irc.localhost 001 bob"}, {"QUIT :bye", "ERROR"}}
)

// A realServer is one of others, for our clients.
type realServer struct {
	client func(*tls.Config) negotiator
	addr   string
	talk   talk

	// binary is the talk of a protocol without lines: what the client says,
	// and how the answer begins.
	binary [2]string

	bye  string // said last
	ends bool   // after all that the server ends the connection
}

// testServer has the whole conversation over both versions, and a wrong name.
func testServer(t *testing.T, r realServer) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			ctx := limited(t)
			_, cfg := configs(t, version)
			s, err := r.client(cfg)(ctx, dial(t, ctx, r.addr))
			require.NoError(t, err)
			requireTLS(t, s)
			got, err := tls.Version.Get(s)
			require.NoError(t, err)
			assert.Equal(t, name, got.String())
			for _, turn := range r.talk {
				say(t, ctx, s, turn[0]+"\r\n")
				answered := false
				for line, err := range s.Until(ctx, []byte("\r\n"), 4096) {
					require.NoError(t, err)
					if answered = strings.HasPrefix(string(line), turn[1]); answered {
						break
					}
				}
				require.True(t, answered, turn[0])
			}
			if r.binary[0] != "" {
				say(t, ctx, s, r.binary[0])
				answer := make([]byte, len(r.binary[1]))
				require.NoError(t, s.ReceiveExactly(ctx, answer))
				assert.Equal(t, r.binary[1], string(answer))
			}
			if r.bye != "" {
				say(t, ctx, s, r.bye)
			}
			if r.ends {
				assertEnds(t, ctx, s)
			}
			require.NoError(t, s.Close())
		})
	}
	t.Run("another name", func(t *testing.T) {
		ctx := limited(t)
		_, cfg := configs(t, 0)
		cfg.ServerName = "other.example"
		_, err := r.client(cfg)(ctx, dial(t, ctx, r.addr))
		var he *tls.HandshakeError
		require.ErrorAs(t, err, &he)
		assert.Equal(t, "other.example", he.ServerName)
	})
}

// assertEnds asserts that the server ends the connection, with close_notify.
func assertEnds(t *testing.T, ctx context.Context, s *buffered.Stream) {
	t.Helper()
	rest(ctx, s)
	clean, err := tls.EndedCleanly.Get(s)
	require.NoError(t, err)
	assert.True(t, clean)
}

func smtpClient(cfg *tls.Config) negotiator { return starttls.SMTP{Name: "c.example", TLS: cfg}.Client }
func imapClient(cfg *tls.Config) negotiator { return starttls.IMAP{TLS: cfg}.Client }
func pop3Client(cfg *tls.Config) negotiator { return starttls.POP3{TLS: cfg}.Client }

func pgClient(cfg *tls.Config) negotiator   { return starttls.PostgreSQL{TLS: cfg}.Client }
func ldapClient(cfg *tls.Config) negotiator { return starttls.LDAP{TLS: cfg}.Client }

func TestSlapd(t *testing.T) {
	const (
		bye  = "\x30\x05\x02\x01\x03\x42\x00" // unbind
		bind = "\x30\x21\x02\x01\x02\x60\x1c\x02\x01\x03\x04\x10cn=admin,dc=test\x80\x05right"
		yes  = "\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00"
	)
	testServer(t, realServer{client: ldapClient, addr: peers.Slapd(t, files(t), "right"), binary: [2]string{bind, yes}, bye: bye, ends: true})
}

func TestPostgreSQL(t *testing.T) {
	const (
		startup = "\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00"
		bye     = "X\x00\x00\x00\x04"
		yes     = "R\x00\x00\x00\x08\x00\x00\x00\x00" // AuthenticationOk
	)
	testServer(t, realServer{client: pgClient, addr: peers.PostgreSQL(t, files(t)), binary: [2]string{startup, yes}, bye: bye, ends: true})
}

func TestMariaDB(t *testing.T) {
	const (
		capabilities = "\x00\x82\x08\x00" // CLIENT_PROTOCOL_41, _SECURE_CONNECTION, _PLUGIN_AUTH
		filler       = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		response     = capabilities + "\xff\xff\xff\x00\x2d" + filler + "root\x00\x00mysql_native_password\x00"
		yes          = "\x07\x00\x00\x03\x00\x00\x00" // number 3, OK
	)
	client := func(cfg *tls.Config) negotiator {
		return func(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
			s, err := starttls.MySQL{TLS: cfg}.Client(ctx, conn)
			if err == nil {
				greeting, err := starttls.Greeting.Get(s)
				require.NoError(t, err)
				assert.Contains(t, greeting.ServerVersion, "MariaDB")
				assert.Equal(t, "mysql_native_password", greeting.AuthPlugin)
				assert.Len(t, greeting.AuthData, 20)
			}
			return s, err
		}
	}
	testServer(t, realServer{client: client, addr: peers.MariaDB(t, files(t)), binary: [2]string{string(rune(len(response))) + "\x00\x00\x02" + response, yes}})
}

func TestProsody(t *testing.T) {
	servers := peers.Prosody(t, files(t))
	for addr, toServer := range map[string]bool{servers.Clients: false, servers.Servers: true} {
		testServer(t, realServer{addr: addr, client: func(cfg *tls.Config) negotiator {
			return func(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
				p := starttls.XMPP{To: "localhost", TLS: cfg, ServerToServer: toServer}
				if toServer {
					p.From = "other.example"
				}
				s, err := p.Client(ctx, conn)
				if err == nil && !toServer {
					list, _ := starttls.Capabilities.Get(s)
					_, ok := list.Param("mechanisms")
					assert.True(t, ok, "%q", list)
				}
				return s, err
			}
		}, binary: [2]string{"</stream:stream>", "</stream:stream>"}, ends: true})
	}
}

func TestDovecot(t *testing.T) {
	mail := peers.Dovecot(t, files(t))
	t.Run("IMAP", func(t *testing.T) {
		testServer(t, realServer{client: imapClient, addr: mail.IMAP, talk: imapTalk, ends: true})
	})
	t.Run("POP3", func(t *testing.T) {
		testServer(t, realServer{client: pop3Client, addr: mail.POP3, talk: pop3Talk, ends: true})
	})
	t.Run("ManageSieve", func(t *testing.T) {
		client := func(cfg *tls.Config) negotiator { return wants(starttls.ManageSieve{TLS: cfg}.Client, "SASL") }
		testServer(t, realServer{client: client, addr: mail.Sieve, talk: sieveTalk, ends: true})
	})
}

func TestNnrpd(t *testing.T) {
	client := func(cfg *tls.Config) negotiator { return wants(starttls.NNTP{TLS: cfg}.Client, "READER") }
	testServer(t, realServer{client: client, addr: peers.Nnrpd(t, files(t)), talk: nntpTalk, ends: true})
}

func TestInspIRCd(t *testing.T) {
	client := func(cfg *tls.Config) negotiator { return starttls.IRC{TLS: cfg}.Client }
	testServer(t, realServer{client: client, addr: peers.InspIRCd(t, files(t)), talk: ircTalk, ends: true})
}

// wants is a client that wants the server to name a capability under TLS, and STARTTLS
// no more.
func wants(client negotiator, capability string) negotiator {
	return func(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
		s, err := client(ctx, conn)
		if err != nil {
			return nil, err
		}
		list, _ := starttls.Capabilities.Lookup(s)
		_, has := list.Param(capability)
		_, again := list.Param("STARTTLS")
		if !has || again {
			return nil, fmt.Errorf("under TLS the server names %q", list)
		}
		return s, nil
	}
}

func TestPostfix(t *testing.T) {
	testServer(t, realServer{client: smtpClient, addr: peers.Postfix(t, files(t)), talk: smtpTalk, ends: true})
}

// TestStunnel has stunnel do the dialogue in front of a plain server of ours.
func TestStunnel(t *testing.T) {
	unused := new(tls.Config) // stunnel does TLS
	tests := []struct {
		protocol string
		client   func(*tls.Config) negotiator
		plain    func() negotiator
		answer   string
		talk     talk
	}{
		{"smtp", smtpClient, func() negotiator { return starttls.SMTP{Policy: starttls.Opportunistic, TLS: unused}.Server }, "250 ok", smtpTalk[:1]},
		{"imap", imapClient, func() negotiator { return starttls.IMAP{Policy: starttls.Opportunistic, TLS: unused}.Server }, "a1 OK done", imapTalk[:1]},
		{"pgsql", pgClient, func() negotiator { return starttls.PostgreSQL{Policy: starttls.Opportunistic, TLS: unused}.Server }, "ok", talk{{"startup", "ok"}}},
		{"pop3", pop3Client, func() negotiator { return starttls.POP3{Policy: starttls.Opportunistic, TLS: unused}.Server }, "+OK", pop3Talk[:1]},
	}
	for _, tt := range tests {
		t.Run(tt.protocol, func(t *testing.T) {
			addr := serve(t, tt.plain(), tt.answer)
			testServer(t, realServer{client: tt.client, addr: peers.Stunnel(t, files(t), addr.addr, "127.0.0.1:1", tt.protocol).TLS, talk: tt.talk})
		})
	}
}

// A running server is one of ours for clients of others.
type running struct {
	addr string
	mu   sync.Mutex
	errs []error
	said []string // the lines that clients sent after the negotiation
	tls  []string // the versions
}

// serve runs a server until the end of the test, which gives the answer to each line.
func serve(t *testing.T, side negotiator, answer string) *running {
	t.Helper()
	return serveTalk(t, side, func(ctx context.Context, s *buffered.Stream, r *running) error {
		return r.talk(ctx, s, answer)
	})
}

// serveTalk runs a server until the end of the test, which has a talk after the
// negotiation.
func serveTalk(t *testing.T, side negotiator, talk func(context.Context, *buffered.Stream, *running) error) *running {
	t.Helper()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	addr, err := tcp.LocalAddr.Get(ln)
	require.NoError(t, err)
	r := &running{addr: addr.String()}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- listener.Serve(ctx, ln, func(ctx context.Context, conn *tcp.Conn) error {
			s, err := side(ctx, conn)
			if err == nil {
				r.under(s)
				err = talk(ctx, s, r)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.errs = append(r.errs, err)
			return nil
		}, nil)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return r
}

// under notes the version of TLS that s is under.
func (r *running) under(s *buffered.Stream) {
	if v, ok := tls.Version.Lookup(s); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tls = append(r.tls, v.String())
	}
}

func (r *running) note(said string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, said)
}

func (r *running) talk(ctx context.Context, s *buffered.Stream, answer string) error {
	for line, err := range s.Until(ctx, []byte("\r\n"), 8192) {
		if err != nil {
			return err
		}
		r.note(string(line))
		if _, err := s.Send(ctx, []byte(reply(string(line), answer)+"\r\n")); err != nil {
			return err
		}
		if strings.Contains(string(line), "QUIT") || strings.Contains(string(line), "LOGOUT") {
			return s.Shutdown(ctx)
		}
	}
	return nil
}

// reply answers a line of any of the mail protocols just so that clients go on.
func reply(line, answer string) string {
	verb, rest, _ := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(rest, "CAPABILITY"):
		return "* CAPABILITY IMAP4rev1\r\n" + verb + " OK done"
	case strings.HasPrefix(rest, "LOGOUT"):
		return "* BYE bye\r\n" + verb + " OK done"
	case strings.HasPrefix(answer, "*"):
		return verb + " OK done"
	case verb == "QUIT" && strings.HasPrefix(answer, "250"):
		return "221 bye"
	case verb == "DATA":
		return "354 go on"
	case verb == "CAPA":
		return "+OK\r\nUSER\r\n."
	case verb == "LIST" && strings.HasPrefix(answer, "+"):
		return "+OK\r\n1 10\r\n."
	}
	return answer
}

func (r *running) has(t *testing.T, line, version string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Contains(t, r.said, line, "%v", r.errs)
	assert.Contains(t, r.tls, version)
}

// services that clients of others know, with what these clients call them.
var foreign = []struct {
	name, openssl, gnutls string
	answer                string
	server                func(*tls.Config) negotiator
	quit                  string
}{
	{"SMTP", "smtp", "smtp", "250 ok", func(cfg *tls.Config) negotiator { return starttls.SMTP{TLS: cfg}.Server }, "QUIT"},
	{"LMTP", "lmtp", "lmtp", "250 ok", func(cfg *tls.Config) negotiator { return starttls.LMTP{TLS: cfg}.Server }, "QUIT"},
	{"IMAP", "imap", "imap", "* OK", func(cfg *tls.Config) negotiator { return starttls.IMAP{TLS: cfg}.Server }, "a LOGOUT"},
	{"POP3", "pop3", "pop3", "+OK", func(cfg *tls.Config) negotiator { return starttls.POP3{TLS: cfg}.Server }, "QUIT"},
	{"PostgreSQL", "postgres", "postgres", "ok", func(cfg *tls.Config) negotiator { return starttls.PostgreSQL{TLS: cfg}.Server }, "QUIT"},
}

func TestOpensslClient(t *testing.T) {
	openssl := peers.Program(t, "openssl", "openssl")
	pem := files(t)
	for _, f := range foreign {
		for version, flag := range map[uint16]string{tls.VersionTLS12: "-tls1_2", tls.VersionTLS13: "-tls1_3"} {
			t.Run(f.name+flag, func(t *testing.T) {
				cfg, _ := configs(t, version)
				r := serve(t, f.server(cfg), f.answer)
				out, err := peers.Command(limited(t), f.quit+"\r\n", openssl, "s_client", "-starttls", f.openssl, "-connect", r.addr,
					"-CAfile", pem.CA, "-verify_hostname", "localhost", "-servername", "localhost", "-verify_return_error", "-quiet", flag)
				require.NoError(t, err, out)
				r.has(t, f.quit, strings.ReplaceAll(strings.Replace(flag, "-tls", "TLS ", 1), "_", "."))
			})
		}
		t.Run(f.name+" another name", func(t *testing.T) {
			cfg, _ := configs(t, 0)
			r := serve(t, f.server(cfg), f.answer)
			out, err := peers.Command(limited(t), f.quit+"\r\n", openssl, "s_client", "-starttls", f.openssl, "-connect", r.addr,
				"-CAfile", pem.CA, "-verify_hostname", "other.example", "-verify_return_error", "-quiet")
			require.Error(t, err, out)
			assert.Empty(t, r.said)
		})
	}
}

func TestGnutlsClient(t *testing.T) {
	gnutls := peers.Program(t, "gnutls-cli", "gnutls-bin")
	pem := files(t)
	for _, f := range foreign {
		for name, priority := range map[string]string{"TLS 1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS 1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"} {
			t.Run(f.name+" "+name, func(t *testing.T) {
				cfg, _ := configs(t, 0)
				r := serve(t, f.server(cfg), f.answer)
				host, port, err := net.SplitHostPort(r.addr)
				require.NoError(t, err)
				out, err := peers.Command(limited(t), f.quit+"\n", gnutls, "--crlf", "--starttls-proto="+f.gnutls, "--port", port,
					"--x509cafile", pem.CA, "--verify-hostname=localhost", "--sni-hostname=localhost", "--priority", priority, host)
				require.NoError(t, err, out)
				r.has(t, f.quit, name)
			})
		}
	}
}

func TestCurl(t *testing.T) {
	curl := peers.Program(t, "curl", "curl")
	pem := files(t)
	tests := []struct {
		i    int
		args []string
	}{
		{0, []string{"--mail-from", "a@c.example", "--mail-rcpt", "b@localhost", "-X", "NOOP"}},
		{2, []string{"-X", "NOOP"}},
		{3, []string{"-X", "NOOP", "-I"}}, // -I: an answer of one line
	}
	for _, tt := range tests {
		f := foreign[tt.i]
		for name, max := range map[string]string{"TLS 1.2": "1.2", "TLS 1.3": "1.3"} {
			t.Run(f.name+" "+name, func(t *testing.T) {
				cfg, _ := configs(t, 0)
				r := serve(t, f.server(cfg), f.answer)
				_, port, err := net.SplitHostPort(r.addr)
				require.NoError(t, err)
				args := append([]string{"-sv", "--ssl-reqd", "--cacert", pem.CA, "--tls-max", max, "--max-time", "60"}, tt.args...)
				out, err := peers.Command(limited(t), "", curl, append(args, fmt.Sprintf("%s://localhost:%s/", strings.ToLower(f.name), port))...)
				require.NoError(t, err, out)
				r.mu.Lock()
				defer r.mu.Unlock()
				require.Equal(t, []string{name}, r.tls, out)
				require.NotEmpty(t, r.said)
			})
		}
	}
}

func TestSwaks(t *testing.T) {
	swaks := peers.Program(t, "swaks", "swaks libnet-ssleay-perl")
	pem := files(t)
	for name, flag := range map[string]string{"TLS 1.2": "tlsv1_2", "TLS 1.3": "tlsv1_3"} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := configs(t, 0)
			r := serve(t, foreign[0].server(cfg), "250 ok")
			host, port, err := net.SplitHostPort(r.addr)
			require.NoError(t, err)
			out, err := peers.Command(limited(t), "", swaks, "--server", host, "--port", port, "--tls", "--tls-protocol", flag,
				"--tls-ca-path", pem.CA, "--tls-verify", "--tls-sni", "localhost", "--ehlo", "c.example",
				"--from", "a@c.example", "--to", "b@localhost", "--quit-after", "RCPT")
			require.NoError(t, err, out)
			r.has(t, "MAIL FROM:<a@c.example>", name)
		})
	}
}
