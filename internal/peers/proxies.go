package peers

import (
	"os"
	"path/filepath"
)

// Proxies is where a proxy listens that passes connections on to one server
// with headers of the PROXY protocol.
type Proxies struct {
	V1     string // sends version 1
	V2     string // sends version 2; empty if it cannot
	TLS    string // takes TLS and sends version 2 with what there is to tell; empty if it cannot
	Accept string // takes a header of either version and sends another
}

// HAProxy starts HAProxy before the server at backend. It checks the server's
// health ten times a second by connections of its own, with headers.
func HAProxy(tb TB, files Files, backend string) Proxies {
	tb.Helper()
	path := Program(tb, "haproxy", "haproxy")
	dir, port := directory(tb), ports(tb, 4)
	conf := filepath.Join(dir, "haproxy.cfg")
	write(tb, conf, haproxyConf, map[string]string{
		"BUNDLE": bundle(tb, dir, files), "CA": files.CA, "BACKEND": backend,
		"V1": port[0], "V2": port[1], "TLS": port[2], "ACCEPT": port[3],
	})
	process{dir: dir, argv: []string{path, "-db", "-f", conf}, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Proxies{V1: local(port[0]), V2: local(port[1]), TLS: local(port[2]), Accept: local(port[3])}
}

// bundle writes a certificate and its key into one file, as HAProxy wants them.
func bundle(tb TB, dir string, files Files) string {
	tb.Helper()
	var pem []byte
	for _, name := range []string{files.Cert, files.Key} {
		part, err := os.ReadFile(name)
		if err != nil {
			tb.Fatalf("peers: %v", err)
		}
		pem = append(pem, part...)
	}
	path := filepath.Join(dir, "bundle.pem")
	write(tb, path, string(pem), nil)
	return path
}

const haproxyConf = `
global
    maxconn 200
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 5s
frontend v1
    bind 127.0.0.1:%V1%
    default_backend v1
frontend v2
    bind 127.0.0.1:%V2%
    default_backend v2
frontend tls
    bind 127.0.0.1:%TLS% ssl crt %BUNDLE% ca-file %CA% verify optional alpn h2,echo
    unique-id-format %[uuid()]
    default_backend tls
frontend accept
    bind 127.0.0.1:%ACCEPT% accept-proxy
    default_backend v2
backend v1
    server s %BACKEND% send-proxy
backend v2
    server s %BACKEND% send-proxy-v2 check check-send-proxy inter 100ms
backend tls
    server s %BACKEND% send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id
`

// Nginx starts nginx before the server at backend.
func Nginx(tb TB, backend string) Proxies {
	tb.Helper()
	path, module := nginxStream(tb)
	dir, port := directory(tb), ports(tb, 2)
	conf := filepath.Join(dir, "nginx.conf")
	write(tb, conf, nginxConf, map[string]string{
		"MODULE": module, "DIR": dir, "BACKEND": backend, "V1": port[0], "ACCEPT": port[1],
	})
	argv := []string{path, "-p", dir, "-e", filepath.Join(dir, "log"), "-c", conf}
	process{dir: dir, argv: argv, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Proxies{V1: local(port[0]), Accept: local(port[1])}
}

// nginxStream returns the paths of nginx and of its module for streams.
func nginxStream(tb TB) (path, module string) {
	tb.Helper()
	path = Program(tb, "nginx", "nginx-light")
	module = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(module); err != nil {
		missing(tb, module, "libnginx-mod-stream")
	}
	return path, module
}

const nginxConf = `
load_module %MODULE%;
daemon off;
master_process off;
worker_processes 1;
pid %DIR%/pid;
error_log %DIR%/log info;
events { worker_connections 256; }
stream {
  proxy_half_close on;
  server { listen 127.0.0.1:%V1%; proxy_pass %BACKEND%; proxy_protocol on; }
  server { listen 127.0.0.1:%ACCEPT% proxy_protocol; set_real_ip_from 127.0.0.1; proxy_pass %BACKEND%; proxy_protocol on; }
}
`
