package peers

import (
	"os"
	"path/filepath"
)

// Slapd starts OpenLDAP's server, with the given password for cn=admin,dc=test, and
// returns its address.
func Slapd(tb TB, files Files, password string) string {
	tb.Helper()
	path := Program(tb, "slapd", "slapd")
	dir, port := directory(tb), ports(tb, 1)[0]
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		tb.Fatalf("peers: %v", err)
	}
	conf := filepath.Join(dir, "slapd.conf")
	write(tb, conf, slapdConf, map[string]string{
		"DIR": dir, "CA": files.CA, "CERT": files.Cert, "KEY": files.Key, "PASSWORD": password,
	})
	process{
		dir:  dir,
		argv: []string{path, "-d", "0", "-f", conf, "-h", "ldap://" + local(port) + "/"},
		addr: local(port),
	}.start(tb)
	return local(port)
}

const slapdConf = `
include /etc/ldap/schema/core.schema
pidfile %DIR%/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile %CA%
TLSCertificateFile %CERT%
TLSCertificateKeyFile %KEY%
database mdb
maxsize 10485760
suffix "dc=test"
rootdn "cn=admin,dc=test"
rootpw %PASSWORD%
directory %DIR%/db
`

// PostgreSQL starts PostgreSQL, which trusts every user under TLS and none without,
// and returns its address.
func PostgreSQL(tb TB, files Files) string {
	tb.Helper()
	const debian = "/usr/lib/postgresql/*/bin/postgres" // not in anybody's PATH
	found, _ := filepath.Glob(debian)                   // the pattern is good
	if len(found) == 0 {
		missing(tb, "postgres", "postgresql")
	}
	asRoot(tb, "postgres")
	bin := filepath.Dir(found[len(found)-1])
	dir, port := directory(tb), ports(tb, 1)[0]
	data, key := filepath.Join(dir, "data"), filepath.Join(dir, "server.key")
	cert := filepath.Join(dir, "server.pem")
	run(tb, "cp", files.Cert, cert)
	run(tb, "cp", files.Key, key)
	run(tb, "chmod", "600", key)
	run(tb, "chown", "-R", "postgres", dir)
	// It refuses to run as root, and su would stay in front of it.
	as := []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}
	run(tb, as[0], append(as[1:], filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-N", "--no-instructions")...)
	write(tb, filepath.Join(data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n", nil)
	process{
		dir: dir,
		argv: append(as, filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-h", "127.0.0.1", "-k", dir,
			"-c", "ssl=on", "-c", "ssl_cert_file="+cert, "-c", "ssl_key_file="+key, "-c", "fsync=off"),
		addr: local(port),
		says: "ready to accept connections", // it listens before it is
	}.start(tb)
	return local(port)
}

// MariaDB starts MariaDB's server, which lets in whoever says a name, and returns its
// address.
func MariaDB(tb TB, files Files) string {
	tb.Helper()
	path := Program(tb, "mariadbd", "mariadb-server-core")
	dir, port := directory(tb), ports(tb, 1)[0]
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		tb.Fatalf("peers: %v", err)
	}
	process{
		dir: dir,
		// It would not run as root without being told so. Without grant tables an empty
		// directory is enough.
		argv: []string{path, "--no-defaults", "--user=root", "--datadir=" + data, "--skip-grant-tables",
			"--skip-innodb", "--default-storage-engine=MyISAM", "--bind-address=127.0.0.1", "--port=" + port,
			"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"),
			"--ssl-cert=" + files.Cert, "--ssl-key=" + files.Key},
		addr: local(port),
	}.start(tb)
	return local(port)
}
