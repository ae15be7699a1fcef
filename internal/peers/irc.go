package peers

import "path/filepath"

// InspIRCd starts InspIRCd and returns its address.
func InspIRCd(tb TB, files Files) string {
	tb.Helper()
	path := Program(tb, "inspircd", "inspircd")
	asRoot(tb, "inspircd") // which some builds insist to be told about
	dir, port := directory(tb), FreePort(tb)
	conf := filepath.Join(dir, "inspircd.conf")
	write(tb, conf, inspircdConf, map[string]string{
		"DIR": dir, "PORT": port, "CA": files.CA, "CERT": files.Cert, "KEY": files.Key,
	})
	process{
		dir:  dir,
		argv: []string{path, "--nofork", "--runasroot", "--nopid", "--config", conf},
		addr: local(port),
	}.start(tb)
	return local(port)
}

const inspircdConf = `
<server name="irc.localhost" description="Test" network="Test">
<admin name="nobody" nick="nobody" email="nobody@localhost">
<bind address="127.0.0.1" port="%PORT%" type="clients">
<module name="ssl_gnutls">
<module name="starttls">
<sslprofile name="Clients" provider="gnutls" certfile="%CERT%" keyfile="%KEY%" cafile="%CA%" hash="sha256">
<starttls profile="Clients" onconnect="yes">
<connect allow="127.0.0.1" timeout="60" resolvehostnames="no" useident="no">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="%DIR%/log" flush="1">
<options>
`
