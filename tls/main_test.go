package tls_test

import (
	"context"
	cryptotls "crypto/tls"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// versions are those that every test runs over.
var versions = []struct {
	name    string
	version uint16
}{
	{"TLS 1.2", tls.VersionTLS12},
	{"TLS 1.3", tls.VersionTLS13},
}

// A pki is an authority with the usual certificates, made at one time.
type pki struct {
	ca             *testpki.CA
	server, client tls.Certificate
}

func newPKI(now time.Time) (*pki, error) {
	ca, err := testpki.New(now)
	if err != nil {
		return nil, err
	}
	p := &pki{ca: ca}
	if p.server, err = ca.Issue(testpki.Server); err != nil {
		return nil, err
	}
	p.client, err = ca.Issue(testpki.Client)
	return p, err
}

// usual is the pki for tests in real time, and bubble the one for those in
// a synctest bubble, whose clock starts in 2000.
var (
	usual  = sync.OnceValues(func() (*pki, error) { return newPKI(time.Now()) })
	bubble = sync.OnceValues(func() (*pki, error) {
		return newPKI(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	})
)

// configs returns what a server and a client need to talk version.
func (p *pki) configs(version uint16) (server, client *tls.Config) {
	server = &tls.Config{
		Certificates: []tls.Certificate{p.server},
		MinVersion:   version, MaxVersion: version,
	}
	client = &tls.Config{
		RootCAs: p.ca.Pool(), ServerName: "localhost",
		MinVersion: version, MaxVersion: version,
		ClientSessionCache: forgetful{},
	}
	return server, client
}

// forgetful is a session cache that makes servers send tickets, and never
// resumes a session.
type forgetful struct{}

func (forgetful) Get(string) (*cryptotls.ClientSessionState, bool) { return nil, false }
func (forgetful) Put(string, *cryptotls.ClientSessionState)        {}

func usualConfigs(tb testing.TB, version uint16) (server, client *tls.Config) {
	tb.Helper()
	p, err := usual()
	require.NoError(tb, err)
	return p.configs(version)
}

func bubbleConfigs(tb testing.TB, version uint16) (server, client *tls.Config) {
	tb.Helper()
	p, err := bubble()
	require.NoError(tb, err)
	return p.configs(version)
}

// wrap does the handshakes of a client over a and a server over b.
func wrap(ctx context.Context, a, b stream.ByteStream, server, client *tls.Config, opt *tls.Options) (*tls.Conn, *tls.Conn, error) {
	type result struct {
		c   *tls.Conn
		err error
	}
	served := make(chan result, 1)
	go func() {
		c, err := tls.WrapServer(ctx, b, server, opt)
		served <- result{c, err}
	}()
	c, err := tls.WrapClient(ctx, a, client, opt)
	r := <-served
	if err == nil && r.err == nil {
		return c, r.c, nil
	}
	if err == nil {
		c.Close()
		err = r.err
	}
	if r.err == nil {
		r.c.Close()
	}
	return nil, nil, err
}

// pair returns a client and a server over a pipe of the given size.
func pair(tb testing.TB, version uint16, pipe *memory.Config, opt *tls.Options) (client, server *tls.Conn) {
	tb.Helper()
	serverConfig, clientConfig := usualConfigs(tb, version)
	a, b := memory.Pipe(pipe)
	client, server, err := wrap(tb.Context(), a, b, serverConfig, clientConfig, opt)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

// canceledSoon returns a context that is done as soon as nothing else in the
// bubble goes on.
func canceledSoon(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), time.Nanosecond)
}
