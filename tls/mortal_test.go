package tls_test

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// transports are those that faults are tested over.
var transports = []struct {
	name string
	pipe func(testing.TB) (a, b stream.ByteStream)
}{
	{"memory", func(testing.TB) (a, b stream.ByteStream) { return memoryPipe() }},
	{"TCP", func(tb testing.TB) (a, b stream.ByteStream) {
		x, y := loopback(tb)
		return tcp.Wrap(x.(*net.TCPConn)), tcp.Wrap(y.(*net.TCPConn))
	}},
}

func memoryPipe() (a, b stream.ByteStream) {
	x, y := memory.Pipe(nil)
	return x, y
}

// A mortal transport dies when a number of bytes were sent over it.
type mortal struct {
	stream.Wrapper
	left int
	die  func(stream.ByteStream)
	dead bool
}

func (m *mortal) Send(ctx context.Context, p []byte) (int, error) {
	if m.dead {
		return 0, stream.Broken(syscall.ECONNRESET)
	}
	if len(p) <= m.left {
		m.left -= len(p)
		return m.ByteStream.Send(ctx, p)
	}
	n, err := m.ByteStream.Send(ctx, p[:m.left])
	if err != nil {
		return n, err
	}
	m.dead = true
	m.die(m.ByteStream)
	return n, stream.Broken(syscall.ECONNRESET)
}

// deaths are ways to die. What the peer then has to be told is not an end.
var deaths = []struct {
	name string
	die  func(stream.ByteStream)
}{
	{"ends", func(s stream.ByteStream) { _ = s.SendEOF(context.Background()) }},
	{"resets", func(s stream.ByteStream) { _ = stream.Abort(s, nil) }},
	{"closes", func(s stream.ByteStream) { _ = s.Close() }},
}

// small is a handshake of few bytes.
func small(t *testing.T, version uint16) (server, client *tls.Config) {
	server, client = usualConfigs(t, version)
	for _, cfg := range []*tls.Config{server, client} {
		cfg.CurvePreferences = []cryptotls.CurveID{cryptotls.X25519}
		cfg.SessionTicketsDisabled = true
	}
	client.ClientSessionCache = nil
	return server, client
}

// TestTransportThatDiesAnywhereNeverLooksLikeAnEnd has the transport die at every byte that
// either side sends: in the handshake, and in a session of a few records up to the end
// of it. What is received by then is the beginning of what was sent, and what follows is
// no end, unless the peer's close_notify had come.
func TestTransportThatDiesAnywhereNeverLooksLikeAnEnd(t *testing.T) {
	for _, transport := range transports {
		stride := 1
		switch {
		case transport.name == "TCP":
			stride = 29
		case race.Enabled:
			stride = len(deaths) // one for each byte
		}
		for _, v := range versions {
			for first, death := range deaths {
				for _, clientDies := range []bool{true, false} {
					side := "server"
					if clientDies {
						side = "client"
					}
					t.Run(strings.Join([]string{transport.name, v.name, side, death.name}, " "), func(t *testing.T) {
						at := first
						for ; ; at += stride {
							require.Less(t, at, 10_000)
							x, y := transport.pipe(t)
							a, b := x, y
							m := &mortal{left: at, die: death.die}
							if clientDies {
								m.ByteStream, a = a, m
							} else {
								m.ByteStream, b = b, m
							}
							converse(t, v.version, a, b)
							requireClosed(t, x)
							requireClosed(t, y)
							if !m.dead {
								break
							}
						}
						require.Greater(t, at, 400)
					})
				}
			}
		}
	}
}

// converse has the handshake and then a conversation between a client over a and a server
// over b, and ends both, whatever becomes of it.
func converse(t *testing.T, version uint16, a, b stream.ByteStream) {
	t.Helper()
	serverConfig, clientConfig := small(t, version)
	served := make(chan error, 1)
	go func() {
		s, err := tls.WrapServer(t.Context(), b, serverConfig, nil)
		if err == nil {
			err = exchange(t.Context(), s)
		}
		served <- err
	}()
	c, err := tls.WrapClient(t.Context(), a, clientConfig, nil)
	if err == nil {
		err = exchange(t.Context(), c)
	}
	for _, err := range []error{err, <-served} {
		if err != nil && !errors.Is(err, stream.ErrBroken) && !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	}
}

// exchange sends and receives what both sides do, and shuts down.
func exchange(ctx context.Context, s *tls.Conn) error {
	sent := pattern(0, 60)
	got := 0
	err := func() error {
		for i := range 3 {
			if _, err := s.Send(ctx, sent[20*i:20*(i+1)]); err != nil {
				return err
			}
		}
		if err := s.SendEOF(ctx); err != nil {
			return err
		}
		buf := make([]byte, 100)
		for {
			n, err := s.Receive(ctx, buf)
			if string(buf[:n]) != string(pattern(got, n)) {
				return errors.New("received what was not sent")
			}
			got += n
			if err == io.EOF && got == len(sent) {
				return nil
			}
			if err == io.EOF {
				return errors.New("an end in the middle")
			}
			if err != nil {
				return err
			}
		}
	}()
	return errors.Join(err, s.Close())
}

// TestMortalTransportIsSeenThrough is the control of the test above: crypto/tls takes a
// transport that ends between two records for an end.
func TestMortalTransportIsSeenThrough(t *testing.T) {
	a, b := memoryPipe()
	server, client := small(t, tls.VersionTLS13)
	c, s, err := wrap(t.Context(), a, b, server, client, &tls.Options{AllowTruncation: true})
	require.NoError(t, err)
	defer c.Close()
	_, err = s.Send(t.Context(), pattern(0, 20))
	require.NoError(t, err)
	deaths[0].die(b)
	require.ErrorContains(t, exchange(t.Context(), c), "an end in the middle")
	require.NoError(t, s.Close())
}
