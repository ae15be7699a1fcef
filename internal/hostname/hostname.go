// Package hostname turns the names of hosts into the form that the DNS and
// certificates have them in.
package hostname

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ASCII returns host as the DNS has it. A name in another script goes through
// IDNA 2008 (RFC 5891), as in "xn--fa-hia.de" for "faß.de". What is ASCII
// stays as it is, since IDNA refuses names that exist: "a_b.example.com".
func ASCII(host string) (string, error) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return host, nil
	}
	if !utf8.ValidString(host) {
		return "", fmt.Errorf("idna: name is not UTF-8: %q", host) // for which ToASCII makes something up
	}
	return idna.Lookup.ToASCII(host)
}
