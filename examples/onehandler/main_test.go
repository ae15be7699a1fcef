package main

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What Linux prints. Other systems know less about a Unix socket's peer.
const want = `tcp     is ipv4, in plain text
tls     is ipv4, TLS 1.3 for "where"
unix    is unix, in plain text
quic    is ipv4, TLS 1.3 for "where"
memory  is no network, in plain text
all     have net.local_addr, net.remote_addr
tcp     + SOCKET, tcp.info
tls     + SOCKET, stream.unread, tcp.info, tls.allows_truncation, TLS
unix    + net.conn, net.family, net.raw_conn, unix.peer_cred
quic    + SOCKET, quic.early_data, quic.idle_timeout, quic.rtt, quic.stats, quic.stream_id, quic.version, TLS, udp.dropped
memory  + nothing else
`

var short = strings.NewReplacer(
	"net.conn, net.family, net.local_addr_port, net.raw_conn, net.remote_addr_port", "SOCKET",
	"tls.alpn_protocol, tls.cipher_suite, tls.curve_id, tls.did_resume, tls.ech_accepted, "+
		"tls.export_keying_material, tls.exporter, tls.hello_retry_request, tls.offered_alpn_protocols, "+
		"tls.offered_cipher_suites, tls.offered_curves, tls.server_end_point, tls.server_name, tls.server_side, "+
		"tls.shared_cipher_suites, tls.shared_curves, tls.state, tls.version", "TLS",
)

func TestOneHandlerServesAllTransports(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	got := short.Replace(out.String())
	if runtime.GOOS != "linux" {
		got, _, _ = strings.Cut(got, "all ")
		assert.Equal(t, strings.SplitAfter(want, "plain text\nall ")[0], got+"all ")
		return
	}
	assert.Equal(t, want, got)
}
