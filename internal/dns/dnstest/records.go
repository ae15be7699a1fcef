package dnstest

import (
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Addrs returns an A or AAAA record for each address.
func Addrs(name string, addrs ...netip.Addr) []dnsmessage.Resource {
	var rs []dnsmessage.Resource
	for _, a := range addrs {
		if a.Is4() {
			rs = append(rs, record(name, dnsmessage.TypeA, &dnsmessage.AResource{A: a.As4()}))
		} else {
			rs = append(rs, record(name, dnsmessage.TypeAAAA, &dnsmessage.AAAAResource{AAAA: a.As16()}))
		}
	}
	return rs
}

// CNAME returns the record that makes name an alias of target.
func CNAME(name, target string) dnsmessage.Resource {
	return record(name, dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(target + ".")})
}

// HTTPS returns a service record of name. The target is written as it is, with
// its final dot.
func HTTPS(name string, priority uint16, target string, params ...dnsmessage.SVCParam) dnsmessage.Resource {
	return record(name, dnsmessage.TypeHTTPS, &dnsmessage.HTTPSResource{SVCBResource: service(priority, target, params)})
}

// SVCB is HTTPS for a record of the type SVCB.
func SVCB(name string, priority uint16, target string, params ...dnsmessage.SVCParam) dnsmessage.Resource {
	r := service(priority, target, params)
	return record(name, dnsmessage.TypeSVCB, &r)
}

func service(priority uint16, target string, params []dnsmessage.SVCParam) dnsmessage.SVCBResource {
	return dnsmessage.SVCBResource{Priority: priority, Target: dnsmessage.MustNewName(target), Params: params}
}

// ALPN returns the parameter that names protocols.
func ALPN(ids ...string) dnsmessage.SVCParam {
	var value []byte
	for _, id := range ids {
		value = append(append(value, byte(len(id))), id...)
	}
	return dnsmessage.SVCParam{Key: dnsmessage.SVCParamALPN, Value: value}
}

// Hint returns the parameter that names an address in advance.
func Hint(a netip.Addr) dnsmessage.SVCParam {
	if a.Is4() {
		return dnsmessage.SVCParam{Key: dnsmessage.SVCParamIPv4Hint, Value: a.AsSlice()}
	}
	return dnsmessage.SVCParam{Key: dnsmessage.SVCParamIPv6Hint, Value: a.AsSlice()}
}

func record(name string, typ dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{
			Name: dnsmessage.MustNewName(name + "."), Type: typ, Class: dnsmessage.ClassINET, TTL: 60,
		},
		Body: body,
	}
}
