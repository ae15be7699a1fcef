package attr_test

import (
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/strata-go/strata/attr"
)

type (
	family string
	point  struct {
		X int
		D time.Duration
	}
)

// holding is a provider of one fact.
func holding[T any](value T) attr.Provider {
	key := attr.New[T]("test.fact")
	return attr.Define(attr.Value(key, func(struct{}) T { return value })).For(struct{}{})
}

func TestLogValueIsBrief(t *testing.T) {
	tests := []struct {
		name  string
		facts attr.Provider
		plain string
		json  string
	}{
		{"text", holding("h2"), `h2`, `"h2"`},
		{"number", holding(7), `7`, `7`},
		{"bool", holding(true), `true`, `true`},
		{"duration", holding(time.Second), `1s`, `1000000000`},
		{"named text", holding(family("ipv4")), `ipv4`, `"ipv4"`},
		{"list of text", holding([]string{"h2", "h3"}), `"[h2 h3]"`, `["h2","h3"]`},
		{"struct of such", holding(point{1, time.Second}), `"{X:1 D:1s}"`, `{"X":1,"D":1000000000}`},
		{"struct of more", holding(http.Cookie{Name: "a"}), `(http.Cookie)`, `"(http.Cookie)"`},
		{"what can say what it is", holding(netip.MustParseAddrPort("[::1]:25")), `[::1]:25`, `"[::1]:25"`},
		{"the same behind a pointer", holding[net.Addr](&net.TCPAddr{Port: 25}), `:25`, `":25"`},
		{"error", holding(errors.New("broken")), `broken`, `"broken"`},
		{"certificate", holding(&x509.Certificate{Raw: make([]byte, 1000)}), `(*x509.Certificate)`, `"(*x509.Certificate)"`},
		{"list of certificates", holding([]*x509.Certificate{{}}), `([]*x509.Certificate)`, `"([]*x509.Certificate)"`},
		{"bytes", holding([]byte("DER")), `([]uint8)`, `"([]uint8)"`},
		{"function", holding(func() {}), `(func())`, `"(func())"`},
		{"nothing", holding[net.Addr](nil), `<nil>`, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain, json := logged(tt.facts)
			assert.Contains(t, plain, "s.test.fact="+tt.plain+"\n")
			assert.Contains(t, json, `"test.fact":`+tt.json+"}")
		})
	}
}
