package peers

import (
	"net/netip"
	"path/filepath"
)

// Dnsmasq starts dnsmasq, a DNS server that knows the hosts of a file in the format of
// /etc/hosts, is told more by args, and answers that it knows no other name under
// test. It answers over UDP and TCP.
func Dnsmasq(tb TB, hosts string, args ...string) netip.AddrPort {
	tb.Helper()
	path := Program(tb, "dnsmasq", "dnsmasq-base")
	dir, port := directory(tb), ports(tb, 1)[0]
	file := filepath.Join(dir, "hosts")
	write(tb, file, hosts, nil)
	argv := []string{
		path, "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=", "--log-facility=-",
		"--listen-address=127.0.0.1", "--bind-interfaces", "--port=" + port,
		"--no-resolv", "--no-hosts", "--addn-hosts=" + file, "--local=/test/",
	}
	process{dir: dir, argv: append(argv, args...), addr: local(port)}.start(tb)
	return netip.MustParseAddrPort(local(port))
}
