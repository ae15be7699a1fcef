package peers

import (
	"os"
	"path/filepath"
)

// ProFTPD starts ProFTPD, which speaks FTP under TLS only and wants data connections to
// resume the session of the control connection, and returns its address. The user is bob,
// with the given password; his directory is empty.
func ProFTPD(tb TB, files Files, password string) string {
	tb.Helper()
	path := Program(tb, "proftpd", "proftpd-core proftpd-mod-crypto")
	openssl := Program(tb, "openssl", "openssl")
	asRoot(tb, "proftpd")
	dir, port := directory(tb), ports(tb, 1)[0]
	home, users := filepath.Join(dir, "home"), filepath.Join(dir, "passwd")
	if err := os.Mkdir(home, 0o755); err != nil {
		tb.Fatalf("peers: %v", err)
	}
	run(tb, "chown", "nobody:nogroup", home)
	script := `printf 'bob:%s:65534:65534::%s:/bin/false\n' "$("$1" passwd -6 "$2")" "$3" >"$4" && chmod 600 "$4"`
	run(tb, "sh", "-c", script, "sh", openssl, password, home, users)
	conf := filepath.Join(dir, "proftpd.conf")
	write(tb, conf, proftpdConf, map[string]string{
		"DIR": dir, "PORT": port, "USERS": users, "CA": files.CA, "CERT": files.Cert, "KEY": files.Key,
	})
	process{dir: dir, argv: []string{path, "-n", "-q", "-c", conf}, addr: local(port)}.start(tb)
	return local(port)
}

const proftpdConf = `
ServerName "test"
ServerType standalone
DefaultServer on
DefaultAddress 127.0.0.1
Port %PORT%
User nobody
Group nogroup
UseIPv6 off
PidFile %DIR%/pid
ScoreboardFile %DIR%/score
DelayEngine off
WtmpLog off
TransferLog none
SystemLog %DIR%/log
AuthOrder mod_auth_file.c
AuthUserFile %USERS%
RequireValidShell off
LoadModule mod_tls.c
<IfModule mod_tls.c>
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile %CERT%
TLSECCertificateKeyFile %KEY%
TLSCACertificateFile %CA%
</IfModule>
`
