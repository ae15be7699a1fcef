package buffered_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/memory"
)

// points is a codec of one's own: two numbers of two bytes each.
type points struct{}

type point struct{ X, Y uint16 }

func (points) Append(dst []byte, p point) ([]byte, error) {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(dst, p.X), p.Y), nil
}

func (points) Receive(ctx context.Context, r *buffered.Receiver) (point, error) {
	var p [4]byte
	if err := r.ReceiveExactly(ctx, p[:]); err != nil {
		return point{}, err
	}
	return point{binary.BigEndian.Uint16(p[:]), binary.BigEndian.Uint16(p[2:])}, nil
}

func ExampleCodec() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	defer b.Close()
	if err := buffered.NewFrameSender(b, points{}).Send(ctx, point{3, 4}); err != nil {
		log.Fatal(err)
	}
	p, err := buffered.NewFrameReceiver(buffered.NewReceiver(a, nil), points{}).Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.X, p.Y)
	// Output: 3 4
}

// decode receives the frames of data until an error.
func decode(t *testing.T, codec buffered.Codec[[]byte], data []byte, cut int) (items [][]byte, err error) {
	s := &script{chunks: []string{string(data)}, cut: cut}
	if len(data) == 0 {
		s.chunks = nil
	}
	r := buffered.NewFrameReceiver(buffered.NewReceiver(s, nil), codec)
	for {
		item, err := r.Receive(t.Context())
		if err != nil {
			_, again := r.Receive(t.Context())
			require.Equal(t, err, again)
			return items, err
		}
		items = append(items, item)
	}
}

// fuzzCodec wants that the frames of any bytes are the same however they are
// cut, and are the same bytes when they are encoded again.
func fuzzCodec(t *testing.T, codec buffered.Codec[[]byte], data []byte) {
	items, err := decode(t, codec, data, 0)
	slowly, sameErr := decode(t, codec, data, 1)
	require.Equal(t, items, slowly)
	require.Equal(t, err, sameErr)
	var wire []byte
	for _, item := range items {
		wire, err = codec.Append(wire, item)
		require.NoError(t, err)
	}
	require.Equal(t, string(data[:len(wire)]), string(wire))
	if sameErr == io.EOF {
		assert.Len(t, data, len(wire))
	}
}

func FuzzLengthPrefixed(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03abc\x00\x00\x00\x00"), byte(0), false)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"), byte(3), true)
	f.Add([]byte("\x03ab"), byte(1), false)
	f.Add([]byte("\x01\x00a\x00\x00"), byte(2), true)
	f.Fuzz(func(t *testing.T, data []byte, size byte, little bool) {
		codec := buffered.LengthPrefixed{Size: 1 << (size % 4), Max: 1000}
		if little {
			codec.Order = binary.LittleEndian
		}
		fuzzCodec(t, codec, data)
	})
}

func FuzzDelimited(f *testing.F) {
	f.Add([]byte("a\r\nb\r\n\r\nc"), []byte("\r\n"))
	f.Add(slices.Repeat([]byte("aab"), 500), []byte("ab"))
	f.Add([]byte("aaaa"), []byte("aa"))
	f.Fuzz(func(t *testing.T, data, delim []byte) {
		fuzzCodec(t, buffered.Delimited{Delimiter: delim, Max: 1000}, data)
	})
}
