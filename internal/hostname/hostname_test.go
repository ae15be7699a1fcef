package hostname_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/hostname"
)

func TestNamesInOtherScriptsGoThroughIDNA2008(t *testing.T) {
	tests := []struct{ host, want string }{
		{"faß.de", "xn--fa-hia.de"}, // IDNA 2003 would make it "fass.de"
		{"Bücher.example", "xn--bcher-kva.example"},
		{"日本語。jp", "xn--wgv71a119e.jp"}, // with an ideographic full stop
		{"xn--fa-hia.de", "xn--fa-hia.de"},
		{"a_b.example.com", "a_b.example.com"},
		{"MiXed.example.", "MiXed.example."},
		{"fe80::1%eth0", "fe80::1%eth0"},
		{"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			got, err := hostname.ASCII(tt.host)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhatIsNoNameIsAnError(t *testing.T) {
	for _, host := range []string{"\u2028.example", "\xff.example", "a\u200db.example"} {
		_, err := hostname.ASCII(host)
		assert.ErrorContains(t, err, "idna", "%q", host)
	}
}

func TestAddressesAreTakenApart(t *testing.T) {
	for addr, want := range map[string]struct {
		host string
		port uint16
	}{
		"example.com:853": {"example.com", 853},
		"[::1%lo]:0":      {"::1%lo", 0},
		":https":          {"", 443},
		"host:":           {"host", 0},
	} {
		host, port, err := hostname.Split(t.Context(), "tcp", addr)
		require.NoError(t, err, addr)
		assert.Equal(t, want.host, host, addr)
		assert.Equal(t, want.port, port, addr)
	}
	for _, addr := range []string{"", "example.com", "::1", "host:no-such-service", "host:65536"} {
		_, _, err := hostname.Split(t.Context(), "tcp", addr)
		assert.Error(t, err, addr)
	}
	_, err := hostname.ForLookup("a\u200db.example")
	var bad *net.AddrError
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, "a\u200db.example", bad.Addr)
}
