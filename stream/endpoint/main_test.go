package endpoint_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/endpoint"
	"github.com/strata-go/strata/tls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configs returns what a server and a client need to talk TLS at localhost.
var configs = sync.OnceValues(func() (server, client *tls.Config) {
	ca, err := testpki.New(time.Now())
	if err != nil {
		panic(err)
	}
	cert, err := ca.Issue(testpki.Server)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: ca.Pool()}
})

func listen(t *testing.T, uri string, cfg *endpoint.ListenConfig) *endpoint.Listener {
	t.Helper()
	ln, err := endpoint.Listen(t.Context(), uri, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, ln.Close()) })
	return ln
}

// connect returns both ends of a new stream.
func connect(t *testing.T, ln stream.Listener[stream.ByteStream], uri string, cfg *endpoint.DialConfig) (client, server stream.ByteStream) {
	t.Helper()
	c, err := endpoint.NewConnector(uri, cfg)
	require.NoError(t, err)
	type accepted struct {
		s   stream.ByteStream
		err error
	}
	done := make(chan accepted, 1)
	go func() {
		s, err := ln.Accept(t.Context())
		done <- accepted{s, err}
	}()
	client, err = c.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	a := <-done
	require.NoError(t, a.err)
	t.Cleanup(func() { a.s.Close() })
	return client, a.s
}

// assertCarries sends a question one way and an answer the other.
func assertCarries(t *testing.T, client, server stream.ByteStream) {
	t.Helper()
	answered := make(chan error, 1)
	go func() {
		question, err := receiveAll(t.Context(), server)
		if err == nil {
			_, err = server.Send(t.Context(), append(question, " and pong"...))
		}
		if err == nil {
			err = server.SendEOF(t.Context())
		}
		answered <- err
	}()
	_, err := client.Send(t.Context(), []byte("ping"))
	require.NoError(t, err)
	require.NoError(t, client.SendEOF(t.Context()))
	answer, err := receiveAll(t.Context(), client)
	require.NoError(t, err)
	require.NoError(t, <-answered)
	assert.Equal(t, "ping and pong", string(answer))
}

func receiveAll(ctx context.Context, s stream.ByteStream) ([]byte, error) {
	return io.ReadAll(stream.NewReader(ctx, s))
}
