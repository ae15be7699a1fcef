package starttls_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// exchange lets a side meet a peer that says data and nothing more, whatever it hears.
func exchange(t *testing.T, side negotiator, data []byte) {
	t.Helper()
	ctx := context.Background()
	ours, theirs := memory.Pipe(&memory.Config{Buffer: 1 << 20})
	defer theirs.Close()
	_, err := theirs.Send(ctx, data)
	require.NoError(t, err)
	require.NoError(t, theirs.SendEOF(ctx))
	s, err := side(ctx, ours)
	if err != nil {
		require.Nil(t, s)
		rest(ctx, theirs) // ends, as the connection is closed
		return
	}
	defer s.Close()
	_, why := starttls.Plaintext.Lookup(s)
	_, under := tls.Version.Lookup(s)
	require.NotEqual(t, why, under, "either under TLS or with a reason")
}

// FuzzClient has every client meet a server that says anything.
func FuzzClient(f *testing.F) {
	all := dialects()
	for i, d := range all {
		for _, steps := range [][]step{d.before, d.stripped} {
			var said []byte
			for _, st := range steps {
				said = append(said, st.say...)
			}
			f.Add(i, append(said, d.no...))
			f.Add(i, append(said, d.goes...))
			f.Add(i, append(said, d.wrong...))
		}
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		if i < 0 || i >= len(all) || len(data) > 1<<16 {
			t.Skip()
		}
		exchange(t, all[i].client(starttls.Opportunistic, &tls.Config{ServerName: "localhost"}, starttls.Limits{}), data)
	})
}

// FuzzServer has every server meet a client that says anything.
func FuzzServer(f *testing.F) {
	all := services()
	for i, s := range all {
		f.Add(i, true, []byte("EHLO c.example\r\na NOOP\r\nCAPA\r\n"+s.start))
		f.Add(i, false, []byte(s.start+s.other))
		f.Add(i, true, []byte(s.other+s.quit))
		f.Add(i, false, []byte(s.quit))
	}
	f.Fuzz(func(t *testing.T, i int, required bool, data []byte) {
		if i < 0 || i >= len(all) || len(data) > 1<<16 {
			t.Skip()
		}
		policy := starttls.Opportunistic
		if required {
			policy = starttls.Required
		}
		cfg, _ := configs(t, 0)
		exchange(t, all[i].server(policy, cfg, false), data)
	})
}
