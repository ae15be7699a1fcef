package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/quic"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/tls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestItAsksItself(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Equal(t, "strata.test. 2001:db8::53\n", out.String())
}

// A place is where a server is, and who vouches for it.
type place struct {
	host, port, caFile string
	client             *tls.Config
}

// serving runs a server while f runs.
func serving(t *testing.T, f func(ctx context.Context, at place) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	cert, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	ln, err := listen(ctx, "127.0.0.1:0", cert)
	require.NoError(t, err)
	addr, err := quic.LocalAddrPort.Get(ln)
	require.NoError(t, err)
	at := place{host: addr.Addr().String(), port: fmt.Sprint(addr.Port()), client: &tls.Config{RootCAs: ca.Pool(), NextProtos: protocols}}
	at.caFile, err = ca.WritePEM(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		g.GoService("server", func(ctx context.Context) error { return serve(ctx, ln) })
		return f(ctx, at)
	}))
}

func TestKdigGetsAnswers(t *testing.T) {
	kdig := peers.Program(t, "kdig", "knot-dnsutils")
	serving(t, func(ctx context.Context, at place) error {
		for _, tt := range []struct{ name, kind, status, answer string }{
			{"strata.test", "AAAA", "NOERROR", "2001:db8::53"},
			{"STRATA.test", "A", "NOERROR", ""},
			{"other.test", "AAAA", "NXDOMAIN", ""},
		} {
			// The option +quic has to come last, or kdig talks TLS over TCP.
			said, err := peers.Command(ctx, "", kdig, "@"+at.host, "-p", at.port, "+tls-ca="+at.caFile, "+tls-hostname=localhost",
				tt.name, tt.kind, "+quic")
			if err != nil {
				return fmt.Errorf("%w: %s", err, said)
			}
			assert.Contains(t, said, "QUIC session")
			assert.Contains(t, said, "status: "+tt.status)
			assert.Contains(t, said, tt.answer)
		}
		return nil
	})
}

// packed is a query as it is sent.
func packed(t *testing.T) []byte {
	t.Helper()
	query, err := (&dnsmessage.Message{Questions: []dnsmessage.Question{known}}).Pack()
	require.NoError(t, err)
	return query
}

// The answers to what a server has begun with arrive, though it stops.
func TestAStoppedServerAnswersWhatItWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const port = 853
		var network testnet.Switch
		network.SetFaults(testnet.Faults{Delay: 10 * time.Millisecond})
		ca, err := testpki.New(time.Now())
		require.NoError(t, err)
		cert, err := ca.Issue(testpki.Server)
		require.NoError(t, err)
		transport := func(port uint16) *quic.Transport {
			socket, err := network.Listen(port)
			require.NoError(t, err)
			return quic.Wrap(socket, nil)
		}
		here, there := transport(0), transport(port)
		defer here.Close()
		defer there.Close()
		ln, err := there.Listen(t.Context(), &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols}, nil)
		require.NoError(t, err)
		serving, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- serve(serving, ln) }()

		c, err := here.Dial(t.Context(), net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv4Unspecified(), port)),
			&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", NextProtos: protocols}, nil)
		require.NoError(t, err)
		s, err := c.OpenStream(t.Context())
		require.NoError(t, err)
		query, err := messages.Append(nil, packed(t))
		require.NoError(t, err)
		_, err = s.Send(t.Context(), query[:1])
		require.NoError(t, err)
		<-time.After(time.Second) // of fake time: it is there
		stop()
		synctest.Wait()
		_, err = s.Send(t.Context(), query[1:])
		require.NoError(t, err)
		require.NoError(t, s.SendEOF(t.Context()))
		answer, err := io.ReadAll(stream.NewReader(t.Context(), s))
		require.NoError(t, err)
		var m dnsmessage.Message
		require.NoError(t, m.Unpack(answer[2:]))
		assert.Len(t, m.Answers, 1)
		require.NoError(t, <-stopped)
	})
}

// open returns a stream of a connection of its own.
func open(ctx context.Context, at place) (*quic.Conn, *quic.Stream, error) {
	c, err := quic.Dial(ctx, net.JoinHostPort(at.host, at.port), at.client, nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.OpenStream(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	return c, s, nil
}

// That a client gives up a query concerns that alone (RFC 9250 section 4.3.1).
func TestCanceledQueryLeavesTheOthers(t *testing.T) {
	serving(t, func(ctx context.Context, at place) error {
		c, s, err := open(ctx, at)
		if err != nil {
			return err
		}
		defer c.Close()
		query, err := messages.Append(nil, packed(t))
		if err != nil {
			return err
		}
		if _, err := s.Send(ctx, query); err != nil {
			return err
		}
		if _, err := s.Receive(ctx, make([]byte, 1)); err != nil { // it waits for our end
			return err
		}
		if err := s.Abort(quic.Code(3)); err != nil {
			return err
		}
		for range 10 {
			m := dnsmessage.Message{Questions: []dnsmessage.Question{known}}
			if err := exchange(ctx, c, &m); err != nil {
				return err
			}
		}
		return nil
	})
}

// A server must not go on with who does not keep to the protocol (RFC 9250
// section 4.3.3).
func TestWhatIsNoQueryEndsTheConnection(t *testing.T) {
	withID, err := (&dnsmessage.Message{Header: dnsmessage.Header{ID: 1}, Questions: []dnsmessage.Question{known}}).Pack()
	require.NoError(t, err)
	frame := func(query []byte) []byte {
		framed, err := messages.Append(nil, query)
		require.NoError(t, err)
		return framed
	}
	for name, said := range map[string][]byte{
		"garbage": frame([]byte("garbage")), "a message ID": frame(withID), "two queries": append(frame(packed(t)), frame(packed(t))...),
	} {
		t.Run(name, func(t *testing.T) {
			serving(t, func(ctx context.Context, at place) error {
				c, s, err := open(ctx, at)
				if err != nil {
					return err
				}
				defer c.Close()
				if _, err := s.Send(ctx, said); err != nil {
					return err
				}
				_, err = c.AcceptStream(ctx)
				closed, ok := errors.AsType[*quic.ApplicationError](err)
				require.True(t, ok, "%v", err)
				assert.Equal(t, protocolError, closed.Code)
				assert.NotContains(t, closed.Reason, "%!")
				return nil
			})
		})
	}
}
