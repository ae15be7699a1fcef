package tcp_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
)

// hosts is a resolver with one list for all names, which remembers what it was
// asked.
type hosts struct {
	addrs []string

	mu    sync.Mutex
	asked []happyeyeballs.Query
}

func (h *hosts) Resolve(_ context.Context, q happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	h.mu.Lock()
	h.asked = append(h.asked, q)
	h.mu.Unlock()
	found := map[happyeyeballs.Family][]netip.Addr{}
	for _, s := range h.addrs {
		a := netip.MustParseAddr(s)
		if a.Is4() {
			found[happyeyeballs.IPv4] = append(found[happyeyeballs.IPv4], a)
		} else {
			found[happyeyeballs.IPv6] = append(found[happyeyeballs.IPv6], a)
		}
	}
	for _, f := range []happyeyeballs.Family{happyeyeballs.IPv6, happyeyeballs.IPv4} {
		if q.Family == 0 || q.Family == f {
			answer(happyeyeballs.Answer{Family: f, Addrs: found[f]})
		}
	}
	return nil
}

func racing(h *hosts) *tcp.DialConfig {
	return &tcp.DialConfig{Race: happyeyeballs.Config{Resolver: h}}
}

func port(t *testing.T, addr string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	return p
}

func TestReportOfTheRaceIsAnAttribute(t *testing.T) {
	ln := listen(t, nil)
	h := &hosts{addrs: []string{"127.0.0.1"}}
	c, err := tcp.Dial(t.Context(), "host.test:"+port(t, addrOf(ln)), racing(h))
	require.NoError(t, err)
	defer c.Close()
	report, err := tcp.Race.Get(c)
	require.NoError(t, err)
	assert.Equal(t, "host.test", report.Host)
	assert.Equal(t, addrOf(ln), report.Winner().Addr.String())
	require.NoError(t, c.Close())
	_, err = tcp.Race.Get(c)
	assert.NoError(t, err, "fixed")
}

func TestAddressIsNotRaced(t *testing.T) {
	ln := listen(t, nil)
	h := &hosts{}
	c, err := tcp.Dial(t.Context(), addrOf(ln), racing(h))
	require.NoError(t, err)
	defer c.Close()
	_, ok := tcp.Race.Lookup(c)
	assert.False(t, ok)
	assert.Empty(t, h.asked)
}

func TestIPv6IsFirstWhateverTheResolverSaysFirst(t *testing.T) {
	ln, err := named(t, tcp.ListenConfig{})
	require.NoError(t, err)
	for _, order := range [][]string{{"127.0.0.1", "::1"}, {"::1", "127.0.0.1"}} {
		cfg := racing(&hosts{addrs: order})
		cfg.Race.AttemptDelay = 2 * time.Second // the most there is
		c, err := tcp.Dial(t.Context(), "host.test:"+port(t, addrOf(ln)), cfg)
		require.NoError(t, err)
		defer c.Close()
		remote, err := tcp.RemoteAddrPort.Get(c)
		require.NoError(t, err)
		assert.Equal(t, netip.IPv6Loopback(), remote.Addr())
	}
}

func TestRefusedAddressMakesWayForTheNext(t *testing.T) {
	ln := listen(t, nil)
	h := &hosts{addrs: []string{"::1", "127.0.0.1"}} // nobody listens on ::1
	c, err := tcp.Dial(t.Context(), "host.test:"+port(t, addrOf(ln)), racing(h))
	require.NoError(t, err)
	defer c.Close()
	report, ok := tcp.Race.Lookup(c)
	require.True(t, ok)
	assert.Equal(t, addrOf(ln), report.Winner().Addr.String())
	assert.Len(t, report.Answers, 2)
}

func TestEveryAddressHasItsErrorInOrder(t *testing.T) {
	p := port(t, free(t))
	h := &hosts{addrs: []string{"127.0.0.1", "::1"}}
	_, err := tcp.Dial(t.Context(), "host.test:"+p, racing(h))
	dial, ok := errors.AsType[*tcp.DialError](err)
	require.True(t, ok)
	require.Len(t, dial.Errs, 2)
	require.Len(t, dial.Race.Attempts, 2)
	for i, err := range dial.Errs {
		op, ok := errors.AsType[*net.OpError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, dial.Race.Attempts[i].Addr.String(), op.Addr.String())
	}
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestCanceledRaceLeavesNoDescriptors(t *testing.T) {
	addr := deaf(t)
	c, err := tcp.Dial(t.Context(), addr, nil) // takes the room in its backlog
	require.NoError(t, err)
	defer c.Close()
	before := descriptors(t)
	h := &hosts{addrs: []string{"127.0.0.1"}}
	enough := errors.New("enough")
	for i := range 100 {
		ctx, cancel := context.WithCancelCause(t.Context())
		if i%2 == 0 {
			cancel(enough)
		} else {
			time.AfterFunc(time.Duration(i)*100*time.Microsecond, func() { cancel(enough) })
		}
		c, err := tcp.Dial(ctx, "host.test:"+port(t, addr), racing(h))
		if err == nil { // the backlog has room for a second one on some systems
			defer c.Close()
			before++
			cancel(nil)
			continue
		}
		require.ErrorIs(t, err, enough)
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Equal(t, before, descriptors(t))
}

func TestLocalAddressRestrictsTheQuery(t *testing.T) {
	h := &hosts{addrs: []string{"::1", "127.0.0.1"}}
	cfg := racing(h)
	cfg.LocalAddr = netip.MustParseAddrPort("127.0.0.1:0")
	ln := listen(t, nil)
	c, err := tcp.Dial(t.Context(), "host.test:"+port(t, addrOf(ln)), cfg)
	require.NoError(t, err)
	c.Close()
	assert.Equal(t, []happyeyeballs.Query{{Host: "host.test", Family: happyeyeballs.IPv4}}, h.asked)
}

func TestFamilyRestrictsAddressesToo(t *testing.T) {
	cfg := &tcp.DialConfig{Race: happyeyeballs.Config{Family: happyeyeballs.IPv6}}
	_, err := tcp.Dial(t.Context(), "127.0.0.1:80", cfg)
	assert.ErrorContains(t, err, "not an IPv6 address")
}

func TestAttemptTimeoutBoundsAnAddressToo(t *testing.T) {
	addr := deaf(t)
	cfg := &tcp.DialConfig{Race: happyeyeballs.Config{AttemptTimeout: 50 * time.Millisecond}}
	for range 8 { // the backlog has room for some
		c, err := tcp.Dial(t.Context(), addr, cfg)
		if err == nil {
			defer c.Close()
			continue
		}
		op, ok := errors.AsType[*net.OpError](err)
		require.True(t, ok, "%v", err)
		assert.True(t, op.Timeout())
		return
	}
	t.Fatal("every dial succeeded")
}

func TestNamesInOtherScriptsAreLookedUpAsTheDNSHasThem(t *testing.T) {
	ln := listen(t, nil)
	tests := []struct{ host, want string }{
		{"fa\u00df.test", "xn--fa-hia.test"}, // IDNA 2003 would make it "fass"
		{"B\u00dccher.test", "xn--bcher-kva.test"},
		{"a_b.test", "a_b.test"},
		{"MiXed.test", "MiXed.test"},
		{"host.test.", "host.test."},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			h := &hosts{addrs: []string{"127.0.0.1"}}
			c, err := tcp.Dial(t.Context(), net.JoinHostPort(tt.host, port(t, addrOf(ln))), racing(h))
			require.NoError(t, err)
			defer c.Close()
			assert.Equal(t, tt.want, h.asked[0].Host)
			host, err := tcp.Host.Get(c)
			require.NoError(t, err)
			assert.Equal(t, tt.host, host, "as it was written")
		})
	}
}

func TestNameThatIDNARefusesIsAnError(t *testing.T) {
	h := &hosts{}
	_, err := tcp.Dial(t.Context(), "\u2028.test:80", racing(h))
	require.ErrorContains(t, err, "not a host name")
	assert.Empty(t, h.asked)
}

func TestTraceSeesTheRace(t *testing.T) {
	ln := listen(t, nil)
	cfg := racing(&hosts{addrs: []string{"127.0.0.1"}})
	var kinds []happyeyeballs.EventKind
	cfg.Race.Trace = func(e happyeyeballs.Event) { kinds = append(kinds, e.Kind) }
	c, err := tcp.Dial(t.Context(), "host.test:"+port(t, addrOf(ln)), cfg)
	require.NoError(t, err)
	c.Close()
	want := []happyeyeballs.EventKind{
		happyeyeballs.Answered, happyeyeballs.Answered, happyeyeballs.Started, happyeyeballs.Ended,
	}
	assert.Equal(t, want, kinds)
}

func TestRacedConnectionIsAStream(t *testing.T) {
	ln := listen(t, nil)
	c, err := tcp.Dial(t.Context(), "localhost:"+port(t, addrOf(ln)), nil)
	require.NoError(t, err)
	peer, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer peer.Close()
	_, err = c.Send(t.Context(), []byte("hello"))
	require.NoError(t, err)
	p := make([]byte, 8)
	n, err := peer.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(p[:n]))
	require.NoError(t, stream.Abort(c, nil))
}
