package peers

import (
	"net/netip"
	"os"
	"regexp"
)

// Socat starts socat between two of its addresses. If the first one listens, it does
// when Socat returns. An end of either side is passed on to the other, and socat goes
// on with the direction that is left.
func Socat(tb TB, one, other string) *Running {
	tb.Helper()
	p := process{
		dir:  directory(tb),
		argv: []string{Program(tb, "socat", "socat"), "-d", "-d", "-t", "60", "-b", "65536", one, other},
	}
	if listens.MatchString(one) {
		p.says = "ing on " // listening or, without connections, receiving
	}
	return p.start(tb)
}

var (
	listens     = regexp.MustCompile(`(?i)-(listen|recvfrom)\b`)
	listeningOn = regexp.MustCompile(`listening on (?:UDP )?AF=\d+ (\S+)`)
)

// Addr returns where a socat listens that was told port 0.
func (r *Running) Addr(tb TB) netip.AddrPort {
	tb.Helper()
	said := listeningOn.FindStringSubmatch(r.output())
	if said == nil {
		tb.Fatalf("peers: %s does not listen: %s", r.argv[0], r.output())
	}
	addr, err := netip.ParseAddrPort(said[1])
	if err != nil {
		tb.Fatalf("peers: %v", err)
	}
	return addr
}

// Start starts a program with an input, which may be nil for none.
func Start(tb TB, stdin *os.File, name, debianPackage string, args ...string) *Running {
	tb.Helper()
	path := Program(tb, name, debianPackage)
	return process{dir: directory(tb), argv: append([]string{path}, args...), stdin: stdin}.start(tb)
}

// Python returns the path of Debian's Python, which is not everybody's, and has the
// modules named, or ends the test.
func Python(tb TB, modules ...string) string {
	tb.Helper()
	for _, name := range modules {
		if _, err := os.Stat("/usr/lib/python3/dist-packages/" + name); err != nil {
			missing(tb, name, "python3-"+name)
		}
	}
	return "/usr/bin/python3"
}

// AnyIO runs a program in Python that needs AnyIO and Trio, and returns once it has
// printed a line.
func AnyIO(tb TB, program string, args ...string) *Running {
	tb.Helper()
	argv := append([]string{Python(tb, "anyio", "trio"), "-W", "ignore", program}, args...)
	return process{dir: directory(tb), argv: argv, says: "\n"}.start(tb)
}
