package dns_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns"
	"github.com/strata-go/strata/internal/dns/dnstest"
)

func param(k dnsmessage.SVCParamKey, value string) dnsmessage.SVCParam {
	return dnsmessage.SVCParam{Key: k, Value: []byte(value)}
}

func TestServices(t *testing.T) {
	const (
		mandatory = dnsmessage.SVCParamMandatory
		alpn      = dnsmessage.SVCParamALPN
		noDefault = dnsmessage.SVCParamNoDefaultALPN
		port      = dnsmessage.SVCParamPort
		hint4     = dnsmessage.SVCParamIPv4Hint
		ech       = dnsmessage.SVCParamECH
		hint6     = dnsmessage.SVCParamIPv6Hint
	)
	good := dnstest.HTTPS("host.test", 1, ".")
	tests := []struct {
		name    string
		records []dnsmessage.Resource
		want    []dns.Service
	}{
		{"an alias", []dnsmessage.Resource{dnstest.HTTPS("host.test", 0, "pool.test.", param(port, "x"))}, []dns.Service{{Target: "pool.test"}}},
		{"nothing said", []dnsmessage.Resource{good}, []dns.Service{{Priority: 1}}},
		{
			"everything",
			[]dnsmessage.Resource{dnstest.HTTPS("host.test", 2, "pool.test.",
				param(mandatory, "\x00\x01\x00\x03"), param(alpn, "\x02h2\x02h3"), param(noDefault, ""), param(port, "\x20\xfb"),
				param(hint4, "\xc0\x00\x02\x01\xc0\x00\x02\x02"), param(ech, "\x01\x02"),
				param(hint6, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"), param(667, "what?"))},
			[]dns.Service{{
				Priority: 2, Target: "pool.test", ALPN: []string{"h2", "h3"}, NoDefaultALPN: true, Port: 8443,
				IPv4Hints: []netip.Addr{v4, netip.MustParseAddr("192.0.2.2")}, IPv6Hints: []netip.Addr{v6}, ECH: []byte{1, 2},
			}},
		},
		{
			"behind an alias of the DNS",
			[]dnsmessage.Resource{dnstest.CNAME("host.test", "x.test"), dnstest.HTTPS("x.test", 1, ".")},
			[]dns.Service{{Priority: 1}},
		},
		{
			"what demands the unknown is passed over",
			[]dnsmessage.Resource{dnstest.HTTPS("host.test", 1, ".", param(mandatory, "\x02\x9b"), param(667, "")), dnstest.HTTPS("host.test", 2, ".")},
			[]dns.Service{{Priority: 2}},
		},
		{"ALPN: empty", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(alpn, ""))}, nil},
		{"ALPN: an empty name", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(alpn, "\x00"))}, nil},
		{"ALPN: too short", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(alpn, "\x03h2"))}, nil},
		{"no default ALPN, and no other", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(noDefault, ""))}, nil},
		{"no default ALPN with a value", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(alpn, "\x02h2"), param(noDefault, "x"))}, nil},
		{"a short port", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(port, "1"))}, nil},
		{"half an IPv4 hint", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(hint4, "12"))}, nil},
		{"an empty IPv6 hint", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(hint6, ""))}, nil},
		{"an empty ECH", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(ech, ""))}, nil},
		{"mandatory: empty", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(mandatory, ""))}, nil},
		{"mandatory: odd", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(mandatory, "\x00"))}, nil},
		{"mandatory: itself", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(mandatory, "\x00\x00"))}, nil},
		{"mandatory: absent", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(mandatory, "\x00\x03"))}, nil},
		{"mandatory: descending", []dnsmessage.Resource{good, dnstest.HTTPS("host.test", 1, ".", param(mandatory, "\x00\x03\x00\x01"), param(alpn, "\x02h2"), param(port, "12"))}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(dnstest.Query) dnstest.Reply { return dnstest.Reply{Records: tt.records} })
			got := lookup(t, client(dns.Config{}, s), "host.test", dnsmessage.TypeHTTPS)[dnsmessage.TypeHTTPS]
			if diff := cmp.Diff(tt.want, got.Services, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("services mismatch (-want +got):\n%s", diff)
			}
			assert.Equal(t, len(tt.want) == 0, got.Err != nil)
		})
	}
}

func TestThreeTypesInOneLookup(t *testing.T) {
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		if q.Type == dnsmessage.TypeHTTPS {
			return dnstest.Reply{Records: []dnsmessage.Resource{dnstest.HTTPS(q.Name, 1, ".")}}
		}
		return dual(q)
	})
	types := []dnsmessage.Type{dnsmessage.TypeHTTPS, dnsmessage.TypeAAAA, dnsmessage.TypeA}
	got := lookup(t, client(dns.Config{}, s), "host.test", types...)
	assert.Len(t, got[dnsmessage.TypeHTTPS].Services, 1)
	for i, q := range s.Asked() {
		assert.Equal(t, types[i], q.Type)
	}
}

func TestServicesOfAPortHaveANameOfTheirOwn(t *testing.T) {
	for _, typ := range []dnsmessage.Type{dnsmessage.TypeHTTPS, dnsmessage.TypeSVCB} {
		t.Run(typ.String(), func(t *testing.T) {
			s := serve(t, func(q dnstest.Query) dnstest.Reply {
				switch q.Name {
				case "_8443._x.www.a.test":
					return dnstest.Reply{Records: []dnsmessage.Resource{
						dnstest.HTTPS(q.Name, 1, "h.test."), dnstest.SVCB(q.Name, 1, "s.test."),
					}}
				case "www.a.test":
					return dual(q)
				}
				return dnstest.Reply{RCode: dnsmessage.RCodeNameError}
			})
			got := map[dnsmessage.Type]dns.Answer{}
			c := client(dns.Config{Search: []string{"a.test"}}, s)
			require.NoError(t, c.Lookup(t.Context(), "www", "_8443._x.", []dnsmessage.Type{typ, dnsmessage.TypeA}, func(a dns.Answer) { got[a.Type] = a }))
			assert.Equal(t, []netip.Addr{v4}, got[dnsmessage.TypeA].Addrs)
			require.Len(t, got[typ].Services, 1)
			assert.Equal(t, typ == dnsmessage.TypeSVCB, got[typ].Services[0].Target == "s.test")
		})
	}
}

// rdata returns an answer to the question for the HTTPS records of host.test:
// one, of these bytes.
func rdata(b []byte) ([]byte, dnsmessage.Question) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("host.test."), Type: dnsmessage.TypeHTTPS, Class: dnsmessage.ClassINET}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
		Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.UnknownResource{Type: q.Type, Data: b},
		}},
	}
	packed, err := m.Pack()
	if err != nil {
		panic(err) // of names and lengths, which are right
	}
	return packed, q
}

// params returns those of which s was read.
func params(s dns.Service) []dnsmessage.SVCParam {
	var ps []dnsmessage.SVCParam
	add := func(k dnsmessage.SVCParamKey, there bool, value []byte) {
		if there {
			ps = append(ps, dnsmessage.SVCParam{Key: k, Value: value})
		}
	}
	hint := func(addrs []netip.Addr) (b []byte) {
		for _, a := range addrs {
			b = append(b, a.AsSlice()...)
		}
		return b
	}
	add(dnsmessage.SVCParamALPN, s.ALPN != nil, dnstest.ALPN(s.ALPN...).Value)
	add(dnsmessage.SVCParamNoDefaultALPN, s.NoDefaultALPN, nil)
	add(dnsmessage.SVCParamPort, s.Port != 0, []byte{byte(s.Port >> 8), byte(s.Port)})
	add(dnsmessage.SVCParamIPv4Hint, s.IPv4Hints != nil, hint(s.IPv4Hints))
	add(dnsmessage.SVCParamECH, s.ECH != nil, s.ECH)
	add(dnsmessage.SVCParamIPv6Hint, s.IPv6Hints != nil, hint(s.IPv6Hints))
	return ps
}

// FuzzService reads the data of one record, and what that says again.
func FuzzService(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<15 {
			return
		}
		msg, q := rdata(data)
		a, err := dns.Decode(msg, 7, q)
		if err != nil || len(a.Services) == 0 {
			assert.Empty(t, a.Services)
			return
		}
		require.Len(t, a.Services, 1)
		s := a.Services[0]
		assert.False(t, s.NoDefaultALPN && s.ALPN == nil)
		if s.Priority == 0 {
			assert.Equal(t, dns.Service{Target: s.Target}, s)
		}
		for _, addr := range s.IPv4Hints {
			assert.True(t, addr.Is4())
		}
		for _, addr := range s.IPv6Hints {
			assert.True(t, addr.Is6())
		}
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true, RecursionAvailable: true}, Questions: []dnsmessage.Question{q}}
		m.Answers = []dnsmessage.Resource{dnstest.HTTPS("host.test", s.Priority, s.Target+".", params(s)...)}
		again, err := m.Pack()
		require.NoError(t, err)
		b, err := dns.Decode(again, 7, q)
		require.NoError(t, err)
		assert.Equal(t, a.Services, b.Services)
	})
}

func FuzzAnswer(f *testing.F) {
	types := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeHTTPS, dnsmessage.TypeSVCB}
	seed := func(typ dnsmessage.Type, records ...dnsmessage.Resource) {
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7, Response: true, RecursionAvailable: true},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("host.test."), Type: typ, Class: dnsmessage.ClassINET}},
			Answers:   records,
		}
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	seed(dnsmessage.TypeA, append(dnstest.Addrs("x.test", v4, v4), dnstest.CNAME("host.test", "x.test"))...)
	seed(dnsmessage.TypeAAAA, dnstest.Addrs("host.test", v6)...)
	seed(dnsmessage.TypeHTTPS, dnstest.HTTPS("host.test", 1, ".", param(dnsmessage.SVCParamMandatory, "\x00\x03"),
		param(dnsmessage.SVCParamALPN, "\x02h2"), param(dnsmessage.SVCParamPort, "12"), param(dnsmessage.SVCParamIPv4Hint, "1234")))
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, typ := range types {
			q := dnsmessage.Question{Name: dnsmessage.MustNewName("host.test."), Type: typ, Class: dnsmessage.ClassINET}
			a, err := dns.Decode(msg, 7, q)
			if err != nil {
				assert.Empty(t, a.Addrs)
				continue
			}
			assert.Equal(t, typ, a.Type)
			assert.Equal(t, len(a.Addrs)+len(a.Services) > 0, a.Err == nil)
			for _, addr := range a.Addrs {
				assert.Equal(t, typ == dnsmessage.TypeA, addr.Is4())
			}
		}
	})
}
