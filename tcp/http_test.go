package tcp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// TestNetHTTPRunsOverUs serves with net/http over our listeners, to net/http's
// client as it is and to one that dials through us.
func TestNetHTTPRunsOverUs(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	clientConfig := &tls.Config{RootCAs: ca.Pool(), NextProtos: []string{"h2", "http/1.1"}}
	plain := func(ln *tcp.Listener) net.Listener { return netconn.FromListener(ln) }
	overTLS := func(ln *tcp.Listener) net.Listener {
		return netconn.FromListener(tls.NewListener(ln, &tls.Config{
			Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"},
		}, nil))
	}
	dialTCP := func(ctx context.Context, _, addr string) (net.Conn, error) {
		c, err := tcp.Dial(ctx, addr, nil)
		if err != nil {
			return nil, err
		}
		return netconn.From(c), nil
	}
	dialTLS := func(ctx context.Context, _, addr string) (net.Conn, error) {
		c, err := tcp.Dial(ctx, addr, nil)
		if err != nil {
			return nil, err
		}
		s, err := tls.WrapClient(ctx, c, clientConfig, nil)
		if err != nil {
			return nil, err
		}
		return s.Std(), nil
	}
	tests := []struct {
		name, scheme, want string
		listen             func(*tcp.Listener) net.Listener
		transport          *http.Transport
	}{
		{"tcp, their client", "http", "HTTP/1.1 false", plain, &http.Transport{}},
		{"tcp, our dialer", "http", "HTTP/1.1 false", plain, &http.Transport{DialContext: dialTCP}},
		{"tls, their client, 1.1", "https", "HTTP/1.1 true", overTLS, &http.Transport{TLSClientConfig: clientConfig.Clone()}},
		{"tls, their client, 2", "https", "HTTP/2.0 true", overTLS, &http.Transport{TLSClientConfig: clientConfig.Clone(), ForceAttemptHTTP2: true}},
		{"tls, our dialer, 2", "https", "HTTP/2.0 true", overTLS, &http.Transport{DialTLSContext: dialTLS, ForceAttemptHTTP2: true}},
	}
	tests[2].transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ln := listen(t, nil)
			addr := addrOf(ln)
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("How", r.Proto+" "+map[bool]string{true: "true", false: "false"}[r.TLS != nil])
				body, _ := io.ReadAll(r.Body)
				_, _ = w.Write(body)
			})}
			served := make(chan error, 1)
			go func() { served <- server.Serve(tt.listen(ln)) }()
			client := &http.Client{Transport: tt.transport}
			for range 3 {
				resp, err := client.Post(tt.scheme+"://"+addr+"/", "text/plain", io.LimitReader(endless{}, 1<<20))
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, 1<<20, len(body))
				assert.Equal(t, tt.want, resp.Header.Get("How"))
			}
			tt.transport.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			require.NoError(t, server.Shutdown(ctx))
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		})
	}
}

// endless is a reader of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
