package happyeyeballs

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A Service is what a race of version 3 looks for at a host: protocols over
// QUIC and over TCP, and the records in which the DNS tells where they are
// spoken (RFC 9460).
type Service struct {
	// Protocols are what the caller speaks, what it likes best first. Each is
	// tried where the host's records say that it is spoken, and everywhere if
	// there are none. Empty means TCP without ALPN.
	Protocols []Protocol

	// Records says which records to ask for. "https" means HTTPS records, at
	// the host's name or, if the port is neither 443 nor 80, at that of
	// _port._https before it. Anything else, as "_dns" (RFC 9461), is what
	// stands before the host's name, and a dot, where its SVCB records are.
	// Empty asks for none. It takes a Resolver that looks for records, as a
	// DNSResolver does; a SystemResolver, which is the default, does not.
	Records string

	// ECH says what to do about Encrypted Client Hello.
	ECH ECHPolicy
}

// A Protocol is an application protocol and what it runs over.
type Protocol struct {
	ALPN      string    // as in the TLS handshake (RFC 7301); empty if it has no name there, and is spoken everywhere
	Transport Transport // empty means TCP
}

// A Transport is what connections are made with.
type Transport string

// The transports.
const (
	TCP  Transport = "tcp"  // with TLS or without
	QUIC Transport = "quic" // which contains TLS
)

// An ECHPolicy says what a race does about Encrypted Client Hello (RFC 9849).
type ECHPolicy int

const (
	// ECHIgnored is for callers that do not use it. Candidates have none.
	ECHIgnored ECHPolicy = iota

	// ECHOffered gives the configurations to the attempts, and leaves the
	// order to the host. If all of its records have one, only what they lead
	// to is tried (RFC 9848 section 5.1).
	ECHOffered

	// ECHRelied is ECHOffered for callers whose names must not be seen when
	// the host can prevent that. Nothing is tried before the answer about
	// records is there, nor if it could not be had, and what has ECH comes
	// first. It needs a Resolver that looks for records, which a
	// SystemResolver does not, and is of use with one whose answers nobody on
	// the way can suppress.
	ECHRelied
)

// A RecordType is a type of service records.
type RecordType string

// The types of service records.
const (
	HTTPS RecordType = "HTTPS"
	SVCB  RecordType = "SVCB"
)

// A Record is a service record (RFC 9460).
type Record struct {
	Priority      uint16 // the lowest first; 0 is an alias, which has a target only
	Target        string // without the final dot; empty means the name that has the record, and no service in an alias
	ALPN          []string
	NoDefaultALPN bool
	Port          uint16 // 0 if the record names none
	IPv4Hints     []netip.Addr
	IPv6Hints     []netip.Addr
	ECH           []byte // a list of configurations
}

// String writes r as a zone file has it, with less detail.
func (r Record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s.", r.Priority, r.Target)
	if len(r.ALPN) > 0 {
		fmt.Fprintf(&b, " alpn=%s", strings.Join(r.ALPN, ","))
	}
	if r.NoDefaultALPN {
		b.WriteString(" no-default-alpn")
	}
	if r.Port != 0 {
		fmt.Fprintf(&b, " port=%d", r.Port)
	}
	if len(r.ECH) > 0 {
		b.WriteString(" ech")
	}
	for _, a := range slices.Concat(r.IPv4Hints, r.IPv6Hints) {
		fmt.Fprintf(&b, " hint=%s", a)
	}
	return b.String()
}

// hints returns the addresses of family f that r gives in advance.
func (r Record) hints(f Family) []netip.Addr {
	hints := r.IPv6Hints
	if f == IPv4 {
		hints = r.IPv4Hints
	}
	return Answer{Family: f, Addrs: hints}.usable()
}

// defaultALPN is what a service speaks that has HTTPS records, unless these
// have no-default-alpn (RFC 9460 section 9.1).
const defaultALPN = "http/1.1"

// withDefaults returns a copy of v in which zero has become the default.
func (v Service) withDefaults() *Service {
	v.Protocols = slices.Clone(v.Protocols)
	if len(v.Protocols) == 0 {
		v.Protocols = []Protocol{{}}
	}
	for i := range v.Protocols {
		if v.Protocols[i].Transport == "" {
			v.Protocols[i].Transport = TCP
		}
	}
	return &v
}

// question returns what records to ask for, and what stands before the name
// of the host that has them (RFC 9460 sections 2.3 and 9.1).
func (v *Service) question(port uint16) (typ RecordType, prefix string) {
	switch {
	case v.Records == "":
		return "", ""
	case v.Records != "https":
		return SVCB, v.Records + "."
	case port == 443 || port == 80:
		return HTTPS, ""
	}
	return HTTPS, "_" + strconv.Itoa(int(port)) + "._https."
}

// An offer is a transport over which an endpoint can be reached with a
// protocol of ours.
type offer struct {
	transport Transport
	rank      int // of the best such protocol, the lowest first
	alpn      []string
}

// offers returns what the protocols have in common with those of an endpoint:
// one for each transport. Nil stands for an endpoint that may speak anything.
func (v *Service) offers(spoken []string) []offer {
	var os []offer
	for rank, p := range v.Protocols {
		known := slices.ContainsFunc(os, func(o offer) bool { return o.transport == p.Transport })
		if !known && (spoken == nil || p.ALPN == "" || slices.Contains(spoken, p.ALPN)) {
			os = append(os, offer{p.Transport, rank, v.alpn(p.Transport)})
		}
	}
	return os
}

// alpn returns the names of the protocols that run over t.
func (v *Service) alpn(t Transport) []string {
	var ids []string
	for _, p := range v.Protocols {
		if p.Transport == t && p.ALPN != "" {
			ids = append(ids, p.ALPN)
		}
	}
	return ids
}

// spoken returns the protocols of a record, the SVCB ALPN set (RFC 9460
// section 7.1.1). It is nil if the record does not tell.
func (v *Service) spoken(r Record) []string {
	if v.Records == "https" && !r.NoDefaultALPN {
		return append(slices.Clone(r.ALPN), defaultALPN)
	}
	return r.ALPN
}
