//go:build linux

package peers_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/unix"
)

// backends are what AnyIO runs on.
var backends = []string{"asyncio", "trio"}

// anyIO runs testdata/peer.py.
func anyIO(t *testing.T, backend string, args ...string) *peers.Running {
	t.Helper()
	program, err := filepath.Abs(filepath.Join("testdata", "peer.py"))
	require.NoError(t, err)
	return peers.AnyIO(t, program, append([]string{"--backend", backend}, args...)...)
}

// anyIOServer is anyIO for a server at tr's place, whose address it returns too.
func anyIOServer(t *testing.T, backend, local string, args ...string) (r *peers.Running, addr string) {
	t.Helper()
	r = anyIO(t, backend, append(args, "--listen", local)...)
	said, _, _ := strings.Cut(r.Said(), "\n")
	if host, ok := strings.CutSuffix(local, ":0"); ok {
		return r, host + ":" + said
	}
	return r, local
}

func TestMegabytesAndHalfClosesToAnyIO(t *testing.T) {
	p := megabytes(t)
	var theirs []string
	for _, way := range parts {
		theirs = append(theirs, way.theirs)
	}
	overTCP, overUnix := transport{"TCP", "127.0.0.1:0", listenTCP, dialTCP}, transport{"UNIX", place(t), listenUnix, dialUnix}
	for _, tt := range []struct {
		transport
		kind, backend string
	}{
		{overTCP, "tcp", "asyncio"},
		{overTCP, "tcp", "trio"},
		// On asyncio, AnyIO 3 sends the beginning again when the kernel took a
		// part.
		{overUnix, "unix", "trio"},
	} {
		args := []string{"--kind", tt.kind, "--parts", strings.Join(theirs, ","), "--payload", p.file}
		t.Run(tt.name+" with "+tt.backend+", we dial", func(t *testing.T) {
			ctx := limited(t)
			r, addr := anyIOServer(t, tt.backend, tt.local, args...)
			for _, way := range parts {
				s, err := tt.dial(ctx, addr)
				require.NoError(t, err, way.name)
				way.ours(t, ctx, s, p)
				require.NoError(t, s.Close())
			}
			r.Wait(t)
		})
		_ = os.Remove(tt.local) // which AnyIO leaves
		t.Run(tt.name+" with "+tt.backend+", we listen", func(t *testing.T) {
			ctx := limited(t)
			ln, addr := tt.listening(t, ctx)
			r := anyIO(t, tt.backend, append(args, "--connect", addr)...)
			for _, way := range parts {
				s := accept(t, ctx, ln)
				way.ours(t, ctx, s, p)
				require.NoError(t, s.Close())
			}
			r.Wait(t)
		})
	}
}

func TestFilesGoToAnyIOAndBack(t *testing.T) {
	p := megabytes(t)
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			args := []string{"--kind", "unix", "--parts", "files", "--payload", p.file}
			t.Run("we dial", func(t *testing.T) {
				ctx := limited(t)
				r, addr := anyIOServer(t, backend, place(t), args...)
				s, err := unix.Dial(ctx, addr, nil)
				require.NoError(t, err)
				defer s.Close()
				exchangeFiles(t, ctx, s, p)
				r.Wait(t)
			})
			t.Run("we listen", func(t *testing.T) {
				ctx := limited(t)
				addr := place(t)
				ln, err := unix.Listen(ctx, addr, nil)
				require.NoError(t, err)
				defer ln.Close()
				r := anyIO(t, backend, append(args, "--connect", addr)...)
				exchangeFiles(t, ctx, accept(t, ctx, ln), p)
				r.Wait(t)
			})
		})
	}
}

// exchangeFiles gets a file with the payload and a pipe to write to, and sends the
// same.
func exchangeFiles(t *testing.T, ctx context.Context, s *unix.Conn, p payload) {
	t.Helper()
	const piped = "through a pipe"
	message := make([]byte, 100)
	n, got, err := s.ReceiveFiles(ctx, message, 4)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "yours", string(message[:n]))
	content, err := io.ReadAll(got[0])
	require.NoError(t, err)
	assert.True(t, string(p.content) == string(content), "the payload")
	_, err = got[1].WriteString(piped)
	require.NoError(t, err)
	require.NoError(t, got[0].Close())
	require.NoError(t, got[1].Close())

	reads, writes, err := os.Pipe()
	require.NoError(t, err)
	defer reads.Close()
	_, err = s.SendFiles(ctx, []byte("mine"), p.open(t), writes)
	require.NoError(t, err)
	require.NoError(t, writes.Close())
	content, err = io.ReadAll(reads)
	require.NoError(t, err)
	assert.Equal(t, piped, string(content))
	_, err = s.Receive(ctx, message)
	assert.Equal(t, io.EOF, err)
}

func TestPacketsGoToAnyIOAndBack(t *testing.T) {
	kinds := map[string]string{"UDP, IPv4": "udp", "UDP, IPv6": "udp", "UNIX": "unixgram"}
	for i, tr := range packetTransports(t) {
		kind, ok := kinds[tr.name]
		if !ok {
			continue // AnyIO has no abstract names
		}
		t.Run(tr.name+", we dial", func(t *testing.T) {
			ctx := limited(t)
			r, addr := anyIOServer(t, backends[i%2], tr.local, "--kind", kind, "--parts", "echo")
			c, err := tr.dial(ctx, addr)
			require.NoError(t, err)
			defer c.Close()
			askAll(t, ctx, c)
			r.Wait(t)
		})
		_ = os.Remove(tr.local) // which Python leaves
		t.Run(tr.name+", we listen", func(t *testing.T) {
			ctx := limited(t)
			c, addr := tr.listening(t, ctx)
			r := anyIO(t, backends[(i+1)%2], "--kind", kind, "--parts", "ask", "--connect", addr)
			for _, n := range packetSizes {
				got, err := c.echo(ctx)
				require.NoError(t, err)
				assert.Len(t, got, n)
			}
			r.Wait(t)
		})
	}
}
