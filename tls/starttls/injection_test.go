package starttls_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/tls"
	"github.com/strata-go/strata/tls/starttls"
)

// evil is what somebody in between puts into the dialogue.
const evil = "EVIL\r\n"

// A recorder is a transport that keeps what is sent over it.
type recorder struct {
	stream.Wrapper
	before func(p []byte) // called before each Send; may be nil

	mu   sync.Mutex
	sent []byte
}

func record(s stream.ByteStream) *recorder {
	return &recorder{Wrapper: stream.Wrapper{ByteStream: s}}
}

func (r *recorder) Send(ctx context.Context, p []byte) (int, error) {
	if r.before != nil {
		r.before(p)
	}
	n, err := r.ByteStream.Send(ctx, p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, p[:n]...)
	return n, err
}

// cut returns what was sent in plaintext, which is the dialogue or the beginning of it,
// and what followed.
func (r *recorder) cut(dialogue string) (plaintext, rest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < min(len(r.sent), len(dialogue)) && r.sent[n] == dialogue[n] {
		n++
	}
	return string(r.sent[:n]), string(r.sent[n:])
}

// isRecords tells whether b are records of TLS, the last of which may be cut.
func isRecords(b string) bool {
	for len(b) > 0 {
		head := b[:min(len(b), 5)]
		if head[0] < 20 || head[0] > 23 || len(head) > 1 && head[1] != 3 {
			return false
		}
		if len(head) < 5 {
			return true
		}
		size := 5 + int(head[3])<<8 + int(head[4])
		b = b[min(len(b), size):]
	}
	return true
}

// requireDialogueThenTLS requires that what was sent is a dialogue to its end and then
// records, or the beginning of the dialogue and nothing more.
func (r *recorder) requireDialogueThenTLS(t *testing.T, dialogue string) {
	t.Helper()
	plaintext, rest := r.cut(dialogue)
	require.True(t, isRecords(rest), "in plaintext: %q and then %q", plaintext, rest)
	if rest != "" {
		require.Equal(t, dialogue, plaintext, "TLS began before the dialogue was over")
	}
}

func TestRecorderTellsPlaintextFromRecords(t *testing.T) {
	for sent, want := range map[string]bool{
		"": true, "\x16": true, "\x16\x03\x01\x00": true, "\x16\x03\x01\x00\x01x\x17\x03\x03\x00\x02": true,
		"EHLO": false, "\x16\x03\x01\x00\x01xQUIT\r\n": false, "\x16\x02": false,
	} {
		assert.Equal(t, want, isRecords(sent), "%q", sent)
	}
}

// nothing is the injection of nothing, which harms nobody.
const nothing = "nothing"

// An injection puts evil bytes somewhere into the server's side of a dialogue.
type injection struct {
	name string
	into func(said string) []string // the segments to send in place of said
}

func clientInjections(said string) []injection {
	all := []injection{
		{nothing, func(s string) []string { return []string{s} }},
		{"in front", func(s string) []string { return []string{evil + s} }},
		{"in front, in a segment of its own", func(s string) []string { return []string{evil, s} }},
	}
	for at := range len(said) + 1 {
		all = append(all, injection{fmt.Sprintf("behind, cut at %d", at), func(s string) []string {
			return []string{s[:at], s[at:] + evil}
		}})
	}
	return all
}

// TestNothingInjectedComesOutOfAClient injects into each thing that a server says up to
// its yes, at every boundary of segments. Each segment arrives when the client has made
// of the last all that it can.
func TestNothingInjectedComesOutOfAClient(t *testing.T) {
	forEach(t, starttls.Required, func(t *testing.T, d dialect, _ negotiator) {
		synctest.Test(t, func(t *testing.T) {
			serverConfig, clientConfig := bubbleConfigs(t)
			steps := d.before
			if d.goes != "" {
				steps = with(d.before, step{say: d.goes})
			}
			dialogue := ""
			for _, st := range d.before {
				dialogue += st.hear
			}
			for at, st := range steps {
				if st.say == "" {
					continue
				}
				injections := clientInjections(st.say)
				for _, in := range injections {
					ours, theirs := memory.Pipe(nil)
					tap := record(ours)
					clean := make(chan struct{})
					go func() {
						defer close(clean)
						infected := with(steps[:at], step{segments: in.into(st.say)})
						infected = with(infected, steps[at+1:]...)
						recite(t.Context(), theirs, with(infected, d.after...), serverConfig)
					}()
					s, err := d.client(starttls.Required, clientConfig, starttls.Limits{})(t.Context(), tap)
					if in.name == nothing {
						require.NoError(t, err)
					}
					if err == nil {
						requireTLS(t, s)
						require.Equal(t, "clean", rest(t.Context(), s), "%s of %q", in.name, st.say)
						for list := range starttls.Capabilities.All(s) {
							require.NotContains(t, strings.Join(list, " "), "EVIL")
						}
						require.NoError(t, s.Close())
					} else {
						require.Nil(t, s)
					}
					<-clean
					tap.requireDialogueThenTLS(t, dialogue)
				}
			}
		})
	})
}

// recite plays the part of a server in a bubble, whatever it hears in return, and says
// "clean" under TLS at the end of it.
func recite(ctx context.Context, conn stream.ByteStream, steps []step, cfg *tls.Config) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := perform(ctx, conn, steps, cfg)
	if err == nil {
		_, _ = conn.Send(ctx, []byte("clean")) // a client that gave up tells why
	}
	conn.Close()
}

// perform does the steps of a server up to one that fails, and returns what conn has
// become of them.
func perform(ctx context.Context, conn stream.ByteStream, steps []step, cfg *tls.Config) (stream.ByteStream, error) {
	for _, st := range steps {
		var err error
		switch {
		case st.segments != nil:
			for _, segment := range st.segments {
				if err == nil {
					_, err = conn.Send(ctx, []byte(segment))
				}
				synctest.Wait()
			}
		case st.say != "":
			_, err = conn.Send(ctx, []byte(st.say))
		case st.hear != "":
			_, err = receiveFull(ctx, conn, make([]byte, len(st.hear)))
		case st.server:
			var c *tls.Conn
			if c, err = tls.WrapServer(ctx, conn, cfg, nil); err == nil {
				conn = c
			}
		}
		if err != nil {
			return conn, err
		}
	}
	return conn, nil
}

// TestNothingInjectedComesOutOfAServer injects behind the command that starts TLS, at
// every boundary of segments.
func TestNothingInjectedComesOutOfAServer(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		for name, injected := range injections {
			for at := range len(s.start + injected) {
				synctest.Test(t, func(t *testing.T) {
					tap, m := meet(t, server)
					greeting := string(tap.sent)
					all := s.start + injected
					for _, segment := range []string{all[:at], all[at:]} {
						_, _ = m.peer.Send(t.Context(), []byte(segment)) // it may have refused by now
						synctest.Wait()
					}
					_ = m.peer.SendEOF(t.Context())
					requireRefused(t, s, tap, m, greeting, name)
				})
			}
		}
	})
}

// TestNothingInjectedBeforeTheAnswerComesOutOfAServer has the injection arrive in a
// segment of its own while the server is about to answer the command.
func TestNothingInjectedBeforeTheAnswerComesOutOfAServer(t *testing.T) {
	forService(t, starttls.Required, func(t *testing.T, s service, server negotiator) {
		for name, injected := range injections {
			synctest.Test(t, func(t *testing.T) {
				tap, m := meet(t, server)
				greeting := string(tap.sent)
				tap.before = func(p []byte) {
					tap.before = nil
					assert.Equal(t, s.goes, string(p), "it knows of nothing else yet")
					_, err := m.peer.Send(t.Context(), []byte(injected))
					assert.NoError(t, err)
				}
				_, err := m.peer.Send(t.Context(), []byte(s.start))
				require.NoError(t, err)
				synctest.Wait()
				require.NoError(t, m.peer.SendEOF(t.Context()))
				requireRefused(t, s, tap, m, greeting, name)
			})
		}
	})
}

// A meeting is of a server that has greeted and its peer.
type meeting struct {
	peer *memory.Conn
	done chan error
	got  *buffered.Stream
}

func meet(t *testing.T, server negotiator) (*recorder, *meeting) {
	t.Helper()
	ours, theirs := memory.Pipe(nil)
	m := &meeting{peer: theirs, done: make(chan error, 1)}
	tap := record(ours)
	go func() {
		var err error
		m.got, err = server(t.Context(), tap)
		m.done <- err
	}()
	synctest.Wait()
	return tap, m
}

// requireRefused requires that the negotiation failed, and that it sent a refusal, or
// its yes and then nothing but records.
func requireRefused(t *testing.T, s service, tap *recorder, m *meeting, greeting, name string) {
	t.Helper()
	err := <-m.done
	require.Error(t, err, name)
	require.Nil(t, m.got)
	_, said := tap.cut(greeting)
	if records, ok := strings.CutPrefix(said, s.goes); ok {
		require.True(t, isRecords(records), "%s: %q behind the yes", name, records)
		return
	}
	require.ErrorIs(t, err, tls.ErrPlaintextBuffered, name)
	require.NotContains(t, said, "250 ", "%s: an answer to what was injected", name)
	if s.quit != "" {
		require.Equal(t, 1, strings.Count(said, "\r\n"), "%s: one refusal: %q", name, said)
	}
	require.Empty(t, bytes.TrimPrefix([]byte(rest(t.Context(), m.peer)), []byte(greeting+said)), "and the end")
}
