//go:build linux

package peers_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/stream"
)

// A socatTransport is a transport and what socat calls it.
type socatTransport struct {
	transport
	kind string
	bind string // behind the port to listen on; empty where there is none
}

func socatTransports(t *testing.T) []socatTransport {
	path := place(t)
	abstract := "@" + filepath.Base(filepath.Dir(path)) // nobody else's
	return []socatTransport{
		{transport{"TCP, IPv4", "127.0.0.1:0", listenTCP, dialTCP}, "TCP4", "127.0.0.1"},
		{transport{"TCP, IPv6", "[::1]:0", listenTCP, dialTCP}, "TCP6", "[::1]"},
		{transport{"UNIX", path, listenUnix, dialUnix}, "UNIX", ""},
		{transport{"UNIX, abstract", abstract, listenUnix, dialUnix}, "ABSTRACT", ""},
	}
}

// part is socat's address for a part, and a file into which it puts what it receives
// meanwhile, if it does.
func part(t *testing.T, name string, p payload) (address, received string) {
	t.Helper()
	switch name {
	case "first":
		received = place(t)
		return "OPEN:" + p.file + ",rdonly!!OPEN:" + received + ",wronly,creat", received
	case "second":
		return "SYSTEM:cmp - " + p.file + " && cat " + p.file, ""
	default:
		return "EXEC:cat", ""
	}
}

// server starts socat with a part for one client, and connects.
func (tr socatTransport) server(t *testing.T, ctx context.Context, part string) (*peers.Running, stream.ByteStream) {
	t.Helper()
	addr := tr.local
	listen := tr.kind + "-LISTEN:" + strings.TrimPrefix(addr, "@")
	if tr.bind != "" {
		listen = tr.kind + "-LISTEN:0,bind=" + tr.bind
	}
	r := peers.Socat(t, listen, part)
	if tr.bind != "" {
		addr = r.Addr(t).String()
	}
	s, err := tr.dial(ctx, addr)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return r, s
}

// client has socat connect to us.
func (tr socatTransport) client(t *testing.T, ctx context.Context, part string) (*peers.Running, stream.ByteStream) {
	t.Helper()
	ln, addr := tr.listening(t, ctx)
	r := peers.Socat(t, part, tr.kind+":"+strings.TrimPrefix(addr, "@"))
	return r, accept(t, ctx, ln)
}

func TestMegabytesAndHalfClosesToSocat(t *testing.T) {
	p := megabytes(t)
	for _, tr := range socatTransports(t) {
		for _, way := range parts {
			t.Run(tr.name+", "+way.name, func(t *testing.T) {
				for side, start := range map[string]func(*testing.T, context.Context, string) (*peers.Running, stream.ByteStream){
					"we dial": tr.server, "we listen": tr.client,
				} {
					t.Run(side, func(t *testing.T) {
						ctx := limited(t)
						address, received := part(t, way.theirs, p)
						r, s := start(t, ctx, address)
						way.ours(t, ctx, s, p)
						r.Wait(t)
						if received != "" {
							got, err := os.ReadFile(received)
							require.NoError(t, err)
							assert.True(t, bytes.Equal(p.content, got))
						}
					})
				}
			})
		}
	}
}
