//go:build unix

package activation_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/happyeyeballs"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/activation"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/unix"
)

// loopback is a resolver that knows no other addresses.
type loopback struct{}

func (loopback) Resolve(_ context.Context, _ happyeyeballs.Query, answer func(happyeyeballs.Answer)) error {
	answer(happyeyeballs.Answer{Family: happyeyeballs.IPv4, Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	answer(happyeyeballs.Answer{Family: happyeyeballs.IPv6, Addrs: []netip.Addr{netip.IPv6Loopback()}})
	return nil
}

// An oldServer listens at every address of a name, at one more port, and at a
// path, and tells its clients that it is "old".
type oldServer struct {
	handed []activation.Handed
	to     map[string]func(context.Context) (who string, err error) // how clients connect
	path   string
	stop   context.CancelFunc
	served chan error
}

// startOld starts one that serves each listener by itself.
func startOld(ctx context.Context, t *testing.T) *oldServer {
	t.Helper()
	several, err := tcp.Listen(ctx, "host.test:0", &tcp.ListenConfig{Resolver: loopback{}})
	require.NoError(t, err)
	one, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	srv := &oldServer{path: filepath.Join(t.TempDir(), "s"), served: make(chan error, 3)}
	atPath, err := unix.Listen(ctx, srv.path, nil)
	require.NoError(t, err)
	srv.handed = []activation.Handed{{Name: "several", Listener: several}, {Name: "one", Listener: one}, {Name: "path", Listener: atPath}}
	srv.to = map[string]func(context.Context) (string, error){
		"unix": func(ctx context.Context) (string, error) { return whoServes(ctx, &unix.Connector{Name: srv.path}) },
	}
	for _, ln := range []*tcp.Listener{several, one} {
		for addr := range tcp.LocalAddr.All(ln) { // of IPv6, too, where there is that
			srv.to[addr.String()] = func(ctx context.Context) (string, error) {
				return whoServes(ctx, &tcp.Connector{Addr: addr.String()})
			}
		}
	}
	ctx, srv.stop = context.WithCancel(ctx)
	t.Cleanup(srv.stop)
	go func() { srv.served <- listener.Serve(ctx, several, greet[*tcp.Conn]("old"), nil) }()
	go func() { srv.served <- listener.Serve(ctx, one, greet[*tcp.Conn]("old"), nil) }()
	go func() { srv.served <- listener.Serve(ctx, atPath, greet[*unix.Conn]("old"), nil) }()
	return srv
}

// end stops the server and waits for it.
func (srv *oldServer) end(t *testing.T) {
	t.Helper()
	srv.stop()
	for range cap(srv.served) {
		require.NoError(t, <-srv.served)
	}
}

// whoServes connects and returns the greeting.
func whoServes[S stream.ByteStream](ctx context.Context, c stream.Connector[S]) (string, error) {
	s, err := c.Connect(ctx)
	if err != nil {
		return "", err
	}
	defer s.Close()
	who, err := io.ReadAll(stream.NewReader(ctx, s))
	return string(who), err
}

// clients connect over and over, each way by itself, and count who served
// them. The first that is not served ends it.
type clients struct {
	ctx  context.Context
	fail func(format string, args ...any) // reports a lost connection

	mu      sync.Mutex
	changed *sync.Cond
	served  map[service]int
	lost    bool

	ways []string
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// A service is who served a client, and which way that came.
type service struct{ way, who string }

func newClients(ctx context.Context, fail func(string, ...any)) *clients {
	c := &clients{ctx: ctx, fail: fail, served: map[service]int{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// load starts clients of a server.
func load(ctx context.Context, t *testing.T, srv *oldServer) *clients {
	t.Helper()
	c := newClients(ctx, t.Errorf)
	context.AfterFunc(ctx, c.changed.Broadcast)
	loading, stop := context.WithCancel(ctx)
	c.stop = stop
	t.Cleanup(func() { c.end() })
	for way, connect := range srv.to {
		c.ways = append(c.ways, way)
		c.wg.Go(func() {
			for loading.Err() == nil && c.connect(way, connect) {
			}
		})
	}
	return c
}

// connect returns false when the client was lost.
func (c *clients) connect(way string, connect func(context.Context) (string, error)) bool {
	who, err := connect(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.changed.Broadcast()
	if err != nil || who == "" {
		c.lost = true
		c.fail("%s: served by %q, error %v", way, who, err)
		return false
	}
	c.served[service{way, who}]++
	return true
}

// waitFor waits until who has served n more clients of each way.
func (c *clients) waitFor(t *testing.T, who string, n int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, way := range c.ways {
		key := service{way, who}
		for before := c.served[key]; c.served[key]-before < n; c.changed.Wait() {
			require.False(t, c.lost)
			require.NoError(t, c.ctx.Err(), "%s, by %s", way, who)
		}
	}
}

// end stops the clients and returns how many each server served.
func (c *clients) end() map[string]int {
	c.stop()
	c.wg.Wait()
	sums := map[string]int{}
	for key, n := range c.served {
		sums[key.who] += n
	}
	return sums
}

// TestClientsNoticeALostConnection is the negative control of the tests with
// load.
func TestClientsNoticeALostConnection(t *testing.T) {
	ctx := soon(t)
	ln, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	addr, _ := tcp.LocalAddr.Lookup(ln)
	go func() { // ends with the listener
		for s, err := ln.Accept(ctx); err == nil; s, err = ln.Accept(ctx) {
			s.Close()
		}
	}()
	var told []string
	c := newClients(ctx, func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) })
	ask := func(ctx context.Context) (string, error) { return whoServes(ctx, &tcp.Connector{Addr: addr.String()}) }
	assert.False(t, c.connect("way", ask), "accepted and not served")
	require.NoError(t, ln.Close())
	assert.False(t, c.connect("way", ask), "refused")
	assert.Len(t, told, 2)
	assert.True(t, c.lost)
}
