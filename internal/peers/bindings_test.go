//go:build linux

package peers_test

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/peers"
	"github.com/strata-go/strata/tcp"
	"github.com/strata-go/strata/tls"
)

// bindingLabel is what tls-exporter is exported by (RFC 9266).
const bindingLabel = "EXPORTER-Channel-Binding"

// hexOf returns a binding as others print it, empty if there is none.
func hexOf(t *testing.T, key attr.Key[[]byte], p attr.Provider) string {
	t.Helper()
	value, ok := key.Lookup(p)
	if !ok {
		return ""
	}
	require.NotEmpty(t, value)
	return hex.EncodeToString(value)
}

// exported is what tls-exporter is made of without a context, which in TLS 1.2 is
// another key than with an empty one.
func exported(t *testing.T, p attr.Provider) string {
	t.Helper()
	export, err := tls.ExportKeyingMaterial.Get(p)
	require.NoError(t, err)
	key, err := export(bindingLabel, nil, 32)
	require.NoError(t, err)
	return hex.EncodeToString(key)
}

// served accepts one client under TLS, and returns where.
func served(t *testing.T, version tls.ProtocolVersion) (ln *tls.Listener, port string) {
	t.Helper()
	below, err := tcp.Listen(t.Context(), "127.0.0.1:0", nil)
	require.NoError(t, err)
	server, _ := configs(t, version)
	ln = tls.NewListener(below, server, nil)
	t.Cleanup(func() { ln.Close() })
	addr, _ := tcp.LocalAddrPort.Lookup(ln)
	return ln, fmt.Sprint(addr.Port())
}

// said returns what follows the name of a value in an output, in lower case.
func said(output, name string) string {
	found := regexp.MustCompile(regexp.QuoteMeta(name) + `:? ([0-9A-Fa-f]+)\b`).FindStringSubmatch(output)
	if found == nil {
		return ""
	}
	return strings.ToLower(found[1])
}

func TestChannelBindingsAreThoseOfGnuTLS(t *testing.T) {
	pem := files(t)
	for _, version := range versions {
		t.Run(version.String(), func(t *testing.T) {
			ctx := limited(t)
			ln, port := served(t, version)
			r := peers.Start(t, nil, "gnutls-cli", "gnutls-bin", "--verbose", "--x509cafile", pem.CA, "--port", port, "localhost")
			s := accept(t, ctx, ln)
			r.WaitFor(t, "Handshake was completed")
			require.NoError(t, s.Close())
			out := r.Wait(t)
			assert.Equal(t, said(out, "'tls-server-end-point'"), hexOf(t, tls.TLSServerEndPoint, s), out)
			assert.NotEmpty(t, hexOf(t, tls.TLSServerEndPoint, s))
			assert.Equal(t, said(out, "'tls-exporter'"), hexOf(t, tls.TLSExporter, s), out)
			assert.NotEmpty(t, hexOf(t, tls.TLSExporter, s))
			assert.Equal(t, said(out, "'tls-unique'"), hexOf(t, tls.TLSUnique, s), out)
			assert.Equal(t, version == tls.VersionTLS12, hexOf(t, tls.TLSUnique, s) != "")
		})
	}
}

func TestExportedKeysAreThoseOfOpenSSL(t *testing.T) {
	pem := files(t)
	export := []string{"-keymatexport", bindingLabel, "-keymatexportlen", "32"}
	for _, version := range versions {
		t.Run(version.String()+", client", func(t *testing.T) {
			ctx := limited(t)
			ln, port := served(t, version)
			r := peers.Start(t, nil, "openssl", "openssl", append([]string{"s_client", "-connect", "localhost:" + port,
				"-CAfile", pem.CA, "-verify_return_error"}, export...)...)
			s := accept(t, ctx, ln)
			require.NoError(t, s.Shutdown(ctx))
			assert.Equal(t, exported(t, s), said(r.Wait(t), "Keying material"))
		})
		t.Run(version.String()+", server", func(t *testing.T) {
			ctx := limited(t)
			r, addr := peers.OpenSSLServer(t, pem, append(export, "-naccept", "2")...) // the harness connects, too
			_, cfg := configs(t, version)
			s, err := tls.WrapClient(ctx, dialAny(t, addr), cfg, nil)
			require.NoError(t, err)
			defer s.Close()
			r.WaitFor(t, "Keying material:")
			require.NoError(t, s.Shutdown(ctx))
			assert.Equal(t, exported(t, s), said(r.Wait(t), "Keying material"))
		})
	}
}

// TestTLSExporterIsThatOfProsody covers TLS 1.2, where the empty context that the
// binding is defined with makes a difference.
func TestTLSExporterIsThatOfProsody(t *testing.T) {
	ctx := limited(t)
	ln, port := served(t, tls.VersionTLS12)
	program, err := filepath.Abs(filepath.Join("testdata", "exporter.lua"))
	require.NoError(t, err)
	r := peers.Start(t, nil, "lua5.4", "lua5.4 lua-sec", program, port, files(t).CA)
	s := accept(t, ctx, ln)
	theirs := strings.TrimSpace(r.Wait(t))
	assert.Equal(t, hexOf(t, tls.TLSExporter, s), theirs)
	assert.NotEqual(t, exported(t, s), theirs)
}

func TestTLSUniqueIsThatOfPython(t *testing.T) {
	for side, weDial := range sides {
		t.Run(side, func(t *testing.T) {
			r, s := tlsToAnyIO(t, weDial, tls.VersionTLS12, nil, "--parts", "echo")
			require.NoError(t, s.Shutdown(limited(t)))
			assert.Equal(t, hexOf(t, tls.TLSUnique, s), said(r.Wait(t), "TLSv1.2"))
			assert.NotEmpty(t, hexOf(t, tls.TLSUnique, s))
		})
	}
}
