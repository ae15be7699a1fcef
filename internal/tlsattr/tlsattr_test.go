package tlsattr_test

import (
	cryptotls "crypto/tls"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/tlsattr"
)

var table = attr.Define(tlsattr.Facts(func(s *cryptotls.ConnectionState) *cryptotls.ConnectionState { return s })...)

// keyOf has the keys whose names do not follow from those of the fields.
var keyOf = map[string]string{
	"NegotiatedProtocol":          "tls.alpn_protocol",
	"NegotiatedProtocolIsMutual":  "", // always true
	"HandshakeComplete":           "", // or there are no facts
	"TLSUnique":                   "tls.unique",
	"OCSPResponse":                "tls.ocsp_response",
	"CurveID":                     "tls.curve_id",
	"ECHAccepted":                 "tls.ech_accepted",
	"SignedCertificateTimestamps": "tls.signed_certificate_timestamps",
}

// full returns a state in which every field says something.
func full(t *testing.T) *cryptotls.ConnectionState {
	t.Helper()
	s := new(cryptotls.ConnectionState)
	for f, v := range reflect.ValueOf(s).Elem().Fields() {
		if !f.IsExported() {
			continue
		}
		switch f.Type.Kind() {
		case reflect.Slice:
			v.Set(reflect.MakeSlice(f.Type, 1, 1))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.String:
			v.SetString("x")
		default:
			require.True(t, v.CanUint(), "%s has a new kind of type", f.Name)
			v.SetUint(7)
		}
	}
	return s
}

func TestEveryFieldOfAConnectionStateHasAKey(t *testing.T) {
	names := make(map[string]any)
	for e := range attr.All(table.For(full(t))) {
		v, err := e.Value()
		require.NoError(t, err)
		names[e.Name()] = v
	}
	state := reflect.ValueOf(*full(t))
	for f, v := range state.Fields() {
		name, special := keyOf[f.Name]
		if !special {
			name = "tls." + snake(f.Name)
		}
		if !f.IsExported() || name == "" {
			continue
		}
		got, ok := names[name]
		require.True(t, ok, "%s has no key", f.Name)
		assert.True(t, reflect.DeepEqual(v.Interface(), reflect.ValueOf(got).Convert(f.Type).Interface()), f.Name)
	}
	for _, more := range []string{"tls.state", "tls.peer_certificate", "tls.export_keying_material"} {
		assert.Contains(t, names, more)
	}
}

// snake turns PeerCertificates into peer_certificates.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

func TestWhatWasNotNegotiatedIsAbsent(t *testing.T) {
	got := make(map[string]bool)
	for e := range attr.All(table.For(&cryptotls.ConnectionState{HandshakeComplete: true})) {
		got[e.Name()] = true
	}
	for _, name := range []string{
		"tls.alpn_protocol", "tls.server_name", "tls.curve_id", "tls.peer_certificate", "tls.peer_certificates",
		"tls.verified_chains", "tls.ocsp_response", "tls.signed_certificate_timestamps", "tls.unique",
	} {
		assert.False(t, got[name], name)
	}
	for _, name := range []string{"tls.version", "tls.did_resume", "tls.ech_accepted"} {
		assert.True(t, got[name], name)
	}
}

func TestNothingIsKnownBeforeTheHandshakeIsDone(t *testing.T) {
	before := full(t)
	before.HandshakeComplete = false
	for _, s := range []*cryptotls.ConnectionState{nil, before} {
		for e := range attr.All(table.For(s)) {
			t.Errorf("%s is there", e.Name())
		}
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	set := table.For(full(t))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		tlsattr.State.Get(set)
		tlsattr.Version.Get(set)
		tlsattr.ALPN.Get(set)
		tlsattr.PeerCertificate.Get(set)
		tlsattr.VerifiedChains.Get(set)
	}))
}
