//go:build linux

package peers_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// anyIOVersion is what Python calls a version.
func anyIOVersion(v tls.ProtocolVersion) string { return strings.ReplaceAll(v.String(), " ", "v") }

// tlsToAnyIO connects to AnyIO, or has it connect, and does the handshake.
func tlsToAnyIO(t *testing.T, weDial bool, version tls.ProtocolVersion, opt *tls.Options, args ...string) (*peers.Running, *tls.Conn) {
	t.Helper()
	ctx := limited(t)
	server, client := configs(t, version)
	pem, backend := files(t), backends[int(version)%2]
	args = append(args, "--kind", "tcp", "--version", anyIOVersion(version))
	if weDial {
		r, addr := anyIOServer(t, backend, "127.0.0.1:0", append(args, "--cert", pem.Cert, "--key", pem.Key)...)
		conn, err := tcp.Dial(ctx, addr, nil)
		require.NoError(t, err)
		s, err := tls.WrapClient(ctx, conn, client, opt)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		return r, s
	}
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	ln := tls.NewListener(below, server, opt)
	t.Cleanup(func() { ln.Close() })
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	r := anyIO(t, backend, append(args, "--connect", addr.String(), "--ca", pem.CA)...)
	return r, accept(t, ctx, ln)
}

var sides = map[string]bool{"we dial": true, "we listen": false}

// TestAnyIOEndsTLSAsItIsTold has us end first, so that what AnyIO makes of our end, and
// we of its, is seen: with standard_compatible it says close_notify, without it ends
// the connection alone.
func TestAnyIOEndsTLSAsItIsTold(t *testing.T) {
	p := palindromes(t)
	for _, version := range versions {
		for side, weDial := range sides {
			t.Run(version.String()+", "+side+", it says so", func(t *testing.T) {
				r, s := tlsToAnyIO(t, weDial, version, nil, "--parts", "second", "--payload", p.file)
				first(t, limited(t), s, p)
				assertEndedCleanly(t, s, true)
				r.Wait(t)
			})
			t.Run(version.String()+", "+side+", it does not", func(t *testing.T) {
				r, s := tlsToAnyIO(t, weDial, version, nil, "--parts", "second", "--payload", p.file, "--ragged")
				ctx := limited(t)
				send(t, ctx, s, p)
				got, err := io.ReadAll(stream.NewReader(ctx, s))
				require.ErrorIs(t, err, stream.ErrBroken)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				assert.True(t, string(p.content) == string(got), "all of it, but for the end")
				assertEndedCleanly(t, s, false)
				r.Wait(t)
			})
			t.Run(version.String()+", "+side+", it does not and we tolerate that", func(t *testing.T) {
				r, s := tlsToAnyIO(t, weDial, version, &tls.Options{AllowTruncation: true}, "--parts", "second", "--payload", p.file, "--ragged")
				first(t, limited(t), s, p)
				assertEndedCleanly(t, s, false)
				r.Wait(t)
			})
		}
	}
}

func assertEndedCleanly(t *testing.T, s *tls.Conn, want bool) {
	t.Helper()
	clean, err := tls.EndedCleanly.Get(s)
	require.NoError(t, err)
	assert.Equal(t, want, clean)
}

// TestAnyIOEndsTLSFirst has AnyIO close, for which it wants our close_notify, if it says
// its own.
func TestAnyIOEndsTLSFirst(t *testing.T) {
	p := palindromes(t)
	for _, version := range versions {
		for side, weDial := range sides {
			t.Run(version.String()+", "+side, func(t *testing.T) {
				ctx := limited(t)
				r, s := tlsToAnyIO(t, weDial, version, nil, "--parts", "only_sends", "--payload", p.file)
				receive(t, ctx, s, p)
				require.NoError(t, s.Shutdown(ctx))
				r.Wait(t)
			})
		}
	}
}

func TestAnyIORefusesAWrongName(t *testing.T) {
	ctx := limited(t)
	below, err := tcp.Listen(ctx, "127.0.0.1:0", nil)
	require.NoError(t, err)
	server, _ := configs(t, tls.VersionTLS13)
	failed := make(chan error, 1)
	ln := tls.NewListener(below, server, &tls.Options{OnError: func(_ stream.ByteStream, err error) { failed <- err }})
	accepting, stop := context.WithCancel(ctx)
	accepted := make(chan error, 1)
	go func() {
		_, err := ln.Accept(accepting)
		accepted <- err
	}()
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	r := anyIO(t, "trio", "--kind", "tcp", "--parts", "second", "--connect", addr.String(), "--ca", files(t).CA, "--name", "other.example")
	assert.Contains(t, r.Wait(t), "refused: Hostname mismatch")
	var he *tls.HandshakeError
	require.ErrorAs(t, <-failed, &he) // AnyIO 3 sends no alert and hangs up
	assert.True(t, he.Server)
	stop()
	require.ErrorIs(t, <-accepted, context.Canceled)
	require.NoError(t, ln.Close())
}

func TestWrongNameOfAnyIOIsRefused(t *testing.T) {
	ctx := limited(t)
	pem := files(t)
	_, addr := anyIOServer(t, "asyncio", "127.0.0.1:0", "--kind", "tcp", "--parts", "second", "--cert", pem.Cert, "--key", pem.Key)
	conn, err := tcp.Dial(ctx, addr, nil)
	require.NoError(t, err)
	_, client := configs(t, tls.VersionTLS13)
	client.ServerName = "other.example"
	_, err = tls.WrapClient(ctx, conn, client, nil)
	var he *tls.HandshakeError
	require.ErrorAs(t, err, &he)
	assert.Equal(t, "other.example", he.ServerName)
}
