package layers

import "strings"

// Module is the path that every package of the table lies under.
const Module = "github.com/strata-go/strata"

// A Layer is one row of the diagram: packages that know those of the rows
// below, and neither each other nor anything above.
type Layer struct {
	// Name is what stands at the head of the row.
	Name string

	// Packages are paths under Module. One that ends in "/..." stands for
	// every package under it.
	Packages []string
}

// Diagram is the layer diagram, the top first. It names every package of the
// module. The engine that all sockets share stands half a step below the rest
// of layer 2, part of which rests on it. Above the top row comes bench, a
// module of its own, which nothing here can import.
var Diagram = []Layer{
	{"6", []string{"examples/..."}},
	{"5", []string{"stream/endpoint"}},
	{"4", []string{
		"quic", "structured/process", "structured/signals", "tls/starttls",
		"listener/proxyproto", "listener/activation", "stream/relay",
		"internal/testnet", "internal/peers",
	}},
	{"3", []string{"tls", "tcp", "unix", "udp", "text"}},
	{"2", []string{"stream/netconn", "stream/file", "listener", "memory", "buffered", "stream/streamtest"}},
	{"1+", []string{"internal/ctxio"}},
	{"1", []string{
		"stream", "happyeyeballs", "structured/thread",
		"internal/tlsattr", "internal/sockattr", "internal/adopt", "internal/testpki/gen",
	}},
	{"0", []string{
		"attr", "structured", "internal/dns", "internal/dns/dnstest", "internal/hostname", "internal/sockopt",
		"internal/testpki", "internal/golden", "internal/race", "internal/layers",
	}},
}

// A Ban forbids imports that the order of the layers does not.
type Ban struct {
	// Imports are the paths that are banned, with what lies under them where
	// they end in "/...".
	Imports []string

	// In are the packages of the table that the ban is for; empty for all
	// of them.
	In []string

	// Except are the packages of In that it is not for.
	Except []string
}

// Bans are the bans of this module. A package under attr or structured may
// need more of the system than those two do, so these bans are not for the
// packages below them.
var Bans = []Ban{
	{Imports: []string{"net", "net/http/...", "os/exec"}, In: []string{"attr", "structured"}},
	{Imports: []string{"testing/..."}, Except: []string{"stream/streamtest"}},
	{Imports: []string{
		"github.com/stretchr/testify/...",
		"github.com/google/go-cmp/...", "go.uber.org/goleak",
	}},
}

// Text returns the diagram as docs/architecture.md shows it.
func Text() string {
	var b strings.Builder
	for _, l := range Diagram {
		b.WriteString(row(l))
	}
	return b.String()
}

// row sets a layer as lines of at most 78 columns.
func row(l Layer) string {
	const width, indent = 78, "    "
	line := l.Name + indent[len(l.Name):]
	var b strings.Builder
	for i, p := range l.Packages {
		if i > 0 && len(line)+2+len(p) > width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += p + "  "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	return b.String()
}
