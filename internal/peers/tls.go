package peers

import (
	"os"
	"os/exec"
	"path/filepath"
)

// OpenSSLServer starts openssl s_server with more arguments, such as "-rev" to send back
// every line reversed. It returns its address too.
func OpenSSLServer(tb TB, files Files, args ...string) (r *Running, addr string) {
	tb.Helper()
	path, port := Program(tb, "openssl", "openssl"), FreePort(tb)
	stdin, open, err := os.Pipe() // at whose end it would end
	if err != nil {
		tb.Fatalf("peers: %v", err)
	}
	tb.Cleanup(func() { _, _ = stdin.Close(), open.Close() })
	argv := []string{path, "s_server", "-accept", local(port), "-cert", files.Cert, "-key", files.Key}
	r = process{dir: directory(tb), argv: append(argv, args...), stdin: stdin, addr: local(port)}.start(tb)
	return r, local(port)
}

// SocatServer starts socat, which sends back under TLS what it receives, and returns
// its address.
func SocatServer(tb TB, files Files) string {
	tb.Helper()
	r := Socat(tb, "OPENSSL-LISTEN:0,bind=127.0.0.1,fork,verify=0,cert="+files.Cert+",key="+files.Key, "EXEC:cat")
	return r.Addr(tb).String()
}

// GnuTLSServer starts gnutls-serv, which sends back what it receives, and returns the
// path of a UNIX socket: gnutls-serv listens on all addresses, so it does in a network
// of its own.
func GnuTLSServer(tb TB, files Files) string {
	tb.Helper()
	gnutls, socat := Program(tb, "gnutls-serv", "gnutls-bin"), Program(tb, "socat", "socat")
	if out, err := exec.Command("unshare", "-rn", "true").CombinedOutput(); err != nil {
		tb.Skipf("no namespaces for tests on this machine: %v: %s", err, out)
	}
	dir := directory(tb)
	path := filepath.Join(dir, "s")
	process{
		dir:  dir,
		argv: []string{"unshare", "-rn", "sh", "-c", gnutlsScript, "sh", gnutls, files.Cert, files.Key, socat, path},
		says: "listening on AF=1",
	}.start(tb)
	return path
}

const gnutlsScript = `
ip link set lo up
"$1" --echo -p 5556 --x509certfile "$2" --x509keyfile "$3" & one=$!
"$4" -d -d -t 60 "UNIX-LISTEN:$5,fork" TCP4:127.0.0.1:5556,retry=500,interval=0.01 & other=$!
trap 'kill $one $other' TERM
wait
`

// A Terminator is where a proxy listens that takes TLS, and one that starts it.
type Terminator struct {
	TLS   string // takes TLS, and passes on what is inside
	Plain string // takes anything, and passes it on under TLS
}

// HAProxyTLS starts HAProxy before two servers: one for what comes out of TLS, and one
// for TLS as localhost.
func HAProxyTLS(tb TB, files Files, plain, secure string) Terminator {
	tb.Helper()
	path := Program(tb, "haproxy", "haproxy")
	dir, port := directory(tb), ports(tb, 2)
	conf := filepath.Join(dir, "haproxy.cfg")
	write(tb, conf, haproxyTLSConf, map[string]string{
		"BUNDLE": bundle(tb, dir, files), "CA": files.CA, "TLS": port[0], "CLEAR": port[1], "PLAIN": plain, "SECURE": secure,
	})
	process{dir: dir, argv: []string{path, "-db", "-f", conf}, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Terminator{TLS: local(port[0]), Plain: local(port[1])}
}

const haproxyTLSConf = `
global
    maxconn 200
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen tls
    bind 127.0.0.1:%TLS% ssl crt %BUNDLE%
    server s %PLAIN%
listen plain
    bind 127.0.0.1:%CLEAR%
    server s %SECURE% ssl ca-file %CA% verify required sni str(localhost) verifyhost localhost
`

// NginxTLS is HAProxyTLS for nginx, which passes on the end of one direction only if it
// is told to.
func NginxTLS(tb TB, files Files, plain, secure string, halfClose bool) Terminator {
	tb.Helper()
	path, module := nginxStream(tb)
	dir, port := directory(tb), ports(tb, 2)
	conf := filepath.Join(dir, "nginx.conf")
	half := map[bool]string{true: "on", false: "off"}[halfClose]
	write(tb, conf, nginxTLSConf, map[string]string{
		"MODULE": module, "DIR": dir, "HALF": half, "CA": files.CA, "CERT": files.Cert, "KEY": files.Key,
		"TLS": port[0], "CLEAR": port[1], "PLAIN": plain, "SECURE": secure,
	})
	argv := []string{path, "-p", dir, "-e", filepath.Join(dir, "log"), "-c", conf}
	process{dir: dir, argv: argv, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Terminator{TLS: local(port[0]), Plain: local(port[1])}
}

const nginxTLSConf = `
load_module %MODULE%;
daemon off;
master_process off;
worker_processes 1;
pid %DIR%/pid;
error_log %DIR%/log info;
events { worker_connections 256; }
stream {
  proxy_half_close %HALF%;
  ssl_protocols TLSv1.2 TLSv1.3;
  proxy_ssl_protocols TLSv1.2 TLSv1.3;
  server { listen 127.0.0.1:%TLS% ssl; ssl_certificate %CERT%; ssl_certificate_key %KEY%; proxy_pass %PLAIN%; }
  server {
    listen 127.0.0.1:%CLEAR%; proxy_pass %SECURE%;
    proxy_ssl on; proxy_ssl_verify on; proxy_ssl_trusted_certificate %CA%; proxy_ssl_server_name on; proxy_ssl_name localhost;
  }
}
`

// Stunnel is HAProxyTLS for stunnel. With a protocol, such as "smtp", it has that one's
// dialogue before both handshakes.
func Stunnel(tb TB, files Files, plain, secure, protocol string) Terminator {
	tb.Helper()
	path := Program(tb, "stunnel", "stunnel4")
	dir, port := directory(tb), ports(tb, 2)
	conf := filepath.Join(dir, "stunnel.conf")
	if protocol != "" {
		protocol = "protocol = " + protocol
	}
	write(tb, conf, stunnelConf, map[string]string{
		"PROTOCOL": protocol, "CA": files.CA, "CERT": files.Cert, "KEY": files.Key,
		"TLS": port[0], "CLEAR": port[1], "PLAIN": plain, "SECURE": secure,
	})
	process{dir: dir, argv: []string{path, conf}, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Terminator{TLS: local(port[0]), Plain: local(port[1])}
}

const stunnelConf = `
foreground = yes
pid =
debug = 4
[server]
accept = 127.0.0.1:%TLS%
connect = %PLAIN%
%PROTOCOL%
cert = %CERT%
key = %KEY%
[client]
client = yes
accept = 127.0.0.1:%CLEAR%
connect = %SECURE%
%PROTOCOL%
CAfile = %CA%
verifyChain = yes
checkHost = localhost
sni = localhost
`
