package unix_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/unix"
)

// flat carries bytes over packets in order, as the suites want it.
type flat struct{ unix.SeqpacketConnector }

func (f *flat) Connect(ctx context.Context) (*stream.Stapled, error) {
	c, err := f.SeqpacketConnector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return stream.FromObjects(c), nil
}

// listenFlat accepts what flat connects.
func listenFlat(ctx context.Context, name string) (*listener.Mapped[*unix.SeqpacketConn, *stream.Stapled], error) {
	ln, err := unix.ListenSeqpacket(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	return listener.Map(ln, func(c *unix.SeqpacketConn) *stream.Stapled { return stream.FromObjects(c) }), nil
}

func TestSeqpacketConnectorHoldsTheContract(t *testing.T) {
	streamtest.TestConnector(t, &streamtest.ConnectorMaker[*stream.Stapled]{
		Connector: func(ctx context.Context) (stream.Connector[*stream.Stapled], func(context.Context) (stream.ByteStream, error), func() error, error) {
			ln, err := listenFlat(ctx, "")
			if err != nil {
				return nil, nil, nil, err
			}
			accept := func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }
			return &flat{unix.SeqpacketConnector{Name: nameOf(ln)}}, accept, ln.Close, nil
		},
	})
}

func TestSeqpacketListenerHoldsTheContract(t *testing.T) {
	dir := filepath.Dir(place(t))
	made := 0
	streamtest.TestListener(t, &streamtest.ListenerMaker[*stream.Stapled]{
		Listen: func(ctx context.Context) (stream.Listener[*stream.Stapled], func(context.Context) (stream.ByteStream, error), error) {
			made++
			name := filepath.Join(dir, strconv.Itoa(made))
			ln, err := listenFlat(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			c := &flat{unix.SeqpacketConnector{Name: name}}
			return ln, func(ctx context.Context) (stream.ByteStream, error) { return c.Connect(ctx) }, nil
		},
		Relisten: func(ctx context.Context, ln stream.Listener[*stream.Stapled]) (stream.Listener[*stream.Stapled], error) {
			return listenFlat(ctx, nameOf(ln))
		},
	})
}

func TestPacketConnectorOpensASocketEachTime(t *testing.T) {
	to, err := unix.ListenPacket(t.Context(), "", nil)
	require.NoError(t, err)
	defer to.Close()
	var c stream.Connector[*unix.PacketConn] = &unix.PacketConnector{Name: nameOf(to)}
	names := map[string]bool{}
	for i := range 3 {
		s, err := c.Connect(t.Context())
		require.NoError(t, err)
		defer s.Close()
		require.NoError(t, s.Send(t.Context(), unix.Packet{Data: number(i)}))
		p, err := to.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, i, numberOf(p.Data))
		assert.Equal(t, nameOf(s), p.Addr)
		names[p.Addr] = true
	}
	assert.Len(t, names, 3, "each can be answered")
}

// failures are what Connect answers where nobody listens, where somebody who
// is no such socket does, and to a context that is done.
func failures[S any](t *testing.T, to func(name string) stream.Connector[S]) {
	t.Helper()
	_, err := to(place(t)).Connect(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = to("@nobody-listens-here").Connect(t.Context())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = to(nameOf(listen(t, place(t), nil))).Connect(t.Context())
	require.ErrorIs(t, err, syscall.EPROTOTYPE)
	_, err = to("").Connect(t.Context())
	require.ErrorIs(t, err, syscall.EINVAL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = to("@any").Connect(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestErrorsOfConnectorsAreThoseOfDialing(t *testing.T) {
	t.Run("packets in order", func(t *testing.T) {
		failures(t, func(name string) stream.Connector[*unix.SeqpacketConn] { return &unix.SeqpacketConnector{Name: name} })
	})
	t.Run("packets", func(t *testing.T) {
		failures(t, func(name string) stream.Connector[*unix.PacketConn] { return &unix.PacketConnector{Name: name} })
	})
}

func TestConnectorWithALocalNameMakesOneSocketAtATime(t *testing.T) {
	to, err := unix.ListenPacket(t.Context(), "", nil)
	require.NoError(t, err)
	defer to.Close()
	c := &unix.PacketConnector{Name: nameOf(to), Config: &unix.DialConfig{LocalName: place(t)}}
	for range 2 {
		s, err := c.Connect(t.Context())
		require.NoError(t, err)
		assert.Equal(t, c.Config.LocalName, nameOf(s))
		_, err = c.Connect(t.Context())
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.NoError(t, s.Close())
	}
}
