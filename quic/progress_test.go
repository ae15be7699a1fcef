package quic_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/internal/testnet"
	"github.com/strata-go/strata/quic"
)

// A handshake with Retry takes two round trips. Here it ends after 480 ms, and
// the Retry comes after 240: soon enough to put off the attempt that is due
// after 250.
func TestAHandshakeThatGetsOnPutsOffTheNextAttempt(t *testing.T) {
	const far = 120 * time.Millisecond
	tests := []struct {
		name  string
		tells bool
		want  []happyeyeballs.Attempt
	}{
		{"told", true, []happyeyeballs.Attempt{{End: 4 * far, Outcome: happyeyeballs.Won}}},
		{"not told", false, []happyeyeballs.Attempt{
			{End: 4 * far, Outcome: happyeyeballs.Won},
			{Start: 250 * time.Millisecond, End: 4 * far, Outcome: happyeyeballs.Canceled},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, func(r *rig) {
				r.net.SetFaults(testnet.Faults{Delay: far})
				r.serve(&quic.Config{Transport: quic.TransportConfig{ValidateAddress: func(netip.AddrPort) bool { return true }}})
				var progressed []time.Duration
				cfg := &happyeyeballs.Config{
					Resolver: names{addrs: []string{"127.0.0.1", "127.0.0.2"}},
					Service:  &happyeyeballs.Service{Protocols: both[:1]},
					Source:   func(dst netip.Addr) netip.Addr { return dst },
					Trace: func(e happyeyeballs.Event) {
						if e.Kind == happyeyeballs.Progressed {
							progressed = append(progressed, e.At)
						}
					},
				}
				conn, report, err := happyeyeballs.Dial(r.Context(), "host.test", port, r.attempt(tt.tells), cfg)
				require.NoError(r, err)
				defer conn.Close()
				for i := range report.Attempts {
					a := &report.Attempts[i]
					a.Candidate, a.Err = happyeyeballs.Candidate{}, nil
				}
				if diff := cmp.Diff(tt.want, report.Attempts, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
					r.Errorf("mismatch (-want +got):\n%s", diff)
				}
				if tt.tells {
					assert.Equal(r, []time.Duration{2 * far}, progressed)
				} else {
					assert.Empty(r, progressed)
				}
			})
		})
	}
}

// attempt returns what makes attempts with sockets of their own, as a
// Connector does.
func (r *rig) attempt(tells bool) func(context.Context, happyeyeballs.Candidate, func()) (*onItsOwn, error) {
	return func(ctx context.Context, c happyeyeballs.Candidate, progress func()) (*onItsOwn, error) {
		socket, err := r.net.Listen(0)
		if err != nil {
			return nil, err
		}
		var pc net.PacketConn = socket
		if tells {
			pc = &telling{socket, sync.OnceFunc(progress)}
		}
		t := quic.Wrap(pc, nil)
		conn, err := t.Dial(ctx, net.UDPAddrFromAddrPort(c.Addr), r.tls[1], nil)
		if err != nil {
			t.Close()
			return nil, err
		}
		return &onItsOwn{conn, t}, nil
	}
}

// A telling tells of packets, as the sockets of a Connector do.
type telling struct {
	*testnet.Socket
	tell func()
}

func (s *telling) ReadFrom(p []byte) (int, net.Addr, error) {
	n, addr, err := s.Socket.ReadFrom(p)
	if err == nil {
		s.tell()
	}
	return n, addr, err
}

// An onItsOwn is a connection with which its transport ends.
type onItsOwn struct {
	*quic.Conn
	transport *quic.Transport
}

func (c *onItsOwn) Close() error { return c.transport.Close() }

// onceAnswered is the address of a server that proves addresses, as it is seen
// through a network that lets one packet pass, and what answers it.
func onceAnswered(t *testing.T) netip.AddrPort {
	t.Helper()
	server := listen(t, &quic.Config{Transport: quic.TransportConfig{ValidateAddress: func(netip.AddrPort) bool { return true }}})
	back, err := net.Dial("udp", addrOf(server))
	require.NoError(t, err)
	front, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	var tasks sync.WaitGroup
	tasks.Go(func() { // ends with the sockets
		p := make([]byte, 1<<16)
		n, client, err := front.ReadFromUDPAddrPort(p)
		if err != nil {
			return
		}
		_, _ = back.Write(p[:n])
		for {
			if n, err = back.Read(p); err != nil {
				return
			}
			_, _ = front.WriteToUDPAddrPort(p[:n], client)
		}
	})
	t.Cleanup(func() { front.Close(); back.Close(); tasks.Wait() })
	return front.LocalAddr().(*net.UDPAddr).AddrPort()
}

// silent is the address of one who receives, and says nothing.
func silent(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestTheFirstPacketOverQUICIsProgress(t *testing.T) {
	const started, progressed, ended = happyeyeballs.Started, happyeyeballs.Progressed, happyeyeballs.Ended
	tests := []struct {
		name  string
		addr  func(*testing.T) netip.AddrPort
		until func(first bool, e happyeyeballs.Event) bool // when the test has seen enough
		want  []happyeyeballs.EventKind                    // of the first attempt
	}{
		{
			"one answer", onceAnswered,
			func(_ bool, e happyeyeballs.Event) bool { return e.Kind == progressed },
			[]happyeyeballs.EventKind{started, progressed, ended},
		},
		{
			"none", silent,
			func(first bool, e happyeyeballs.Event) bool { return !first && e.Kind == started },
			[]happyeyeballs.EventKind{started, ended},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := tt.addr(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := connector(t, &site{port: strconv.Itoa(int(addr.Port()))}, names{addrs: []string{"127.0.0.1", "127.0.0.2"}})
			c.Service.Protocols = both[:1]
			var kinds []happyeyeballs.EventKind
			c.Config.Race.Trace = func(e happyeyeballs.Event) {
				first := e.Attempt.Addr == addr
				if first {
					kinds = append(kinds, e.Kind)
				}
				if tt.until(first, e) {
					cancel()
				}
			}
			_, err := c.Connect(ctx)
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, tt.want, kinds)
		})
	}
}
