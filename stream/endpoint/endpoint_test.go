package endpoint_test

import (
	"context"
	cryptotls "crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/endpoint"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/unix"
)

// builtIn are endpoints of each kind to listen at. Those with a path want a
// directory.
var builtIn = []struct {
	uri  string
	want stream.ByteStream // the type of what is made
}{
	{"tcp://127.0.0.1:0", (*tcp.Conn)(nil)},
	{"tcp://[::1]:0", (*tcp.Conn)(nil)},
	{"tcp://:0", (*tcp.Conn)(nil)},
	{"unix:DIR/a.sock", (*unix.Conn)(nil)},
	{"unix://DIR/b.sock", (*unix.Conn)(nil)},
	{"unix:DIR/%3F%23%25%FF c", (*unix.Conn)(nil)},
	{"tls+tcp://127.0.0.1:0", (*tls.Conn)(nil)},
	{"tls+unix:DIR/d.sock", (*tls.Conn)(nil)},
}

func TestStreamsConnectWhereTheListenerListens(t *testing.T) {
	server, client := configs()
	named := client.Clone()
	named.ServerName = "localhost"
	dir := t.TempDir()
	for _, tt := range builtIn {
		t.Run(tt.uri, func(t *testing.T) {
			ln := listen(t, strings.Replace(tt.uri, "DIR", dir, 1), &endpoint.ListenConfig{TLS: server})
			a, b := connect(t, ln, ln.URI(), &endpoint.DialConfig{TLS: named})
			assert.IsType(t, tt.want, a)
			assert.IsType(t, tt.want, b)
			assertCarries(t, a, b)
		})
	}
}

func TestURIIsAsGivenButForWhatTheSystemChose(t *testing.T) {
	ln := listen(t, "tcp://localhost:0", nil)
	addr, err := tcp.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	port := strconv.Itoa(int(addr.Port()))
	assert.Equal(t, "tcp://localhost:"+port, ln.URI())
	assert.Equal(t, "tcp://127.0.0.2:"+port, listen(t, "TCP://127.0.0.2:"+port, nil).URI())

	ln = listen(t, "tcp://:0", nil)
	addr, err = tcp.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	assert.Equal(t, "tcp://"+addr.String(), ln.URI())

	uri := "unix:" + filepath.Join(t.TempDir(), "a%20b")
	assert.Equal(t, uri, listen(t, uri, nil).URI())
}

func TestAbstractNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux has abstract names")
	}
	ln := listen(t, "unix:", nil) // one that the kernel chooses
	assert.Regexp(t, "^unix:@[0-9a-f]+$", ln.URI())
	a, b := connect(t, ln, ln.URI(), nil)
	assertCarries(t, a, b)

	own := ln.URI() + "?own"
	_, err := endpoint.Listen(t.Context(), own, nil)
	require.ErrorContains(t, err, "%3F")
	ln = listen(t, strings.Replace(own, "?", "%3F", 1), nil)
	a, b = connect(t, ln, strings.Replace(ln.URI(), "@", "%00", 1), nil)
	assertCarries(t, a, b)
}

func TestHostIsTheNameThatTLSVerifies(t *testing.T) {
	server, client := configs()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		ln := listen(t, "tls+tcp://"+host+":0", &endpoint.ListenConfig{TLS: server})
		a, b := connect(t, ln, ln.URI(), &endpoint.DialConfig{TLS: client})
		assertCarries(t, a, b)
	}

	ln := listen(t, "tls+tcp://127.0.0.2:0", &endpoint.ListenConfig{TLS: server})
	go ln.Accept(t.Context()) // ends when the listener closes
	c, err := endpoint.NewConnector(ln.URI(), &endpoint.DialConfig{TLS: client})
	require.NoError(t, err)
	_, err = c.Connect(t.Context())
	_, ok := errors.AsType[x509.HostnameError](err)
	assert.True(t, ok, "%v", err)
}

func TestTLSOverAUnixSocketNeedsAServerName(t *testing.T) {
	server, client := configs()
	ln := listen(t, "tls+unix:"+filepath.Join(t.TempDir(), "s"), &endpoint.ListenConfig{TLS: server})
	c, err := endpoint.NewConnector(ln.URI(), &endpoint.DialConfig{TLS: client})
	require.NoError(t, err)
	s, err := c.Connect(t.Context())
	assert.ErrorContains(t, err, "set Config.ServerName")
	assert.Nil(t, s)
}

func TestTLSIsVerifiedWithoutAnyConfig(t *testing.T) {
	server, _ := configs()
	ln := listen(t, "tls+tcp://127.0.0.1:0", &endpoint.ListenConfig{TLS: server})
	go ln.Accept(t.Context()) // ends when the listener closes
	c, err := endpoint.NewConnector(ln.URI(), nil)
	require.NoError(t, err)
	_, err = c.Connect(t.Context())
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	assert.True(t, ok, "%v", err)
}

func TestCertificateThatIsNotTrustedEndsTheConnectionBelow(t *testing.T) {
	server, _ := configs()
	ln, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	defer ln.Close()
	addr, err := tcp.LocalAddr.Get(ln)
	require.NoError(t, err)
	c, err := endpoint.NewConnector("tls+tcp://"+addr.String(), nil)
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Connect(t.Context())
		failed <- err
	}()
	s, err := ln.Accept(t.Context())
	require.NoError(t, err)
	conn := netconn.From(s)
	defer conn.Close()
	require.Error(t, cryptotls.Server(conn, server).HandshakeContext(t.Context()), "which leaves the connection open here")
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "the client has closed it")
	_, ok := errors.AsType[x509.UnknownAuthorityError](<-failed)
	assert.True(t, ok, "%v", err)
}

func TestServerWithoutACertificateIsRefusedBeforeItListens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	_, err := endpoint.Listen(t.Context(), "tls+unix:"+path, nil)
	require.ErrorContains(t, err, "ListenConfig.TLS is nil")
	assert.NoFileExists(t, path)
}

func TestConfigsReachTheirTransport(t *testing.T) {
	server, client := configs()
	failed := make(chan error, 1)
	ln := listen(t, "tls+tcp://127.0.0.1:0", &endpoint.ListenConfig{
		TLS:        server,
		TLSOptions: tls.Options{OnError: func(_ stream.ByteStream, err error) { failed <- err }},
	})
	go ln.Accept(t.Context()) // ends when the listener closes
	c, err := endpoint.NewConnector("tcp"+strings.TrimPrefix(ln.URI(), "tls+tcp"), &endpoint.DialConfig{
		TCP: tcp.DialConfig{LocalAddr: netip.MustParseAddrPort("127.0.0.3:0")},
	})
	require.NoError(t, err)
	s, err := c.Connect(t.Context())
	require.NoError(t, err)
	addr, _ := tcp.LocalAddrPort.Lookup(s)
	assert.Equal(t, "127.0.0.3", addr.Addr().String())
	require.NoError(t, s.Close())
	_, ok := errors.AsType[*tls.HandshakeError](<-failed)
	assert.True(t, ok, "TLSOptions.OnError is told")

	path := filepath.Join(t.TempDir(), "s")
	ln = listen(t, "unix:"+path, &endpoint.ListenConfig{Unix: unix.ListenConfig{KeepFile: true}})
	a, b := connect(t, ln, ln.URI(), &endpoint.DialConfig{TLS: client, Unix: unix.DialConfig{LocalName: path + "2"}})
	assert.IsType(t, (*unix.Conn)(nil), a, "the scheme alone decides whether there is TLS")
	from, _ := unix.RemoteAddr.Lookup(b)
	assert.Equal(t, path+"2", from.String())
	require.NoError(t, ln.Close())
	assert.FileExists(t, path)
}

// inMemory returns configurations with a scheme "memory" that leads to ln.
func inMemory(name string, ln *memory.Listener) (*endpoint.DialConfig, *endpoint.ListenConfig) {
	return &endpoint.DialConfig{
			Schemes: map[string]func(endpoint.Address) (stream.Connector[stream.ByteStream], error){
				name: func(endpoint.Address) (stream.Connector[stream.ByteStream], error) { return endpoint.Of(ln), nil },
			},
		}, &endpoint.ListenConfig{
			Schemes: map[string]func(context.Context, endpoint.Address) (stream.Listener[stream.ByteStream], error){
				name: func(context.Context, endpoint.Address) (stream.Listener[stream.ByteStream], error) {
					return listener.Of(ln), nil
				},
			},
		}
}

func TestTLSGoesOverSchemesOfTheCaller(t *testing.T) {
	dial, serve := inMemory("memory", memory.Listen(nil))
	server, client := configs()
	serve.TLS, dial.TLS = server, client.Clone()
	dial.TLS.ServerName = "localhost"
	ln := listen(t, "tls+memory:any", serve)
	assert.Equal(t, "tls+memory:any", ln.URI())
	a, b := connect(t, ln, ln.URI(), dial)
	assert.IsType(t, (*tls.Conn)(nil), a)
	assert.IsType(t, (*tls.Conn)(nil), b)
	assertCarries(t, a, b)
}

func TestSchemesOfTheCallerGoBeforeThoseOfThePackage(t *testing.T) {
	dial, serve := inMemory("tcp", memory.Listen(nil))
	ln := listen(t, "tcp://anything goes", serve)
	a, b := connect(t, ln, "tcp://anything goes", dial)
	assert.IsType(t, (*memory.Conn)(nil), a)
	assertCarries(t, a, b)
}

func TestSchemesThatNoURICanHaveAreRefused(t *testing.T) {
	for _, name := range []string{"", "Memory", "1st", "a b", "tls+memory"} {
		dial, serve := inMemory(name, memory.Listen(nil))
		_, err := endpoint.NewConnector("tcp://127.0.0.1:80", dial)
		assert.ErrorContains(t, err, "Schemes has "+strconv.Quote(name))
		_, err = endpoint.Listen(t.Context(), "tcp://127.0.0.1:0", serve)
		assert.ErrorContains(t, err, "Schemes has "+strconv.Quote(name))
	}
}

func TestSchemeIsToldWhatTheURISays(t *testing.T) {
	for _, tt := range []struct {
		uri  string
		want endpoint.Address
	}{
		{"X://Host:1/a?b#c", endpoint.Address{Scheme: "x", Rest: "//Host:1/a?b#c"}},
		{"tls+x:name", endpoint.Address{Scheme: "x", TLS: true, Rest: "name"}},
	} {
		var got endpoint.Address
		_, err := read(tt.uri, func(a endpoint.Address) (string, error) {
			got = a
			return "", nil
		})
		require.NoError(t, err)
		assert.Equal(t, tt.want, got)
	}
}

func TestErrorsOfTheTransportAreReturnedAsTheyAre(t *testing.T) {
	c, err := endpoint.NewConnector("unix:"+filepath.Join(t.TempDir(), "nobody"), nil)
	require.NoError(t, err)
	s, err := c.Connect(t.Context())
	require.Error(t, err)
	assert.True(t, s == nil, "and no nil *unix.Conn in an interface")

	ln := listen(t, "tcp://127.0.0.1:0", nil)
	_, err = endpoint.Listen(t.Context(), ln.URI(), nil)
	_, ok := errors.AsType[*net.OpError](err)
	assert.True(t, ok, "%v", err)

	for _, uri := range []string{"tcp", "http://example.com:80", "tcp://example.com", "unix://host/path"} {
		_, err := endpoint.Listen(t.Context(), uri, nil)
		_, ok := errors.AsType[*endpoint.URIError](err)
		assert.True(t, ok, "%v", err)
	}
	gone := errors.New("gone")
	dial, serve := inMemory("memory", memory.Listen(nil))
	dial.Schemes["memory"] = func(endpoint.Address) (stream.Connector[stream.ByteStream], error) { return nil, gone }
	_, err = endpoint.NewConnector("tls+memory:", dial)
	assert.Equal(t, gone, err)
	serve.TLS = &tls.Config{}
	serve.Schemes["memory"] = func(context.Context, endpoint.Address) (stream.Listener[stream.ByteStream], error) { return nil, gone }
	_, err = endpoint.Listen(t.Context(), "tls+memory:", serve)
	assert.Equal(t, gone, err)
}

func TestOfPanicsOnNil(t *testing.T) {
	assert.PanicsWithValue(t, "endpoint: Of: nil connector", func() { endpoint.Of[*tcp.Conn](nil) })
}

func TestListenerHoldsTheContract(t *testing.T) {
	streamtest.TestListener(t, &streamtest.ListenerMaker[stream.ByteStream]{
		Listen: func(ctx context.Context) (stream.Listener[stream.ByteStream], func(context.Context) (stream.ByteStream, error), error) {
			ln, err := endpoint.Listen(ctx, "tcp://127.0.0.1:0", nil)
			if err != nil {
				return nil, nil, err
			}
			c, err := endpoint.NewConnector(ln.URI(), nil)
			if err != nil {
				return nil, nil, err
			}
			return ln, c.Connect, nil
		},
		Relisten: func(ctx context.Context, ln stream.Listener[stream.ByteStream]) (stream.Listener[stream.ByteStream], error) {
			return endpoint.Listen(ctx, ln.(*endpoint.Listener).URI(), nil)
		},
	})
}

func TestConnectorHoldsTheContract(t *testing.T) {
	streamtest.TestConnector(t, &streamtest.ConnectorMaker[stream.ByteStream]{
		Connector: func(ctx context.Context) (stream.Connector[stream.ByteStream], func(context.Context) (stream.ByteStream, error), func() error, error) {
			ln, err := endpoint.Listen(ctx, "tcp://127.0.0.1:0", nil)
			if err != nil {
				return nil, nil, nil, err
			}
			c, err := endpoint.NewConnector(ln.URI(), nil)
			if err != nil {
				return nil, nil, nil, err
			}
			return c, ln.Accept, ln.Close, nil
		},
	})
}
