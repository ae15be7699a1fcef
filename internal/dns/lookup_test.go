package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns"
	"github.com/strata-go/strata/internal/dns/dnstest"
)

func TestBothFamiliesAreFoundAAAAAskedFirst(t *testing.T) {
	for range 20 {
		s := serve(t, dual)
		got := lookup(t, client(dns.Config{}, s), "host.test", addressTypes...)
		assert.Equal(t, []netip.Addr{v6}, got[dnsmessage.TypeAAAA].Addrs)
		assert.Equal(t, []netip.Addr{v4}, got[dnsmessage.TypeA].Addrs)
		want := []dnstest.Query{
			{Name: "host.test", Type: dnsmessage.TypeAAAA, Network: "udp", EDNS: true},
			{Name: "host.test", Type: dnsmessage.TypeA, Network: "udp", EDNS: true},
		}
		assert.Equal(t, want, s.Asked())
	}
}

func TestOneFamilyDoesNotWaitForTheOther(t *testing.T) {
	for _, silent := range addressTypes {
		t.Run(silent.String(), func(t *testing.T) {
			s := serve(t, func(q dnstest.Query) dnstest.Reply {
				r := dual(q)
				r.Drop = q.Type == silent
				return r
			})
			enough := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			var got []dns.Answer
			err := client(dns.Config{}, s).Lookup(ctx, "host.test", "", addressTypes, func(a dns.Answer) {
				got = append(got, a)
				cancel(enough)
			})
			require.ErrorIs(t, err, enough)
			require.Len(t, got, 1)
			assert.NotEqual(t, silent, got[0].Type)
		})
	}
}

func TestErrorsAreOfPackageNet(t *testing.T) {
	tests := []struct {
		name  string
		reply dnstest.Reply
		host  string
		want  net.DNSError
	}{
		{"no such name", dnstest.Reply{RCode: dnsmessage.RCodeNameError}, "host.test", net.DNSError{Err: "no such host", IsNotFound: true}},
		{"nothing of the type", dnstest.Reply{}, "host.test", net.DNSError{Err: "no such host", IsNotFound: true}},
		{"the server fails", dnstest.Reply{RCode: dnsmessage.RCodeServerFailure}, "host.test", net.DNSError{Err: "server misbehaving", IsTemporary: true}},
		{"the server refuses", dnstest.Reply{RCode: dnsmessage.RCodeRefused}, "host.test", net.DNSError{Err: "server misbehaving", IsTemporary: true}},
		{"the server knows nothing of it", dnstest.Reply{Header: &dnsmessage.Header{Response: true}}, "host.test", net.DNSError{Err: "lame referral"}},
		{"the answer ends early", dnstest.Reply{
			Records: dnstest.Addrs("host.test", v4),
			Packets: func(p []byte) [][]byte { return [][]byte{p[:len(p)-3]} },
		}, "host.test", net.DNSError{Err: "malformed answer"}},
		{"an empty label", dnstest.Reply{}, "host..test", net.DNSError{Err: "no such host", IsNotFound: true}},
		{"an empty name", dnstest.Reply{}, "", net.DNSError{Err: "no such host", IsNotFound: true}},
		{"a long label", dnstest.Reply{}, strings.Repeat("x", 64) + ".test", net.DNSError{Err: "no such host", IsNotFound: true}},
		{"a long name", dnstest.Reply{}, strings.Repeat("x.", 130), net.DNSError{Err: "no such host", IsNotFound: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(dnstest.Query) dnstest.Reply { return tt.reply })
			got := lookup(t, client(dns.Config{}, s), tt.host, dnsmessage.TypeA)[dnsmessage.TypeA]
			e, ok := errors.AsType[*net.DNSError](got.Err)
			require.True(t, ok, "%v", got.Err)
			assert.Equal(t, tt.host, e.Name)
			tt.want.Name, tt.want.Server, tt.want.UnwrapErr = e.Name, e.Server, e.UnwrapErr
			if diff := cmp.Diff(tt.want.Error(), e.Error()); diff != "" {
				t.Errorf("error mismatch (-want +got):\n%s", diff)
			}
			assert.Equal(t, tt.want.IsNotFound, e.IsNotFound)
			assert.Equal(t, tt.want.IsTemporary, e.IsTemporary)
		})
	}
}

func TestServerThatDoesNotAnswerIsATimeout(t *testing.T) {
	s := serve(t, func(dnstest.Query) dnstest.Reply { return dnstest.Reply{Drop: true} })
	c := client(dns.Config{Timeout: 30 * time.Millisecond}, s)
	got := lookup(t, c, "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	e, ok := errors.AsType[*net.DNSError](got.Err)
	require.True(t, ok, "%v", got.Err)
	assert.True(t, e.IsTimeout)
	assert.Equal(t, s.Addr().String(), e.Server)
}

func TestWithoutServersTheErrorSaysSo(t *testing.T) {
	got := lookup(t, dns.New(dns.Config{}), "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	assert.ErrorContains(t, got.Err, "no DNS servers")
	assert.ErrorContains(t, got.Err, "host.test")
}

func TestCanceledLookupIsToldByItsCause(t *testing.T) {
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := serve(t, func(dnstest.Query) dnstest.Reply {
		cancel(enough)
		return dnstest.Reply{Drop: true}
	})
	err := client(dns.Config{}, s).Lookup(ctx, "host.test", "", addressTypes, func(dns.Answer) { t.Error("answered") })
	assert.Equal(t, enough, err)
}

func TestAliasesAreFollowed(t *testing.T) {
	chain := func(n int) []dnsmessage.Resource {
		var rs []dnsmessage.Resource
		for i := range n {
			rs = append(rs, dnstest.CNAME(fmt.Sprintf("a%d.test", i), fmt.Sprintf("a%d.test", i+1)))
		}
		return append(rs, dnstest.Addrs(fmt.Sprintf("A%d.Test", n), v4)...)
	}
	chaos := dnstest.Addrs("a0.test", v4)
	chaos[0].Header.Class = dnsmessage.ClassCHAOS
	tests := []struct {
		name    string
		records []dnsmessage.Resource
		found   bool
	}{
		{"of another class", chaos, false},
		{"none", chain(0), true},
		{"one", chain(1), true},
		{"as many as are followed", chain(16), true},
		{"one more", chain(17), false},
		{"a circle", []dnsmessage.Resource{dnstest.CNAME("a0.test", "a1.test"), dnstest.CNAME("a1.test", "a0.test")}, false},
		{"to nothing", chain(1)[:1], false},
		{"an address of somebody else", dnstest.Addrs("b.test", v4), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(dnstest.Query) dnstest.Reply { return dnstest.Reply{Records: tt.records} })
			got := lookup(t, client(dns.Config{}, s), "a0.test", dnsmessage.TypeA)[dnsmessage.TypeA]
			assert.Equal(t, tt.found, len(got.Addrs) == 1)
			assert.Equal(t, tt.found, got.Err == nil)
		})
	}
}

func TestErrorOfOneFamilyNamesTheHost(t *testing.T) {
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		if q.Type == dnsmessage.TypeAAAA {
			return dnstest.Reply{}
		}
		return dual(q)
	})
	got := lookup(t, client(dns.Config{}, s), "host.test", addressTypes...)
	assert.ErrorContains(t, got[dnsmessage.TypeAAAA].Err, "lookup host.test")
}

func TestSearchList(t *testing.T) {
	tests := []struct {
		name, host string
		ndots      int
		exists     string // "" if nothing does
		want       []string
	}{
		{"a short name is searched first", "www", 0, "www.b.test", []string{"www.a.test", "www.b.test"}},
		{"and last as it is", "www", 0, "www", []string{"www.a.test", "www.b.test", "www"}},
		{"a name with a dot is tried first", "www.c", 0, "www.c", []string{"www.c"}},
		{"and searched after", "www.c", 0, "www.c.a.test", []string{"www.c", "www.c.a.test"}},
		{"unless it needs more dots", "www.c", 2, "www.c.a.test", []string{"www.c.a.test"}},
		{"no dots needed", "www", -1, "www", []string{"www"}},
		{"a final dot ends the search", "www.", 0, "www.a.test", []string{"www"}},
		{"nothing there", "www", 0, "", []string{"www.a.test", "www.b.test", "www"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(q dnstest.Query) dnstest.Reply {
				if q.Name != tt.exists {
					return dnstest.Reply{RCode: dnsmessage.RCodeNameError}
				}
				return dnstest.Reply{Records: dnstest.Addrs(q.Name, v4)}
			})
			c := client(dns.Config{Search: []string{"a.test", "b.test"}, Ndots: tt.ndots}, s)
			got := lookup(t, c, tt.host, dnsmessage.TypeA)[dnsmessage.TypeA]
			var names []string
			for _, q := range s.Asked() {
				names = append(names, q.Name)
			}
			assert.Equal(t, tt.want, names)
			if len(got.Addrs) == 0 {
				assert.ErrorContains(t, got.Err, "lookup "+tt.host)
			}
		})
	}
}

func TestFamiliesAreOfTheSameName(t *testing.T) {
	// In a.test the host has IPv4, in b.test IPv6: two hosts.
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		if q.Name == "www.a.test" && q.Type == dnsmessage.TypeAAAA || q.Name == "www.b.test" && q.Type == dnsmessage.TypeA {
			return dnstest.Reply{}
		}
		return dual(q)
	})
	got := lookup(t, client(dns.Config{Search: []string{"a.test", "b.test"}}, s), "www", addressTypes...)
	assert.Equal(t, []netip.Addr{v4}, got[dnsmessage.TypeA].Addrs)
	assert.Empty(t, got[dnsmessage.TypeAAAA].Addrs)
}

func TestFailureIsToldBeforeAbsence(t *testing.T) {
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		if q.Name == "www.a.test" {
			return dnstest.Reply{RCode: dnsmessage.RCodeServerFailure}
		}
		return dnstest.Reply{RCode: dnsmessage.RCodeNameError}
	})
	got := lookup(t, client(dns.Config{Search: []string{"a.test"}}, s), "www", dnsmessage.TypeA)[dnsmessage.TypeA]
	assert.ErrorContains(t, got.Err, "misbehaving")
}

func TestNamesThatAreNoServersBusiness(t *testing.T) {
	s := serve(t, dual)
	c := client(dns.Config{}, s)
	for _, host := range []string{"localhost", "LocalHost.", "db.localhost"} {
		got := lookup(t, c, host, addressTypes...)
		assert.Equal(t, []netip.Addr{netip.MustParseAddr("::1")}, got[dnsmessage.TypeAAAA].Addrs)
		assert.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, got[dnsmessage.TypeA].Addrs)
	}
	got := lookup(t, c, "x.onion", dnsmessage.TypeA)[dnsmessage.TypeA]
	assert.ErrorContains(t, got.Err, "no such host")
	assert.Empty(t, s.Asked())
}
