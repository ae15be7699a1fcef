package peers

import (
	"os"
	"path/filepath"
)

// Mail is where a server of mailboxes listens. Every user's password is "secret".
type Mail struct {
	IMAP, POP3, Sieve string
}

// Dovecot starts Dovecot, which allows logins under TLS only.
func Dovecot(tb TB, files Files) Mail {
	tb.Helper()
	path := Program(tb, "dovecot", "dovecot-imapd dovecot-pop3d dovecot-managesieved")
	Program(tb, "/usr/lib/dovecot/managesieve", "dovecot-managesieved")
	asRoot(tb, "dovecot")
	dir, port := directory(tb), ports(tb, 3)
	for _, sub := range []string{"run", "mail"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			tb.Fatalf("peers: %v", err)
		}
	}
	run(tb, "chown", "nobody:nogroup", filepath.Join(dir, "mail"))
	conf := filepath.Join(dir, "dovecot.conf")
	write(tb, conf, dovecotConf, map[string]string{
		"DIR": dir, "CERT": files.Cert, "KEY": files.Key, "IMAP": port[0], "POP3": port[1], "SIEVE": port[2],
	})
	process{dir: dir, argv: []string{path, "-F", "-c", conf}, addr: local(port[0]), ports: port[1:]}.start(tb)
	return Mail{IMAP: local(port[0]), POP3: local(port[1]), Sieve: local(port[2])}
}

const dovecotConf = `
base_dir = %DIR%/run
state_dir = %DIR%/run
log_path = %DIR%/log
protocols = imap pop3 sieve
listen = 127.0.0.1
ssl = required
ssl_cert = <%CERT%
ssl_key = <%KEY%
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = yes
mail_location = maildir:%DIR%/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%DIR%/mail/%u
}
first_valid_uid = 1
service imap-login {
  inet_listener imap {
    port = %IMAP%
  }
  inet_listener imaps {
    port = 0
  }
}
service managesieve-login {
  inet_listener sieve {
    port = %SIEVE%
  }
}
service pop3-login {
  inet_listener pop3 {
    port = %POP3%
  }
  inet_listener pop3s {
    port = 0
  }
}
`

// Postfix starts Postfix, which takes mail for anybody from anybody and throws it
// away, and returns its address.
func Postfix(tb TB, files Files) string {
	tb.Helper()
	postfix := Program(tb, "postfix", "postfix")
	asRoot(tb, "postfix")
	dir, port := directory(tb), ports(tb, 1)[0]
	conf, spool := filepath.Join(dir, "conf"), filepath.Join(dir, "spool")
	for _, sub := range []string{conf, spool, filepath.Join(dir, "lib")} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			tb.Fatalf("peers: %v", err)
		}
	}
	run(tb, "chown", "postfix", filepath.Join(dir, "lib"))
	values := map[string]string{"DIR": dir, "CERT": files.Cert, "KEY": files.Key, "PORT": port}
	write(tb, filepath.Join(conf, "main.cf"), postfixMain, values)
	write(tb, filepath.Join(conf, "master.cf"), postfixMaster, values)
	run(tb, "chmod", "644", filepath.Join(conf, "main.cf"), filepath.Join(conf, "master.cf"))
	run(tb, postfix, "-c", conf, "check") // makes the directories of the queue
	process{
		dir:  dir,
		argv: []string{"/usr/lib/postfix/sbin/master", "-c", conf, "-d"},
		env:  []string{"MAIL_CONFIG=" + conf},
		addr: local(port),
	}.start(tb)
	return local(port)
}

const postfixMain = `
compatibility_level = 3.6
queue_directory = %DIR%/spool
data_directory = %DIR%/lib
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
maillog_file_prefixes = /dev/stdout
myhostname = localhost
mydestination = localhost
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
default_transport = discard
local_transport = discard
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = %KEY%, %CERT%
`

const postfixMaster = `
postlog   unix-dgram n  -       n       -       1       postlogd
%PORT%    inet  n       -       n       -       -       smtpd
rewrite   unix  -       -       n       -       -       trivial-rewrite
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
anvil     unix  -       -       n       -       1       anvil
proxymap  unix  -       -       n       -       -       proxymap
discard   unix  -       -       n       -       -       discard
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
`
