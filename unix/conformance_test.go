//go:build linux

package unix_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/streamtest"
	"github.com/strata-go/strata/unix"
)

func TestConnHoldsTheContract(t *testing.T) {
	streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, NoAbort: true})
}

func TestListenerHoldsTheContract(t *testing.T) {
	dir := filepath.Dir(place(t))
	made := 0
	streamtest.TestListener(t, &streamtest.ListenerMaker[*unix.Conn]{
		Listen: func(ctx context.Context) (stream.Listener[*unix.Conn], func(context.Context) (stream.ByteStream, error), error) {
			made++
			name := filepath.Join(dir, strconv.Itoa(made))
			ln, err := unix.Listen(ctx, name, nil)
			if err != nil {
				return nil, nil, err
			}
			return ln, func(ctx context.Context) (stream.ByteStream, error) { return unix.Dial(ctx, name, nil) }, nil
		},
		Relisten: func(ctx context.Context, ln stream.Listener[*unix.Conn]) (stream.Listener[*unix.Conn], error) {
			return unix.Listen(ctx, nameOf(ln), nil)
		},
	})
}

func TestConnectorHoldsTheContract(t *testing.T) {
	streamtest.TestConnector(t, &streamtest.ConnectorMaker[*unix.Conn]{
		Connector: func(ctx context.Context) (stream.Connector[*unix.Conn], func(context.Context) (stream.ByteStream, error), func() error, error) {
			ln, err := unix.Listen(ctx, "", nil)
			if err != nil {
				return nil, nil, nil, err
			}
			accept := func(ctx context.Context) (stream.ByteStream, error) { return ln.Accept(ctx) }
			return &unix.Connector{Name: nameOf(ln)}, accept, ln.Close, nil
		},
	})
}

func TestAttributesHoldTheContract(t *testing.T) {
	streamtest.TestAttributes(t, &streamtest.AttributesMaker{
		Stack: func(ctx context.Context) (stream.Resource, []attr.Provider, error) {
			a, b, err := pair(ctx)
			if err != nil {
				return nil, nil, err
			}
			return a, nil, b.Close()
		},
		Names: []string{
			unix.LocalAddr.Name(), unix.RemoteAddr.Name(), unix.PeerCred.Name(),
			unix.Family.Name(), unix.RawConn.Name(), unix.NetConn.Name(),
		},
	})
}

func TestPacketConnHoldsTheContract(t *testing.T) {
	var here string
	streamtest.TestPacketStream(t, &streamtest.PacketMaker[unix.Packet]{
		Pipe: func(ctx context.Context) (a, b stream.PacketStream[unix.Packet], err error) {
			p, q, err := packets(ctx)
			if err != nil {
				return nil, nil, err
			}
			here = nameOf(p)
			return p, answering{q, here}, nil
		},
		Packet: func(i int) unix.Packet { return unix.Packet{Data: number(i)} },
		Number: func(p unix.Packet) int { return numberOf(p.Data) },
	})
}

// answering sends everything to one peer.
type answering struct {
	*unix.PacketConn
	to string
}

func (a answering) Send(ctx context.Context, p unix.Packet) error {
	p.Addr = a.to
	return a.PacketConn.Send(ctx, p)
}

func TestSeqpacketConnHoldsTheContract(t *testing.T) {
	streamtest.TestObjectStream(t, &streamtest.ObjectMaker[[]byte]{
		Pipe: func(ctx context.Context) (a, b stream.ObjectStream[[]byte], err error) {
			p, q, err := seqpackets(ctx)
			if err != nil {
				return nil, nil, err
			}
			return p, q, nil
		},
		Items: streamtest.Items[[]byte]{Item: number, Number: numberOf},
	})
}

// number is a packet for i; that for 0 is empty.
func number(i int) []byte {
	if i == 0 {
		return []byte{}
	}
	return []byte(strconv.Itoa(i))
}

func numberOf(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	n, err := strconv.Atoi(string(p))
	if err != nil {
		return -1
	}
	return n
}

// TestSuiteFindsASocketFileThatStays is the negative control of the check
// that a listener's name can be used again.
func TestSuiteFindsASocketFileThatStays(t *testing.T) {
	name := place(t)
	m := &streamtest.ListenerMaker[*unix.Conn]{
		Listen: func(ctx context.Context) (stream.Listener[*unix.Conn], func(context.Context) (stream.ByteStream, error), error) {
			ln, err := unix.Listen(ctx, name, &unix.ListenConfig{KeepFile: true, ReplaceStale: true})
			if err != nil {
				return nil, nil, err
			}
			return ln, func(ctx context.Context) (stream.ByteStream, error) { return unix.Dial(ctx, name, nil) }, nil
		},
		Relisten: func(ctx context.Context, ln stream.Listener[*unix.Conn]) (stream.Listener[*unix.Conn], error) {
			return unix.Listen(ctx, name, nil)
		},
	}
	var errs []error
	for _, c := range streamtest.ListenerChecks[*unix.Conn]() {
		errs = append(errs, c.Run(t.Context(), m))
	}
	if errors.Join(errs...) == nil {
		t.Error("no check noticed that the name was in use")
	}
	os.Remove(name)
}
