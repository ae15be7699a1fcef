package starttls_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// stranger returns what a server needs to be somebody else.
func stranger(t *testing.T, leaf testpki.Leaf) *tls.Config {
	t.Helper()
	p, err := usual()
	require.NoError(t, err)
	cert, err := p.ca.Issue(leaf)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// assertRefused asserts that a client said nothing under TLS to a server.
func (r *running) assertRefused(t *testing.T, err error, out string) {
	t.Helper()
	require.Error(t, err, out)
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Empty(t, r.said)
}

func portOf(t *testing.T, r *running) string {
	t.Helper()
	_, port, err := net.SplitHostPort(r.addr)
	require.NoError(t, err)
	return port
}

func TestClientsRefuseAWrongName(t *testing.T) {
	gnutls, curl := peers.Program(t, "gnutls-cli", "gnutls-bin"), peers.Program(t, "curl", "curl")
	pem, cfg := files(t), stranger(t, testpki.WrongName)
	for _, f := range foreign {
		t.Run("gnutls-cli, "+f.name, func(t *testing.T) {
			r := serve(t, f.server(cfg), f.answer)
			out, err := peers.Command(limited(t), f.quit+"\n", gnutls, "--crlf", "--starttls-proto="+f.gnutls, "--port", portOf(t, r),
				"--x509cafile", pem.CA, "--verify-hostname=localhost", "--sni-hostname=localhost", "127.0.0.1")
			r.assertRefused(t, err, out)
		})
		if f.name == "LMTP" || f.name == "PostgreSQL" {
			continue // which curl does not speak
		}
		t.Run("curl, "+f.name, func(t *testing.T) {
			r := serve(t, f.server(cfg), f.answer)
			url := fmt.Sprintf("%s://localhost:%s/", strings.ToLower(f.name), portOf(t, r))
			out, err := peers.Command(limited(t), "", curl, "-sv", "--ssl-reqd", "--cacert", pem.CA, "--max-time", "60", url)
			r.assertRefused(t, err, out)
			assert.Contains(t, out, "no alternative certificate subject name matches")
		})
	}
}

// TestStunnelClient has stunnel do the dialogue with our servers for a client of ours
// in plaintext.
func TestStunnelClient(t *testing.T) {
	pem := files(t)
	protocols := map[string]string{"SMTP": "smtp", "IMAP": "imap", "POP3": "pop3", "PostgreSQL": "pgsql"}
	for _, f := range foreign {
		protocol, ok := protocols[f.name]
		if !ok {
			continue
		}
		through := func(t *testing.T, cfg *tls.Config) *running {
			t.Helper()
			r := serve(t, f.server(cfg), f.answer)
			ctx := limited(t)
			conn := dial(t, ctx, peers.Stunnel(t, pem, "127.0.0.1:1", r.addr, protocol).Plain)
			say(t, ctx, conn, f.quit+"\r\n")
			rest(ctx, conn)
			return r
		}
		for name, version := range versions {
			t.Run(f.name+", "+name, func(t *testing.T) {
				cfg, _ := configs(t, version)
				through(t, cfg).has(t, f.quit, name)
			})
		}
		t.Run(f.name+", another name", func(t *testing.T) {
			r := through(t, stranger(t, testpki.WrongName))
			r.mu.Lock()
			defer r.mu.Unlock()
			assert.Empty(t, r.said)
		})
	}
}

func TestSwaksDeliversByLMTP(t *testing.T) {
	swaks := peers.Program(t, "swaks", "swaks libnet-ssleay-perl")
	pem := files(t)
	args := []string{
		"--protocol", "LMTP", "--server", "127.0.0.1", "--tls", "--tls-ca-path", pem.CA, "--tls-verify", "--tls-sni", "localhost",
		"--ehlo", "c.example", "--from", "a@c.example", "--to", "b@localhost", "--quit-after", "RCPT", "--port",
	}
	cfg, _ := configs(t, tls.VersionTLS13)
	r := serve(t, foreign[1].server(cfg), "250 ok")
	out, err := peers.Command(limited(t), "", swaks, append(args, portOf(t, r))...)
	require.NoError(t, err, out)
	r.has(t, "MAIL FROM:<a@c.example>", "TLS 1.3")

	// Of a name swaks takes no notice.
	r = serve(t, foreign[1].server(stranger(t, testpki.SelfSigned)), "250 ok")
	out, err = peers.Command(limited(t), "", swaks, append(args, portOf(t, r))...)
	require.Error(t, err, out)
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Empty(t, r.said)
}

// backend is as much of PostgreSQL as psql needs to think that a query was run.
func backend(ctx context.Context, s *buffered.Stream, r *running) error {
	var length [4]byte
	message := func() ([]byte, error) {
		if err := s.ReceiveExactly(ctx, length[:]); err != nil {
			return nil, err
		}
		body := make([]byte, binary.BigEndian.Uint32(length[:])-4)
		return body, s.ReceiveExactly(ctx, body)
	}
	startup, err := message()
	if err != nil {
		return err
	}
	r.note(strings.ReplaceAll(string(startup[4:]), "\x00", " "))
	if _, err := s.Send(ctx, []byte("R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I")); err != nil {
		return err
	}
	for {
		var kind [1]byte
		if err := s.ReceiveExactly(ctx, kind[:]); err != nil {
			return err
		}
		body, err := message()
		if err != nil || kind[0] == 'X' {
			return err
		}
		r.note(string(body))
		if _, err := s.Send(ctx, []byte("C\x00\x00\x00\x0bSELECT\x00Z\x00\x00\x00\x05I")); err != nil {
			return err
		}
	}
}

func TestPsql(t *testing.T) {
	psql := peers.Program(t, "psql", "postgresql")
	pem := files(t)
	query := func(t *testing.T, r *running) (string, error) {
		conninfo := "host=localhost hostaddr=127.0.0.1 port=" + portOf(t, r) + " user=bob dbname=d sslmode=verify-full sslrootcert=" + pem.CA
		return peers.Command(limited(t), "", psql, conninfo, "--no-psqlrc", "-c", "select 1")
	}
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			cfg, _ := configs(t, version)
			r := serveTalk(t, foreign[4].server(cfg), backend)
			out, err := query(t, r)
			require.NoError(t, err, out)
			r.has(t, "select 1\x00", name)
		})
	}
	t.Run("another name", func(t *testing.T) {
		r := serveTalk(t, foreign[4].server(stranger(t, testpki.WrongName)), backend)
		out, err := query(t, r)
		r.assertRefused(t, err, out)
	})
}

// An ftpServer is as much of one as curl needs to get a file and to put one.
type ftpServer struct {
	cfg  *tls.Config
	file []byte
	put  chan string
}

// negotiate is the server's side of AUTH TLS.
func (f *ftpServer) negotiate(ctx context.Context, conn stream.ByteStream) (*buffered.Stream, error) {
	s := buffered.New(conn, nil)
	if _, err := s.Send(ctx, []byte("220 ready\r\n")); err != nil {
		return nil, err
	}
	for line, err := range s.Until(ctx, []byte("\r\n"), 1000) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(string(line), "AUTH ") {
			break
		}
		if _, err := s.Send(ctx, []byte("530 first AUTH TLS\r\n")); err != nil {
			return nil, err
		}
	}
	if _, err := s.Send(ctx, []byte("234 go\r\n")); err != nil {
		return nil, err
	}
	c, err := tls.UpgradeServer(ctx, s, f.cfg, nil)
	if err != nil {
		return nil, err
	}
	return buffered.New(c, nil), nil
}

func (f *ftpServer) talk(ctx context.Context, s *buffered.Stream, r *running) error {
	data, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	defer data.Close()
	for line, err := range s.Until(ctx, []byte("\r\n"), 1000) {
		if err != nil {
			return err
		}
		r.note(string(line))
		verb, _, _ := strings.Cut(string(line), " ")
		answer := "200 ok"
		switch verb {
		case "USER":
			answer = "331 and the password"
		case "PASS":
			answer = "230 welcome"
		case "PWD":
			answer = `257 "/"`
		case "EPSV":
			addr, _ := tcp.LocalAddrPort.Lookup(data)
			answer = fmt.Sprintf("229 here (|||%d|)", addr.Port())
		case "RETR", "STOR":
			if err := f.transfer(ctx, s, data, verb == "STOR"); err != nil {
				return err
			}
			answer = "226 done"
		}
		if _, err := s.Send(ctx, []byte(answer+"\r\n")); err != nil || verb == "QUIT" {
			return err
		}
	}
	return nil
}

// transfer does the handshake on the data connection once curl was told to begin.
func (f *ftpServer) transfer(ctx context.Context, s *buffered.Stream, data *tcp.Listener, put bool) error {
	conn, err := data.Accept(ctx)
	if err != nil {
		return err
	}
	if _, err := s.Send(ctx, []byte("150 begin\r\n")); err != nil {
		return err
	}
	c, err := tls.WrapServer(ctx, conn, f.cfg, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if put {
		f.put <- rest(ctx, c)
		return nil
	}
	if _, err := c.Send(ctx, f.file); err != nil {
		return err
	}
	return c.Shutdown(ctx)
}

func TestCurlGetsAndPutsByFTP(t *testing.T) {
	curl, pem := peers.Program(t, "curl", "curl"), files(t)
	file := strings.Repeat("through TLS\n", 50_000)
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			cfg, _ := configs(t, version)
			f := &ftpServer{cfg: cfg, file: []byte(file), put: make(chan string, 1)}
			r := serveTalk(t, f.negotiate, f.talk)
			args := []string{"-s", "-S", "--ssl-reqd", "--cacert", pem.CA, "--max-time", "60"}
			url := "ftp://localhost:" + portOf(t, r) + "/file"
			out, err := peers.Command(limited(t), "", curl, append(args, url)...)
			require.NoError(t, err)
			assert.True(t, file == out, "the file, and not %d bytes", len(out))
			out, err = peers.Command(limited(t), file, curl, append(args, "-T", "-", url)...)
			require.NoError(t, err, out)
			assert.True(t, file == <-f.put, "the file")
			r.has(t, "PROT P", name)
		})
	}
	t.Run("another name", func(t *testing.T) {
		f := &ftpServer{cfg: stranger(t, testpki.WrongName)}
		r := serveTalk(t, f.negotiate, f.talk)
		out, err := peers.Command(limited(t), "", curl, "-sS", "--ssl-reqd", "--cacert", pem.CA, "--max-time", "60", "ftp://localhost:"+portOf(t, r)+"/file")
		r.assertRefused(t, err, out)
	})
}
