package tls_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tls"
)

// TestNetHTTPSpeaksBothVersionsThroughUs serves HTTP over our listener and
// dials it through our client.
func TestNetHTTPSpeaksBothVersionsThroughUs(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			serverConfig, clientConfig := usualConfigs(t, tls.VersionTLS13)
			serverConfig.NextProtos = []string{"h2", "http/1.1"}
			clientConfig.NextProtos = []string{"http/1.1"}
			if proto == "HTTP/2.0" {
				clientConfig.NextProtos = []string{"h2"}
			}
			below := memory.Listen(nil)
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				if assert.NotNil(t, r.TLS) {
					assert.Equal(t, "localhost", r.TLS.ServerName)
				}
				_, _ = io.WriteString(w, r.Proto+" "+string(body[:4]))
			})}
			served := make(chan error, 1)
			ln := netconn.FromListener(tls.NewListener(below, serverConfig, nil))
			go func() { served <- server.Serve(ln) }()

			transport := &http.Transport{
				ForceAttemptHTTP2: true,
				DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					s, err := below.Connect(ctx)
					if err != nil {
						return nil, err
					}
					c, err := tls.WrapClient(ctx, s, clientConfig, nil)
					if err != nil {
						return nil, err
					}
					return c.Std(), nil
				},
			}
			client := &http.Client{Transport: transport}
			for range 3 {
				resp, err := client.Post("https://localhost/", "text/plain", io.LimitReader(pings{}, 100_000))
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, proto+" ping", string(body))
				assert.NotNil(t, resp.TLS)
			}
			transport.CloseIdleConnections()
			require.NoError(t, server.Shutdown(t.Context()))
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		})
	}
}

// pings is an endless reader.
type pings struct{}

func (pings) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "ping"[i%4]
	}
	return len(p) / 4 * 4, nil
}

// TestStdGoesOnWithTheSession gives the session away in the middle of a record,
// with the next one read ahead, and session tickets not sent yet.
func TestStdGoesOnWithTheSession(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			serverConfig, clientConfig := usualConfigs(t, v.version)
			serverConfig.ClientAuth = tls.RequestClientCert // so that tickets come last
			a, b := memory.Pipe(nil)
			client, server, err := wrap(t.Context(), a, b, serverConfig, clientConfig, nil)
			require.NoError(t, err)
			defer client.Close()
			_, err = client.Send(t.Context(), pattern(0, 100))
			require.NoError(t, err)
			_, err = client.Send(t.Context(), pattern(100, 100))
			require.NoError(t, err)
			buf := make([]byte, 30)
			n, err := server.Receive(t.Context(), buf)
			require.NoError(t, err)
			require.Equal(t, pattern(0, 30), buf[:n])
			std := server.Std()
			rest := make([]byte, 170)
			_, err = io.ReadFull(std, rest)
			require.NoError(t, err)
			require.Equal(t, pattern(30, 170), rest)
			go func() { _, _ = std.Write(pattern(0, 100_000)) }()
			require.Equal(t, pattern(0, 100_000), receiveExactly(t, t.Context(), client, 100_000))
			require.NoError(t, std.SetReadDeadline(time.Now()))
			_, err = std.Read(rest)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.NoError(t, std.Close())
		})
	}
}

func TestStdAnswersForTheTransport(t *testing.T) {
	client, server := pair(t, tls.VersionTLS13, nil, nil)
	want, err := netconn.RemoteAddr.Get(client)
	require.NoError(t, err)
	std := client.Std()
	require.Same(t, std, client.Std())
	p, ok := std.NetConn().(attr.Provider)
	require.True(t, ok)
	got, err := netconn.RemoteAddr.Get(p)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, want, std.RemoteAddr())
	version, err := tls.Version.Get(p)
	require.NoError(t, err)
	assert.EqualValues(t, tls.VersionTLS13, version)

	_, err = client.Send(t.Context(), []byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = client.Receive(t.Context(), make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, client.Close())

	_, err = std.Write([]byte("still open"))
	require.NoError(t, err)
	require.Equal(t, "still open", string(receiveExactly(t, t.Context(), server, 10)))
	require.NoError(t, std.Close())
	_, err = server.Receive(t.Context(), make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

func TestStdPanicsWhereItWouldLoseSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s, _, _ := ends(t, tls.VersionTLS13, nil)
		defer s.Close()
		_, err := s.Send(t.Context(), []byte("x"))
		require.NoError(t, err)
		require.NoError(t, stream.WaitReceive(t.Context(), c))
		require.PanicsWithValue(t, "tls: Std: between WaitReceive and Receive", func() { c.Std() })
		require.Equal(t, "x", string(receiveExactly(t, t.Context(), c, 1)))
		go func() { _, _ = c.Receive(t.Context(), make([]byte, 1)) }()
		synctest.Wait()
		require.PanicsWithValue(t, "tls: Std: a call is in progress", func() { c.Std() })
		require.NoError(t, c.Close())
		synctest.Wait()
	})
}
