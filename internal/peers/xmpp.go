package peers

import (
	"os"
	"path/filepath"
)

// Messaging is where an XMPP server listens, for clients and for other servers.
type Messaging struct {
	Clients, Servers string
}

// Prosody starts Prosody for the domain localhost, which requires TLS.
func Prosody(tb TB, files Files) Messaging {
	tb.Helper()
	path := Program(tb, "prosody", "prosody lua-sec")
	asRoot(tb, "prosody")
	dir, port := directory(tb), ports(tb, 2)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		tb.Fatalf("peers: %v", err)
	}
	conf := filepath.Join(dir, "prosody.cfg.lua")
	write(tb, conf, prosodyConf, map[string]string{
		"DIR": dir, "CLIENTS": port[0], "SERVERS": port[1], "CA": files.CA, "CERT": files.Cert, "KEY": files.Key,
	})
	process{dir: dir, argv: []string{path, "-F", "--config", conf}, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Messaging{Clients: local(port[0]), Servers: local(port[1])}
}

const prosodyConf = `
run_as_root = true
daemonize = false
pidfile = "%DIR%/pid"
data_path = "%DIR%/data"
log = { { levels = { min = "info" }, to = "file", filename = "%DIR%/log" } }
interfaces = { "127.0.0.1" }
modules_enabled = { "roster", "saslauth", "tls", "disco", "s2s", "dialback" }
modules_disabled = { "posix" }
authentication = "internal_plain"
c2s_require_encryption = true
s2s_require_encryption = true
c2s_ports = { %CLIENTS% }
c2s_direct_tls_ports = {}
s2s_ports = { %SERVERS% }
ssl = { certificate = "%CERT%", key = "%KEY%", cafile = "%CA%" }
VirtualHost "localhost"
`
