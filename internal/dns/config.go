package dns

import (
	"bufio"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// The defaults and limits of resolv.conf(5).
const (
	defaultTimeout  = 5 * time.Second
	defaultAttempts = 2
	defaultNdots    = 1
	maxNdots        = 15
	maxTimeout      = 30 // s
	maxAttempts     = 5
)

// A Config says whom a [Client] asks and how. The zero Config has no servers.
type Config struct {
	// Servers are asked in order, those with IPv6 addresses first.
	Servers []netip.AddrPort

	// Search are the domains in which names are looked for that have fewer
	// than Ndots dots, before they are looked for as they are; other names
	// are looked for there after that.
	Search []string

	// Ndots is the number of dots that make a name complete. Zero means 1;
	// negative that none are needed.
	Ndots int

	// Timeout is how long to wait for a server. Zero means 5s.
	Timeout time.Duration

	// Attempts is how often to go through the servers. Zero means 2.
	Attempts int

	// Rotate begins each query with another server.
	Rotate bool

	// TCP asks over TCP alone.
	TCP bool
}

// ReadConfig reads a file in the format of resolv.conf(5).
func ReadConfig(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, err
	}
	defer f.Close()
	return ParseConfig(f)
}

// ParseConfig reads what resolv.conf(5) describes: the servers, all of them
// where the C library takes three (RFC 8305 section 3.1), and the last search
// list. What it does not know it passes over. The error is that of r.
func ParseConfig(r io.Reader) (Config, error) {
	var c Config
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		line, _, _ = strings.Cut(line, ";")
		if fields := strings.Fields(line); len(fields) > 1 {
			c.set(fields[0], fields[1:])
		}
	}
	return c, lines.Err()
}

func (c *Config) set(keyword string, values []string) {
	switch keyword {
	case "nameserver":
		if a, err := netip.ParseAddr(values[0]); err == nil {
			c.Servers = append(c.Servers, netip.AddrPortFrom(a.Unmap(), 53))
		}
	case "domain":
		c.Search = domains(values[:1])
	case "search":
		c.Search = domains(values)
	case "options":
		for _, o := range values {
			c.option(o)
		}
	}
}

func domains(values []string) []string {
	var ds []string
	for _, v := range values {
		if v = strings.TrimSuffix(v, "."); v != "" {
			ds = append(ds, v)
		}
	}
	return ds
}

func (c *Config) option(o string) {
	name, value, _ := strings.Cut(o, ":")
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		n = 0 // the default
	}
	switch name {
	case "ndots":
		if c.Ndots = min(n, maxNdots); err == nil && n == 0 {
			c.Ndots = -1
		}
	case "timeout":
		c.Timeout = time.Duration(min(n, maxTimeout)) * time.Second
	case "attempts":
		c.Attempts = min(n, maxAttempts)
	case "rotate":
		c.Rotate = true
	case "use-vc":
		c.TCP = true
	}
}

func (c Config) withDefaults() Config {
	if c.Ndots == 0 {
		c.Ndots = defaultNdots
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Attempts <= 0 {
		c.Attempts = defaultAttempts
	}
	return c
}

// names returns what to look for when asked for host, in order.
func (c Config) names(host string) []string {
	if rooted, ok := strings.CutSuffix(host, "."); ok {
		return []string{rooted}
	}
	searched := make([]string, len(c.Search))
	for i, domain := range c.Search {
		searched[i] = host + "." + domain
	}
	if strings.Count(host, ".") >= c.Ndots {
		return append([]string{host}, searched...)
	}
	return append(searched, host)
}
