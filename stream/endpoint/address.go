package endpoint

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// overTLS begins the schemes that put TLS over another.
const overTLS = "tls+"

// An Address is a URI for the scheme that it is of. [Address.HostPort] and
// [Address.Path] read what tcp and unix have behind the colon.
type Address struct {
	// Scheme is in lower case and without the "tls+" in front.
	Scheme string

	// TLS tells whether there was one. It is this package that puts TLS over
	// what the scheme makes.
	TLS bool

	// Rest is what stands behind the colon, as it was written. There are no
	// control characters in it.
	Rest string
}

// parse takes a URI apart as far as all of them are alike (RFC 3986 section
// 3.1).
func parse(uri string) (Address, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	a := Address{Scheme: strings.ToLower(scheme), Rest: rest}
	if !ok || !isScheme(a.Scheme) {
		return a, &URIError{uri, "no scheme: write tcp://host:port or unix:path"}
	}
	a.Scheme, a.TLS = strings.CutPrefix(a.Scheme, overTLS)
	for _, r := range rest {
		if unicode.IsControl(r) {
			return a, a.refuse(fmt.Sprintf("control character %U", r))
		}
	}
	return a, nil
}

// isScheme is for text in lower case.
func isScheme(s string) bool {
	const letters, others = "abcdefghijklmnopqrstuvwxyz", "0123456789+-."
	return strings.Trim(s, letters+others) == "" && s != "" && strings.Contains(letters, s[:1])
}

// HostPort reads "//host:port" and returns it as Dial and Listen take it: IPv6
// addresses in brackets, their zone behind a "%". Either may be a name, and the
// host may be missing, which is for the caller to refuse where it makes no
// sense; the port may not. The error is a [*URIError].
func (a Address) HostPort() (string, error) {
	host, port, err := a.split()
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, port), nil
}

func (a Address) split() (host, port string, err error) {
	authority, ok := strings.CutPrefix(a.Rest, "//")
	if !ok {
		return "", "", a.refuse("no host: write " + a.prefix() + "://host:port")
	}
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		part := map[byte]string{'/': "path", '?': "query", '#': "fragment"}[authority[i]]
		return "", "", a.refuse("there is a " + part + ", and " + a.Scheme + " has none")
	}
	if strings.Contains(authority, "@") {
		return "", "", a.refuse("there is a user, and " + a.Scheme + " has none")
	}
	host, port = cutPort(authority)
	host, reason := readHost(host)
	if reason == "" {
		port, reason = readPort(port)
	}
	if reason != "" {
		return "", "", a.refuse(reason)
	}
	return host, port, nil
}

// cutPort leaves the brackets at the host and the colon at the port.
func cutPort(authority string) (host, port string) {
	end := strings.LastIndexByte(authority, ':')
	if strings.HasPrefix(authority, "[") {
		end = strings.IndexByte(authority, ']') + 1
	}
	if end < 1 && !strings.HasPrefix(authority, ":") {
		return authority, ""
	}
	return authority[:end], authority[end:]
}

// readPort returns the number, or what may be a service's name.
func readPort(text string) (port, reason string) {
	port, ok := strings.CutPrefix(text, ":")
	switch {
	case port == "":
		return "", "missing port"
	case !ok || !isPort(port):
		return "", "port " + strconv.Quote(text)
	}
	return port, ""
}

func isPort(port string) bool {
	if strings.Trim(port, "0123456789") == "" {
		_, err := strconv.ParseUint(port, 10, 16)
		return err == nil
	}
	return strings.IndexFunc(port, func(r rune) bool {
		return r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0 && port[0] != '-'
}

// readHost returns what host stands for, or what is wrong with it.
func readHost(host string) (name, reason string) {
	if literal, ok := strings.CutPrefix(host, "["); ok {
		return readLiteral(literal)
	}
	if strings.Contains(host, ":") {
		return "", "an IPv6 address goes into brackets"
	}
	name, err := url.PathUnescape(host)
	if err != nil || strings.ContainsFunc(name, cannotBeInHost) {
		return "", "host " + strconv.Quote(host)
	}
	return name, ""
}

func cannotBeInHost(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(":/?#[]@%\\", r)
}

// readLiteral takes what follows the opening bracket, with a zone behind "%25" (RFC 6874), or behind "%" as people
// write it (RFC 9844).
func readLiteral(literal string) (name, reason string) {
	literal, closed := strings.CutSuffix(literal, "]")
	text, zone, zoned := strings.Cut(literal, "%")
	if zoned {
		if encoded, ok := strings.CutPrefix(zone, "25"); ok && encoded != "" {
			decoded, err := url.PathUnescape(encoded)
			if err != nil {
				return "", "zone " + strconv.Quote(zone)
			}
			zone = decoded
		}
		text += "%" + zone
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !closed || !addr.Is6() || strings.ContainsFunc(zone, cannotBeInHost) {
		return "", "no IPv6 address in brackets: " + strconv.Quote(literal)
	}
	return text, ""
}

// Path reads "path" or "///path", and returns it decoded: bytes of any kind.
// It may be empty, which is for the caller to refuse where it makes no sense.
// The error is a [*URIError].
func (a Address) Path() (string, error) {
	raw := a.Rest
	if behind, ok := strings.CutPrefix(raw, "//"); ok {
		if !strings.HasPrefix(behind, "/") {
			return "", a.refuse("there is a host, and " + a.Scheme + " has none: write " + a.prefix() + ":path or " + a.prefix() + ":///path")
		}
		raw = behind
	}
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		mark, code := raw[i:i+1], map[byte]string{'?': "%3F", '#': "%23"}[raw[i]]
		return "", a.refuse(mark + " in a path is written " + code)
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		return "", a.refuse("% in a path is written %25")
	}
	return path, nil
}

// prefix is the scheme with what stood in front of it.
func (a Address) prefix() string {
	if a.TLS {
		return overTLS + a.Scheme
	}
	return a.Scheme
}

// uri is what a was parsed from.
func (a Address) uri() string { return a.prefix() + ":" + a.Rest }

func (a Address) refuse(reason string) error { return &URIError{a.uri(), reason} }
