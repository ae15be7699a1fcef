package peers

import (
	"net"
	"net/netip"
)

// GTLSServer starts ngtcp2's server of HTTP/3 over QUIC, with the files of a
// directory, and returns its address. It may not listen yet, but clients of QUIC
// try again.
func GTLSServer(tb TB, files Files, htdocs string, options ...string) netip.AddrPort {
	tb.Helper()
	path := Program(tb, "gtlsserver", "ngtcp2-server")
	port := udpPort(tb)
	argv := append([]string{path, "--quiet", "--htdocs=" + htdocs}, options...)
	process{dir: directory(tb), argv: append(argv, "127.0.0.1", port, files.Key, files.Cert)}.start(tb)
	return netip.MustParseAddrPort(local(port))
}

// udpPort returns a port of 127.0.0.1 that was free for UDP a moment ago.
func udpPort(tb TB) string {
	tb.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("peers: %v", err)
	}
	defer conn.Close()
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String()) // the system's own
	return port
}
