package dns_test

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/strata-go/strata/internal/dns"
	"github.com/strata-go/strata/internal/dns/dnstest"
)

// impatient is for clients of a server that does not answer beside one that
// does: they ask both again until that one did, however slow the machine.
var impatient = dns.Config{Timeout: 100 * time.Millisecond, Attempts: 1000}

// networks returns how a server was asked, and whether with EDNS(0).
func networks(s *dnstest.Server) []string {
	var all []string
	for _, q := range s.Asked() {
		if q.EDNS {
			q.Network += "+edns"
		}
		all = append(all, q.Network)
	}
	return all
}

func find(t *testing.T, c *dns.Client) {
	t.Helper()
	got := lookup(t, c, "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	require.NoError(t, got.Err)
	assert.Equal(t, v4, got.Addrs[0])
}

func TestTruncatedAnswerComesOverTCP(t *testing.T) {
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		many := make([]netip.Addr, 500)
		for i := range many {
			many[i] = v4
		}
		return dnstest.Reply{Records: dnstest.Addrs(q.Name, many...), Truncate: true}
	})
	got := lookup(t, client(dns.Config{}, s), "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	assert.Len(t, got.Addrs, 500)
	assert.Equal(t, []string{"udp+edns", "tcp+edns"}, networks(s))
}

func TestTruncatedAnswerComesWithoutEDNSWhereThatIsUnknown(t *testing.T) {
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		if q.EDNS {
			return dnstest.Reply{RCode: dnsmessage.RCodeFormatError}
		}
		return dnstest.Reply{Records: dnstest.Addrs(q.Name, v4), Truncate: true}
	})
	find(t, client(dns.Config{}, s))
	assert.Equal(t, []string{"udp+edns", "udp", "tcp"}, networks(s))
}

func TestTCPAlone(t *testing.T) {
	s := serve(t, dual)
	find(t, client(dns.Config{TCP: true}, s))
	assert.Equal(t, []string{"tcp+edns"}, networks(s))
}

func TestServerWithoutEDNSIsAskedWithoutIt(t *testing.T) {
	for name, shorten := range map[string]bool{"question repeated": false, "header alone": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(q dnstest.Query) dnstest.Reply {
				if !q.EDNS {
					return dual(q)
				}
				r := dnstest.Reply{RCode: dnsmessage.RCodeFormatError}
				if shorten {
					r.Packets = func(p []byte) [][]byte {
						p[5] = 0 // no question
						return [][]byte{p[:12]}
					}
				}
				return r
			})
			find(t, client(dns.Config{}, s))
			assert.Equal(t, []string{"udp+edns", "udp"}, networks(s))
		})
	}
}

func TestForgedAnswersArePassedOver(t *testing.T) {
	// The right answer has v4; what comes before it must not count.
	flip := func(at int) func([]byte) []byte {
		return func(p []byte) []byte { p[at] ^= 1; return p }
	}
	forgeries := map[string]func([]byte) []byte{
		"another ID":       flip(1),
		"a query":          func(p []byte) []byte { p[2] &^= 0x80; return p },
		"another opcode":   func(p []byte) []byte { p[2] |= 0x08; return p },
		"another name":     flip(13),
		"another type":     flip(12 + len("host.test") + 3),
		"another class":    flip(12 + len("host.test") + 5),
		"no question":      func(p []byte) []byte { p[5] = 0; return p },
		"less than header": func(p []byte) []byte { return p[:7] },
		"nothing":          func(p []byte) []byte { return p[:0] },
	}
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(q dnstest.Query) dnstest.Reply {
				return dnstest.Reply{
					Records: dnstest.Addrs(q.Name, v4),
					Packets: func(p []byte) [][]byte {
						fake := forge(append([]byte(nil), p...))
						if len(fake) > 12 {
							fake[len(fake)-1] = 99 // the address of the forger
						}
						return [][]byte{fake, p}
					},
				}
			})
			find(t, client(dns.Config{}, s))
		})
	}
}

func TestCaseOfTheQuestionDoesNotMatter(t *testing.T) {
	s := serve(t, func(q dnstest.Query) dnstest.Reply {
		return dnstest.Reply{
			Records: dnstest.Addrs(q.Name, v4),
			Packets: func(p []byte) [][]byte { p[13] = 'H'; return [][]byte{p} },
		}
	})
	find(t, client(dns.Config{}, s))
}

func TestNextServerIsAsked(t *testing.T) {
	replies := map[string]dnstest.Reply{
		"fails":   {RCode: dnsmessage.RCodeServerFailure},
		"refuses": {RCode: dnsmessage.RCodeRefused},
		"is lame": {Header: &dnsmessage.Header{Response: true}},
	}
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			first := serve(t, func(dnstest.Query) dnstest.Reply { return reply })
			second := serve(t, dual)
			find(t, client(dns.Config{}, first, second))
			assert.Len(t, first.Asked(), 1)
			assert.Len(t, second.Asked(), 1)
		})
	}
}

func TestServersAreAskedAsOftenAsThereAreAttempts(t *testing.T) {
	fail := func(dnstest.Query) dnstest.Reply { return dnstest.Reply{RCode: dnsmessage.RCodeServerFailure} }
	first, second := serve(t, fail), serve(t, fail)
	got := lookup(t, client(dns.Config{Attempts: 3}, first, second), "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	require.Error(t, got.Err)
	assert.Len(t, first.Asked(), 3)
	assert.Len(t, second.Asked(), 3)
}

func TestNoSuchNameIsFinal(t *testing.T) {
	first := serve(t, func(dnstest.Query) dnstest.Reply { return dnstest.Reply{RCode: dnsmessage.RCodeNameError} })
	second := serve(t, dual)
	got := lookup(t, client(dns.Config{}, first, second), "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	require.Error(t, got.Err)
	assert.Empty(t, second.Asked())
}

func TestPortWithoutServerCostsNoTimeout(t *testing.T) {
	closed := serve(t, dual)
	addr := closed.Addr()
	require.NoError(t, closed.Close())
	second := serve(t, dual)
	find(t, dns.New(dns.Config{Servers: []netip.AddrPort{addr, second.Addr()}, Timeout: time.Hour}))
}

func TestAnotherServerIsAskedInPlaceOfASilentOneAndFirstNextTime(t *testing.T) {
	first := serve(t, func(dnstest.Query) dnstest.Reply { return dnstest.Reply{Drop: true} })
	second := serve(t, dual)
	c := client(impatient, first, second)
	require.Equal(t, []netip.AddrPort{first.Addr(), second.Addr()}, dns.Order(c))
	find(t, c)
	assert.Equal(t, []netip.AddrPort{second.Addr(), first.Addr()}, dns.Order(c))
}

func TestPenaltyOfASilentServerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := servers("[::1]:53", "127.0.0.1:53")
		c := dns.New(dns.Config{Servers: list})
		dns.Remember(c, list[0], os.ErrDeadlineExceeded)
		assert.Equal(t, list[1], dns.Order(c)[0])
		<-time.After(30 * time.Second)
		assert.Equal(t, list[0], dns.Order(c)[0])
	})
}

func TestAnswerEndsThePenalty(t *testing.T) {
	first := serve(t, dual)
	second := serve(t, func(dnstest.Query) dnstest.Reply { return dnstest.Reply{RCode: dnsmessage.RCodeServerFailure} })
	c := client(dns.Config{}, first, second)
	dns.Remember(c, first.Addr(), os.ErrDeadlineExceeded)
	find(t, c)
	assert.Len(t, second.Asked(), 1)
	assert.Equal(t, first.Addr(), dns.Order(c)[0])
}

func TestServersTakeTurnsWhenRotated(t *testing.T) {
	a, b := serve(t, dual), serve(t, dual)
	c := client(dns.Config{Rotate: true}, a, b)
	for range 4 {
		find(t, c)
	}
	assert.Len(t, a.Asked(), 2)
	assert.Len(t, b.Asked(), 2)
}

func TestServersOverIPv6AreFirst(t *testing.T) {
	in := servers("192.0.2.53:53", "127.0.0.53:53", "[2001:db8::53]:53", "198.51.100.53:53")
	want := servers("127.0.0.53:53", "[2001:db8::53]:53", "192.0.2.53:53", "198.51.100.53:53")
	assert.Equal(t, want, dns.Order(dns.New(dns.Config{Servers: in})))
	assert.Equal(t, "192.0.2.53:53", in[0].String(), "the caller's slice")
}

func TestTCPServerThatHangsUpIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	go func() { // ends with the listener
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte{0, 50, 1}) // of an answer that does not come
			conn.Close()
		}
	}()
	c := dns.New(dns.Config{Servers: servers(ln.Addr().String()), TCP: true})
	got := lookup(t, c, "host.test", dnsmessage.TypeA)[dnsmessage.TypeA]
	assert.Error(t, got.Err)
}
