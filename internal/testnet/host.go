package testnet

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns/dnstest"
)

// The addresses of a [Host]. They are of the blocks for documentation, which
// RFC 6724 treats like any on the Internet; unique local ones come after IPv4.
const (
	v6Good = "2001:db8:1::1"
	v6Bad  = "2001:db8:bad::1" // drops everything
	v6Bad2 = "2001:db8:bad::2"
	v6Deaf = "2001:db8:1::dead" // nobody listens
	v4Good = "192.0.2.1"
	v4Bad  = "198.51.100.1"
	v6Lost = "2001:db8:404::1" // no route

	// IPv4 has no route to the Internet, and there is a NAT64 with the
	// well-known prefix (RFC 6052): the second is the way to the first.
	v4Far     = "203.0.113.7"
	v6FromFar = "64:ff9b::cb00:7107"

	dnsAddr = "127.0.0.1:53"

	// LinkLocal is an address of the server that needs its zone.
	LinkLocal = "fe80::5%lo"

	// InHosts is a name of the server, at its good addresses, that the file
	// /etc/hosts has and the DNS has not.
	InHosts = "hosts.test"
)

// The files by which the system resolves names.
const (
	resolvConf = "/etc/resolv.conf"
	resolver   = "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n"
	domain     = "search.test" // in which names are searched for

	hosts = "127.0.0.1 localhost\n::1 localhost\n" + v6Good + " " + InHosts + "\n" + v4Good + " " + InHosts + "\n"
)

// A Host is a machine with IPv4 and IPv6, a server on its good addresses, and a
// DNS server for the names of all Scenarios, which is also the system's.
type Host struct {
	Port uint16         // of the server
	DNS  netip.AddrPort // the DNS server

	dns       *dnstest.Server
	listeners []net.Listener
	tasks     sync.WaitGroup
}

// Up makes the host, in a program that [Run] has started. The system's
// resolver waits 2 s for an answer and tries twice.
func Up() (*Host, error) {
	addrs := []string{
		v6Good + "/128 nodad", v6Bad + "/128 nodad", v6Bad2 + "/128 nodad", v6Deaf + "/128 nodad",
		v4Good + "/32", v4Bad + "/32", v6FromFar + "/128 nodad",
		"fe80::5/64 nodad",
	}
	files := map[string]string{resolvConf: resolver + "search " + domain + "\n", "/etc/hosts": hosts}
	routes := []string{"::/0 dev lo", "unreachable 2001:db8:404::/48"}
	if err := configure(addrs, routes, []string{v6Bad, v6Bad2, v4Bad}, files); err != nil {
		return nil, err
	}
	h := &Host{}
	if err := h.serve(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Host) serve() (err error) {
	if h.dns, err = dnstest.Listen(dnsAddr, answer); err != nil {
		return err
	}
	h.DNS = h.dns.Addr()
	port := "0"
	for _, addr := range []string{v6Good, v6Bad, v6Bad2, v4Good, v4Bad, v6FromFar, LinkLocal} {
		ln, err := net.Listen("tcp", net.JoinHostPort(addr, port))
		if err != nil {
			return err
		}
		h.listeners = append(h.listeners, ln)
		h.Port = ln.Addr().(*net.TCPAddr).AddrPort().Port()
		_, port, _ = net.SplitHostPort(ln.Addr().String())
		h.tasks.Go(func() { accept(ln) }) // ends with the listener; Close waits
	}
	return nil
}

// accept hangs up on whoever connects.
func accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}

// Close stops the servers.
func (h *Host) Close() error {
	var errs []error
	for _, ln := range h.listeners {
		errs = append(errs, ln.Close())
	}
	h.tasks.Wait()
	if h.dns != nil {
		errs = append(errs, h.dns.Close())
	}
	return errors.Join(errs...)
}

// answer is the DNS of all scenarios, and a DNS64 for the name by which its
// prefix is found (RFC 7050).
func answer(q dnstest.Query) dnstest.Reply {
	if q.Name == "ipv4only.arpa" && q.Type == dnsmessage.TypeAAAA {
		return have("64:ff9b::192.0.0.170", "64:ff9b::192.0.0.171").reply(q.Name)
	}
	for _, s := range Scenarios {
		if s.name() == q.Name {
			return zone{aaaa: s.aaaa, a: s.a}.reply(q)
		}
	}
	return dnstest.Reply{RCode: dnsmessage.RCodeNameError}
}

// A zone is what the DNS has of a name.
type zone struct{ https, aaaa, a records }

func (z zone) reply(q dnstest.Query) dnstest.Reply {
	switch q.Type {
	case dnsmessage.TypeHTTPS:
		return z.https.reply(q.Name)
	case dnsmessage.TypeAAAA:
		return z.aaaa.reply(q.Name)
	case dnsmessage.TypeA:
		return z.a.reply(q.Name)
	}
	return dnstest.Reply{}
}

// records are what the DNS has of one type.
type records struct {
	dnstest.Reply
	addrs   []string
	alias   string
	service func(name string) dnsmessage.Resource // nil if there is none
}

func (r records) reply(name string) dnstest.Reply {
	reply := r.Reply
	if r.alias != "" {
		reply.Records = append(reply.Records, dnstest.CNAME(name, r.alias))
		name = r.alias
	}
	if r.service != nil {
		reply.Records = append(reply.Records, r.service(name))
	}
	for _, a := range r.addrs {
		reply.Records = append(reply.Records, dnstest.Addrs(name, netip.MustParseAddr(a))...)
	}
	return reply
}
