// Package hostname turns the names of hosts into the form that the DNS and
// certificates have them in, and takes addresses with names apart.
package hostname

import (
	"context"
	"fmt"
	"net"
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

// ForLookup is ASCII with an error as package net's are for addresses.
func ForLookup(host string) (string, error) {
	name, err := ASCII(host)
	if err != nil {
		return "", &net.AddrError{Err: "not a host name: " + err.Error(), Addr: host}
	}
	return name, nil
}

// Split returns the host and the port of an address, "host:port", of which each
// may be missing. The port may be the name of a service of network.
func Split(ctx context.Context, network, addr string) (host string, port uint16, err error) {
	if addr == "" {
		return "", 0, &net.AddrError{Err: "empty address"}
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, network, service)
	return host, uint16(n), err
}
