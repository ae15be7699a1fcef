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
	return record(name, dnsmessage.TypeHTTPS, &dnsmessage.HTTPSResource{SVCBResource: dnsmessage.SVCBResource{
		Priority: priority, Target: dnsmessage.MustNewName(target), Params: params,
	}})
}

func record(name string, typ dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{
			Name: dnsmessage.MustNewName(name + "."), Type: typ, Class: dnsmessage.ClassINET, TTL: 60,
		},
		Body: body,
	}
}
