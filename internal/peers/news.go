package peers

import (
	"os"
	"path/filepath"
)

// Nnrpd starts the news server that INN has for readers, with one group and no
// articles, and returns its address.
func Nnrpd(tb TB, files Files) string {
	tb.Helper()
	path := Program(tb, "/usr/lib/news/bin/nnrpd", "inn2")
	asRoot(tb, "nnrpd") // which runs as news, and has no rights for more
	setpriv := Program(tb, "setpriv", "util-linux")
	dir, port := directory(tb), FreePort(tb)
	overview := filepath.Join(dir, "overview")
	if err := os.Mkdir(overview, 0o755); err != nil {
		tb.Fatalf("peers: %v", err)
	}
	values := map[string]string{"DIR": dir}
	for name, content := range map[string]string{
		"inn.conf":             innConf,
		"readers.conf":         "auth all {\n hosts: *\n default: <anybody>\n}\naccess all {\n users: *\n newsgroups: *\n}\n",
		"storage.conf":         "method tradspool {\n newsgroups: *\n class: 0\n}\n",
		"active":               "local.test 0000000000 0000000001 y\n",
		"newsgroups":           "local.test\tA group\n",
		"active.times":         "",
		"overview/group.index": "",
	} {
		write(tb, filepath.Join(dir, name), content, values)
	}
	// The key must belong to whoever reads it.
	run(tb, "cp", files.Cert, filepath.Join(dir, "cert.pem"))
	run(tb, "cp", files.Key, filepath.Join(dir, "key.pem"))
	run(tb, "chown", "-R", "news:news", dir)
	process{
		dir: dir,
		argv: []string{
			setpriv, "--reuid=news", "--regid=news", "--init-groups",
			path, "-D", "-f", "-n", "-4", "127.0.0.1", "-p", port,
		},
		env:  []string{"INNCONF=" + filepath.Join(dir, "inn.conf")},
		addr: local(port),
	}.start(tb)
	return local(port)
}

const innConf = `
mta: "/bin/false"
domain: localdomain
pathhost: localhost
pathnews: /usr/lib/news
pathetc: %DIR%
pathdb: %DIR%
pathrun: %DIR%
pathlog: %DIR%
pathtmp: %DIR%
pathspool: %DIR%
pathoverview: %DIR%/overview
hismethod: hisv6
nnrpdloadlimit: 0
enableoverview: true
ovmethod: tradindexed
tlscapath: %DIR%
tlscertfile: %DIR%/cert.pem
tlskeyfile: %DIR%/key.pem
`
