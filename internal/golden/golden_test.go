package golden_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/golden"
)

func TestLengthPrefixedWireIsLengthsAndPayloads(t *testing.T) {
	all, err := golden.LengthPrefixed()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			assert.False(t, seen[f.Name], "two of this name")
			seen[f.Name] = true
			var order binary.AppendByteOrder = binary.BigEndian
			if f.Order != "big" {
				require.Equal(t, "little", f.Order)
				order = binary.LittleEndian
			}
			wire := []byte{}
			for _, p := range f.Payloads {
				wire = append(wire, length(t, order, f.Prefix, len(p))...)
				wire = append(wire, p...)
			}
			checkWire(t, f, wire)
		})
	}
}

func TestDelimitedWireIsPayloadsAndDelimiters(t *testing.T) {
	all, err := golden.Delimited()
	require.NoError(t, err)
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			wire := []byte{}
			rest := []byte(f.Wire)
			for _, p := range f.Payloads {
				wire = append(append(wire, p...), f.Delimiter...)
				got, after, found := bytes.Cut(rest, f.Delimiter)
				assert.True(t, found)
				assert.Equal(t, []byte(p), got, "the delimiter must not stand earlier")
				rest = after
			}
			checkWire(t, f, wire)
		})
	}
}

func TestMessageIsTheSessionWithoutItsStuffing(t *testing.T) {
	session, err := golden.Dialogue("smtp/session.txt")
	require.NoError(t, err)
	message, err := golden.Dialogue("smtp/message.txt")
	require.NoError(t, err)
	require.Len(t, message, 1)
	sent := session[slices.IndexFunc(session, func(turn golden.Turn) bool {
		return bytes.HasPrefix(turn.Data, []byte("From: "))
	})]
	body, ended := bytes.CutSuffix(sent.Data, []byte("\r\n.\r\n"))
	require.True(t, ended)
	want := bytes.ReplaceAll(append(body, '\r', '\n'), []byte("\n.."), []byte("\n."))
	assert.Equal(t, string(want), string(message[0].Data))
	assert.Contains(t, string(want), "Caf\xe9, \xff and \x80")
}

func TestInjectionsComeInOneSegment(t *testing.T) {
	for name, want := range map[string]golden.Turn{
		"smtp/injection-command.txt": {From: golden.Client, Data: []byte("STARTTLS\r\nRSET\r\n")},
		"smtp/injection-reply.txt": {
			From: golden.Server, Data: []byte("220 go ahead\r\n250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n"),
		},
	} {
		turns, err := golden.Dialogue(name)
		require.NoError(t, err)
		end := len(turns) - 2
		want := []golden.Turn{want, {From: golden.Both, Event: golden.Closed}}
		if diff := cmp.Diff(want, turns[end:]); diff != "" {
			t.Errorf("end of %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDialogueForm(t *testing.T) {
	tests := []struct {
		name, in string
		want     []golden.Turn
		err      string
	}{
		{"nothing", "", nil, ""},
		{"comments and empty lines", "# C: no\n\n", nil, ""},
		{"one line", "C: NOOP\n", []golden.Turn{{From: 'C', Data: []byte("NOOP\r\n")}}, ""},
		{"an empty line", "S:\nS+\n", []golden.Turn{{From: 'S', Data: []byte("\r\n\r\n")}}, ""},
		{"two turns of one party", "C: A\nC: B\n", []golden.Turn{
			{From: 'C', Data: []byte("A\r\n")}, {From: 'C', Data: []byte("B\r\n")},
		}, ""},
		{"spaces are bytes", "C:  A \n", []golden.Turn{{From: 'C', Data: []byte(" A \r\n")}}, ""},
		{"escapes", `C: \xe9\\"é` + "\n", []golden.Turn{{From: 'C', Data: []byte("\xe9\\\"é\r\n")}}, ""},
		{"events", "--- tls\n--- closed\n", []golden.Turn{
			{From: golden.Both, Event: golden.StartTLS}, {From: golden.Both, Event: golden.Closed},
		}, ""},
		{"unknown event", "--- tsl\n", nil, `line 1: unknown event "tsl"`},
		{"unknown party", "# x\nX: A\n", nil, `line 2: "X: A" is no line of a party`},
		{"no space", "C:A\n", nil, `line 1: "C:A" is no line of a party`},
		{"continues nothing", "C+ A\n", nil, `line 1: "C+ A" continues no turn`},
		{"continues the other party", "S: A\nC+ B\n", nil, `line 2: "C+ B" continues no turn`},
		{"bad escape", "C: \\q\n", nil, "line 1: escape in"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := golden.ParseDialogue(tt.in)
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("turns mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMissingFileIsNamed(t *testing.T) {
	_, err := golden.Dialogue("smtp/missing.txt")
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "missing.txt")
}

func FuzzDialogue(f *testing.F) {
	f.Add("# x\nC: A\nC+ \\xe9\nS:\n--- tls\n")
	f.Fuzz(func(t *testing.T, in string) {
		turns, err := golden.ParseDialogue(in)
		for _, turn := range turns {
			assert.NoError(t, err)
			assert.Equal(t, turn.From == golden.Both, turn.Event != "")
			assert.Equal(t, turn.From == golden.Both, len(turn.Data) == 0)
		}
	})
}

// length encodes a length as the standard library does.
func length(t *testing.T, order binary.AppendByteOrder, size, n int) []byte {
	t.Helper()
	switch size {
	case 1:
		return []byte{byte(n)}
	case 2:
		return order.AppendUint16(nil, uint16(n))
	case 4:
		return order.AppendUint32(nil, uint32(n))
	case 8:
		return order.AppendUint64(nil, uint64(n))
	}
	require.Failf(t, "no such prefix", "%d bytes", size)
	return nil
}

// checkWire wants the wire to be what the payloads encode to, followed by part
// of a frame if one is announced.
func checkWire(t *testing.T, f golden.Frames, payloads []byte) {
	t.Helper()
	rest, ok := bytes.CutPrefix(f.Wire, payloads)
	require.True(t, ok, "wire does not start with the payloads")
	require.Contains(t, []string{golden.Ended, golden.Truncated, golden.Oversized}, f.Then)
	assert.Equal(t, f.Then != golden.Ended, len(rest) > 0, "rest: % x", rest)
}
