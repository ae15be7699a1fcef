package tls_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/text"
	"github.com/strata-go/strata/tls"
)

// upgraders are both sides of an upgrade.
func upgraders(t *testing.T) map[string]func(context.Context, *buffered.Stream) (*tls.Conn, error) {
	server, client := usualConfigs(t, tls.VersionTLS13)
	return map[string]func(context.Context, *buffered.Stream) (*tls.Conn, error){
		"client": func(ctx context.Context, b *buffered.Stream) (*tls.Conn, error) {
			return tls.UpgradeClient(ctx, b, client, nil)
		},
		"server": func(ctx context.Context, b *buffered.Stream) (*tls.Conn, error) {
			return tls.UpgradeServer(ctx, b, server, nil)
		},
	}
}

func TestUpgradeInTheMiddleOfADialogue(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			server, client := usualConfigs(t, v.version)
			a, b := memory.Pipe(nil)
			old := buffered.New(b, nil)
			upgraded := make(chan *tls.Conn, 1)
			go func() {
				defer close(upgraded)
				line, err := old.ReceiveUntil(t.Context(), []byte("\n"), 100)
				if !assert.NoError(t, err) || !assert.Equal(t, "STARTTLS", string(line)) {
					return
				}
				_, err = old.Send(t.Context(), []byte("go\n"))
				assert.NoError(t, err)
				s, err := tls.UpgradeServer(t.Context(), old, server, nil)
				assert.NoError(t, err)
				upgraded <- s
			}()
			mine := buffered.New(a, nil)
			_, err := mine.Send(t.Context(), []byte("STARTTLS\n"))
			require.NoError(t, err)
			_, err = mine.ReceiveUntil(t.Context(), []byte("\n"), 100)
			require.NoError(t, err)
			c, err := tls.UpgradeClient(t.Context(), mine, client, nil)
			require.NoError(t, err)
			defer c.Close()
			s := <-upgraded
			require.NotNil(t, s)
			defer s.Close()
			requireCarries(t, s, c, 10) // a server that speaks first
			requireCarries(t, c, s, 10)

			_, err = old.Receive(t.Context(), make([]byte, 1))
			require.ErrorIs(t, err, net.ErrClosed, "the old handle")
			_, err = old.Send(t.Context(), []byte("x"))
			require.ErrorIs(t, err, net.ErrClosed, "the old handle")
			require.NoError(t, old.Close())
			requireCarries(t, c, s, 10)
		})
	}
}

// TestUnreadPlaintextIsRefused is the injection of CVE-2011-0411: one byte
// that came with the command, in any layer, ends the connection.
func TestUnreadPlaintextIsRefused(t *testing.T) {
	tests := []struct {
		name string
		// put leaves bytes of what is sent unread somewhere in the stack.
		put func(t *testing.T, a, b *memory.Conn) *buffered.Stream
		n   int
	}{
		{"one byte", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			s := buffered.New(b, nil)
			command(t, a, s, "STARTTLS\nR")
			return s
		}, 1},
		{"a command", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			s := buffered.New(b, nil)
			command(t, a, s, "STARTTLS\nRSET\nVRFY x\n")
			return s
		}, 12},
		{"what looks like a record", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			s := buffered.New(b, nil)
			command(t, a, s, "STARTTLS\n\x16\x03\x01\x00\x01")
			return s
		}, 5},
		{"fed", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			s := buffered.New(b, nil)
			require.NoError(t, s.Feed([]byte("ab")))
			return s
		}, 2},
		{"in a deeper layer", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			deep := buffered.New(b, nil)
			command(t, a, deep, "STARTTLS\nRSET\n")
			return buffered.New(deep, nil)
		}, 5},
		{"in two layers", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			deep := buffered.New(b, nil)
			command(t, a, deep, "STARTTLS\nRSET\n")
			s := buffered.New(deep, nil)
			require.NoError(t, s.Feed([]byte("ab")))
			return s
		}, 7},
		{"in an item", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			frames := buffered.NewFrames(buffered.New(b, nil), buffered.LengthPrefixed{})
			s := buffered.New(stream.FromObjects(frames), &buffered.Config{ReadAhead: -1})
			command(t, a, s, "\x00\x00\x00\x0eSTARTTLS\nRSET\n")
			return s
		}, 5},
		{"in a codec", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			frames := buffered.NewFrames(buffered.New(b, nil), buffered.LengthPrefixed{})
			s := buffered.New(stream.FromObjects(frames), nil)
			command(t, a, s, "\x00\x00\x00\x09STARTTLS\n\x00")
			return s
		}, 1},
		{"in a text", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			s := buffered.New(stream.FromObjects(octets{text.New(b, nil)}), nil)
			command(t, a, s, "STARTTLS\n\xc3")
			return s
		}, 1},
		{"in the transport", func(t *testing.T, a, b *memory.Conn) *buffered.Stream {
			return buffered.New(&hoarder{ByteStream: b, held: 3}, nil)
		}, 3},
	}
	for role, upgrade := range upgraders(t) {
		for _, tt := range tests {
			t.Run(role+" "+tt.name, func(t *testing.T) {
				a, b := memory.Pipe(nil)
				defer a.Close()
				s := tt.put(t, a, b)
				_, err := upgrade(t.Context(), s)
				require.ErrorIs(t, err, tls.ErrPlaintextBuffered)
				refused, ok := errors.AsType[*tls.PlaintextBufferedError](err)
				require.True(t, ok)
				assert.Equal(t, tt.n, refused.Unread)
				_, err = s.Receive(t.Context(), make([]byte, 100))
				require.ErrorIs(t, err, net.ErrClosed, "the injected bytes can be received")
				requireClosed(t, b)
				_, err = a.Receive(t.Context(), make([]byte, 1))
				require.Equal(t, io.EOF, err, "not one byte of a handshake has left")
			})
		}
	}
}

// command sends what and receives the line with which it begins.
func command(t *testing.T, a stream.ByteStream, s *buffered.Stream, what string) {
	t.Helper()
	_, err := a.Send(t.Context(), []byte(what))
	require.NoError(t, err)
	line, err := s.ReceiveUntil(t.Context(), []byte("\n"), 100)
	require.NoError(t, err)
	require.Equal(t, "STARTTLS", string(line))
}

// TestPlaintextBehindTheAnswerFailsTheHandshake sends plaintext that no layer
// has read when the upgrade begins.
func TestPlaintextBehindTheAnswerFailsTheHandshake(t *testing.T) {
	for role, upgrade := range upgraders(t) {
		t.Run(role, func(t *testing.T) {
			a, b := memory.Pipe(nil)
			defer a.Close()
			_, err := a.Send(t.Context(), []byte("RSET\r\nVRFY x\r\n"))
			require.NoError(t, err)
			s := buffered.New(b, nil)
			_, err = upgrade(t.Context(), s)
			require.ErrorContains(t, err, `received "RSET\r\nVRFY x\r\n"`)
			requireClosed(t, b)
		})
	}
}

func TestUpgradeDuringACallIsBusyAndCloses(t *testing.T) {
	for role, upgrade := range upgraders(t) {
		t.Run(role, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(nil)
				defer a.Close()
				s := buffered.New(b, nil)
				received := make(chan error, 1)
				go func() {
					_, err := s.Receive(t.Context(), make([]byte, 1))
					received <- err
				}()
				synctest.Wait()
				_, err := upgrade(t.Context(), s)
				require.ErrorIs(t, err, stream.ErrBusy)
				require.ErrorIs(t, <-received, net.ErrClosed)
				requireClosed(t, b)
			})
		})
	}
}

func TestCanceledUpgradeCloses(t *testing.T) {
	for role, upgrade := range upgraders(t) {
		t.Run(role, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memory.Pipe(nil)
				defer a.Close()
				ctx, cancel := canceledSoon(t)
				defer cancel()
				s := buffered.New(b, nil)
				_, err := upgrade(ctx, s)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				requireClosed(t, b)
				_, err = s.Send(t.Context(), []byte("x"))
				require.ErrorIs(t, err, net.ErrClosed)
			})
		})
	}
}

// TestWrapTakesUnreadBytesForCiphertext has the ClientHello arrive in one
// piece with what came before it, as behind a PROXY header.
func TestWrapTakesUnreadBytesForCiphertext(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			server, client := usualConfigs(t, v.version)
			a, b := memory.Pipe(nil)
			_, err := a.Send(t.Context(), []byte("PROXY UNKNOWN\r\n"))
			require.NoError(t, err)
			s := buffered.New(b, nil)
			ready := make(chan struct{})
			eager := &countdown{ByteStream: a, calls: 1, zero: func() { close(ready) }}
			shaken := make(chan error, 1)
			go func() {
				c, err := tls.WrapClient(t.Context(), eager, client, nil)
				if err == nil {
					defer c.Close()
					_, err = c.Send(t.Context(), []byte("hello"))
				}
				shaken <- err
			}()
			<-ready // now the client receives, so its ClientHello is there
			_, err = s.Peek(t.Context(), 100)
			require.NoError(t, err)
			_, err = s.ReceiveUntil(t.Context(), []byte("\r\n"), 100)
			require.NoError(t, err)
			require.Positive(t, s.Buffered(), "the ClientHello was not read ahead")
			conn, err := tls.WrapServer(t.Context(), s, server, nil)
			require.NoError(t, err)
			defer conn.Close()
			require.Equal(t, "hello", string(receiveExactly(t, t.Context(), conn, 5)))
			require.NoError(t, <-shaken)
		})
	}
}

// TestUpgradeInsideTLSSeesWhatTLSHolds has the injected command in the same
// record as the one that asks for the upgrade.
func TestUpgradeInsideTLSSeesWhatTLSHolds(t *testing.T) {
	for _, v := range versions {
		for _, same := range []bool{true, false} {
			for _, readAhead := range []int{-1, 9} {
				client, server := pair(t, v.version, nil, nil)
				if same {
					_, err := client.Send(t.Context(), []byte("STARTTLS\nRSET\n"))
					require.NoError(t, err)
				} else {
					_, err := client.Send(t.Context(), []byte("STARTTLS\n"))
					require.NoError(t, err)
					_, err = client.Send(t.Context(), []byte("RSET\n"))
					require.NoError(t, err)
				}
				serverConfig, _ := usualConfigs(t, v.version)
				s := buffered.New(server, &buffered.Config{ReadAhead: readAhead})
				_, err := s.ReceiveUntil(t.Context(), []byte("\n"), 100)
				require.NoError(t, err)
				require.Zero(t, s.Buffered())
				_, err = tls.UpgradeServer(t.Context(), s, serverConfig, nil)
				require.ErrorIs(t, err, tls.ErrPlaintextBuffered)
				if same {
					require.ErrorContains(t, err, "5 bytes")
				}
			}
		}
	}
}

// octets are the bytes of a text.
type octets struct{ *text.Stream }

func (o octets) Receive(ctx context.Context) ([]byte, error) {
	s, err := o.Stream.Receive(ctx)
	return []byte(s), err
}

func (o octets) Send(ctx context.Context, p []byte) error { return o.Stream.Send(ctx, string(p)) }

// A hoarder is a stream that says it holds bytes.
type hoarder struct {
	stream.ByteStream
	held int
}

func (h *hoarder) Attributes() *attr.Set {
	return attr.Define(attr.Value(stream.Unread, func(h *hoarder) int { return h.held })).For(h, h.ByteStream)
}
