package dns_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/dns"
)

func servers(list ...string) []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range list {
		all = append(all, netip.MustParseAddrPort(s))
	}
	return all
}

func TestResolvConf(t *testing.T) {
	tests := []struct {
		name, in string
		want     dns.Config
	}{
		{"empty", "", dns.Config{}},
		{"servers", "nameserver 192.0.2.53\nnameserver 2001:db8::53\n", dns.Config{Servers: servers("192.0.2.53:53", "[2001:db8::53]:53")}},
		{"a zone", "nameserver fe80::1%eth0", dns.Config{Servers: servers("[fe80::1%eth0]:53")}},
		{"every server counts", strings.Repeat("nameserver ::1\n", 5), dns.Config{Servers: servers("[::1]:53", "[::1]:53", "[::1]:53", "[::1]:53", "[::1]:53")}},
		{"comments", "# one\n; two\nnameserver ::1 # three\nnameserver 127.0.0.1;four\n", dns.Config{Servers: servers("[::1]:53", "127.0.0.1:53")}},
		{"search", "search a.test b.test.\n", dns.Config{Search: []string{"a.test", "b.test"}}},
		{"the last search counts", "domain x.test\nsearch a.test\n", dns.Config{Search: []string{"a.test"}}},
		{"a domain is one", "domain x.test y.test\n", dns.Config{Search: []string{"x.test"}}},
		{"the root is none", "search .\n", dns.Config{}},
		{"options", "options ndots:3 timeout:7 attempts:4 rotate use-vc\n", dns.Config{Ndots: 3, Timeout: 7 * time.Second, Attempts: 4, Rotate: true, TCP: true}},
		{"limits", "options ndots:99 timeout:99999999999 attempts:99\n", dns.Config{Ndots: 15, Attempts: 5, Timeout: 30 * time.Second}},
		{"no dots needed", "options ndots:0\n", dns.Config{Ndots: -1}},
		{"nonsense", "nameserver\nnameserver x\noptions ndots: timeout:x attempts:-1 edns0\nsortlist 1\n\x00\n", dns.Config{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dns.ParseConfig(strings.NewReader(tt.in))
			require.NoError(t, err)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Errorf("ParseConfig mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigIsReadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	require.NoError(t, os.WriteFile(path, []byte("nameserver ::1\n"), 0o600))
	got, err := dns.ReadConfig(path)
	require.NoError(t, err)
	assert.Equal(t, servers("[::1]:53"), got.Servers)
	_, err = dns.ReadConfig(path + ".missing")
	assert.ErrorIs(t, err, os.ErrNotExist)
	unreadable := errors.New("unreadable")
	_, err = dns.ParseConfig(iotest.ErrReader(unreadable))
	assert.ErrorIs(t, err, unreadable)
}

func FuzzParseConfig(f *testing.F) {
	f.Add("nameserver ::1\nsearch a b\noptions ndots:2 timeout:1 attempts:3 rotate\n")
	f.Add("options ndots:-9223372036854775808 timeout:30000000000000\n")
	f.Fuzz(func(t *testing.T, in string) {
		c, err := dns.ParseConfig(strings.NewReader(in))
		if err != nil {
			return // a line of more than 64 KiB
		}
		assert.LessOrEqual(t, len(c.Servers), 3)
		assert.LessOrEqual(t, c.Ndots, 15)
		assert.LessOrEqual(t, c.Attempts, 5)
		assert.GreaterOrEqual(t, c.Attempts, 0)
		assert.LessOrEqual(t, c.Timeout, 30*time.Second)
		assert.GreaterOrEqual(t, c.Timeout, time.Duration(0))
	})
}
