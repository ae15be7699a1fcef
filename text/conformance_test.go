package text_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/text"
)

// Strings have no boundaries, so the suite gets items of one character over a
// pipe in lockstep: none can be merged with the next.
func TestStreamHoldsTheContract(t *testing.T) {
	streamtest.TestObjectStream(t, &streamtest.ObjectMaker[string]{
		Pipe: func(context.Context) (a, b stream.ObjectStream[string], err error) {
			x, y := memory.Pipe(&memory.Config{Buffer: -1})
			return text.New(x, nil), text.New(y, nil), nil
		},
		Items: streamtest.Items[string]{
			Item: func(i int) string { return string(rune(0x10000 + i)) },
			Number: func(item string) int {
				r := []rune(item)
				if len(r) != 1 {
					return -1
				}
				return int(r[0]) - 0x10000
			},
			Encodes: true,
			Bubble:  true,
		},
	})
}

func TestAConnectorMakesStreamsOfItsConfig(t *testing.T) {
	ln := memory.Listen(nil)
	defer ln.Close()
	s, err := text.NewConnector(ln, &text.Config{Encoding: charmap.ISO8859_1}).Connect(t.Context())
	require.NoError(t, err)
	defer s.Close()
	peer, err := ln.Accept(t.Context())
	require.NoError(t, err)
	defer peer.Close()
	require.NoError(t, s.Send(t.Context(), "\u00e9"))
	p := make([]byte, 8)
	n, err := peer.Receive(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, "\xe9", string(p[:n]))

	require.NoError(t, ln.Close())
	_, err = text.NewConnector(ln, nil).Connect(t.Context())
	assert.Error(t, err)
}
