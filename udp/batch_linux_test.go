package udp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/race"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/udp"
)

// ways are those to move batches, for tests that hold for all.
var ways = []struct {
	name string
	set  func() (restore func())
}{
	{"offload", func() func() { return func() {} }},
	{"without offload", udp.WithoutOffload},
	{"a device without GSO", udp.RefuseGSO},
}

// batch returns packets of these lengths, each with bytes of its own.
func batch(lengths ...int) []udp.Packet {
	ps := make([]udp.Packet, len(lengths))
	for i, n := range lengths {
		ps[i].Data = bytes.Repeat([]byte{byte(i + 1)}, n)
	}
	return ps
}

// room returns n packets with room for size bytes each.
func room(n, size int) []udp.Packet {
	ps := make([]udp.Packet, n)
	for i := range ps {
		ps[i].Data = make([]byte, 0, size)
	}
	return ps
}

// receiveAll receives batches until it has n packets.
func receiveAll(t *testing.T, c *udp.Conn, n int) (all []udp.Packet) {
	t.Helper()
	for len(all) < n {
		ps := room(n, 2048)
		got, err := c.ReceiveBatch(t.Context(), ps)
		require.NoError(t, err)
		require.Positive(t, got)
		all = append(all, ps[:got]...)
	}
	require.Len(t, all, n)
	return all
}

func TestBatchArrivesAsItWasSent(t *testing.T) {
	cases := []struct {
		name    string
		lengths []int
	}{
		{"one", []int{100}},
		{"one empty", []int{0}},
		{"the last is shorter", []int{1000, 1000, 1000, 500}},
		{"lengths of all kinds", []int{10, 20, 20, 0, 0, 5, 1000, 1000, 999, 1000, 1, 1, 1}},
		{"more than one message", many(70, 1000)},
		{"more than one call", many(120, 300)},
	}
	for _, way := range ways {
		for _, tt := range cases {
			t.Run(way.name+"/"+tt.name, func(t *testing.T) {
				defer way.set()()
				a, b := pair(t)
				sent := batch(tt.lengths...)
				n, err := a.SendBatch(t.Context(), sent)
				require.NoError(t, err)
				require.Equal(t, len(sent), n)
				for i, p := range receiveAll(t, b, len(sent)) {
					require.Equal(t, sent[i].Data, p.Data, "packet %d", i)
					require.Equal(t, addrOf(a), p.Addr)
				}
			})
		}
	}
}

func many(n, size int) []int {
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = size
	}
	return lengths
}

func TestOffloadIsUsedWhereItIs(t *testing.T) {
	a, b := pair(t)
	_, err := a.SendBatch(t.Context(), batch(100, 100))
	require.NoError(t, err)
	receiveAll(t, b, 2)
	assert.True(t, a.GSO())
	assert.True(t, b.GRO())
}

func TestRefusedOffloadIsTurnedOffAndNothingIsLost(t *testing.T) {
	restore := udp.RefuseGSO()
	defer restore()
	a, b := pair(t)
	n, err := a.SendBatch(t.Context(), batch(10, 20, 20, 20))
	require.NoError(t, err)
	require.Equal(t, 4, n)
	assert.False(t, a.GSO())
	assert.Len(t, receiveAll(t, b, 4), 4)
	restore()
	_, err = a.SendBatch(t.Context(), batch(20, 20))
	require.NoError(t, err)
	assert.False(t, a.GSO(), "it stays off")
}

func TestBatchGoesToSeveralReceivers(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			defer way.set()()
			a, b := listen(t, "127.0.0.1:0", nil), listen(t, ":0", &udp.Config{Info: true})
			c := listen(t, "127.0.0.1:0", nil)
			ps := batch(10, 10, 10, 10)
			toB := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addrOf(b).Port())
			ps[0].Addr, ps[1].Addr, ps[2].Addr, ps[3].Addr = toB, toB, addrOf(c), toB
			ps[1].TOS, ps[3].TOS = 1, 1
			n, err := a.SendBatch(t.Context(), ps)
			require.NoError(t, err)
			require.Equal(t, 4, n)
			got := receiveAll(t, b, 3)
			for i, want := range []int{0, 1, 3} {
				assert.Equal(t, ps[want].Data, got[i].Data)
				assert.Equal(t, ps[want].TOS, got[i].TOS)
				assert.Equal(t, toB.Addr(), got[i].Local)
			}
			assert.Equal(t, ps[2].Data, receive(t, c).Data)
		})
	}
}

func TestBatchTellsWhichPacketsHaveNotFit(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			defer way.set()()
			a, b := pair(t)
			for _, n := range []int{10, 30, 5, 40} {
				send(t, a, udp.Packet{Data: make([]byte, n)})
			}
			ps := room(4, 10)
			n, err := b.ReceiveBatch(t.Context(), ps)
			require.Equal(t, 4, n)
			var cut *udp.TruncatedError
			require.ErrorAs(t, err, &cut)
			assert.Equal(t, udp.TruncatedError{Index: 1, Room: 10, Length: 30}, *cut)
			assert.ErrorContains(t, err, "packet of 40 bytes truncated to the 10 of its buffer")
			assert.Len(t, ps[1].Data, 10)
			assert.Len(t, ps[2].Data, 5)
		})
	}
}

func TestPacketsThatABatchHadNoRoomForComeNext(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			defer way.set()()
			a, b := pair(t)
			sent := batch(100, 100, 100, 100, 100)
			_, err := a.SendBatch(t.Context(), sent)
			require.NoError(t, err)
			ps := room(2, 100)
			n, err := b.ReceiveBatch(t.Context(), ps)
			require.NoError(t, err)
			require.Equal(t, 2, n)
			assert.Equal(t, sent[1].Data, ps[1].Data)
			assert.Equal(t, sent[2].Data, receive(t, b).Data)
			p := udp.Packet{Data: make([]byte, 50)}
			var cut *udp.TruncatedError
			require.ErrorAs(t, b.ReceiveInto(t.Context(), &p), &cut)
			assert.Equal(t, 100, cut.Length)
			n, err = b.ReceiveBatch(t.Context(), ps)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			assert.Equal(t, sent[4].Data, ps[0].Data)
		})
	}
}

func TestBatchWaitsAndIsCanceledWithoutLoss(t *testing.T) {
	a, b := pair(t)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		ps := room(4, 100)
		n, err := b.ReceiveBatch(ctx, ps)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, n)
		_, err = a.SendBatch(t.Context(), batch(10, 10))
		require.NoError(t, err)
		assert.Len(t, receiveAll(t, b, 2), 2)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, err := a.SendBatch(ctx, batch(1))
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, n)
	_, err = b.ReceiveBatch(t.Context(), nil)
	require.ErrorIs(t, err, stream.ErrEmptyBuffer)
	_, err = b.ReceiveBatch(t.Context(), make([]udp.Packet, 1))
	require.ErrorIs(t, err, stream.ErrEmptyBuffer)
	require.NoError(t, b.Close())
	_, err = b.ReceiveBatch(t.Context(), room(1, 1))
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestRefusalMetBehindABatchIsReportedNext(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			defer way.set()()
			a, b := pair(t)
			send(t, a, udp.Packet{Data: []byte("x")})
			p := receive(t, b)
			send(t, b, udp.Packet{Data: []byte("answer"), Addr: p.Addr})
			require.NoError(t, b.Close())
			// The packet that is refused is sent while the answer waits.
			require.NoError(t, a.Send(t.Context(), udp.Packet{Data: []byte("refused")}))
			got, refused := 0, 0
			for got == 0 || refused == 0 {
				n, err := a.ReceiveBatch(t.Context(), room(4, 100))
				got += n
				if errors.Is(err, syscall.ECONNREFUSED) {
					refused++
				} else {
					require.NoError(t, err)
				}
			}
			assert.Equal(t, 1, got)
			assert.Equal(t, 1, refused)
		})
	}
}

func TestBatchErrorTellsHowManyWereSent(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			defer way.set()()
			a, b := pair(t)
			n, err := a.SendBatch(t.Context(), batch(100, 100, 65508, 100))
			require.ErrorIs(t, err, syscall.EMSGSIZE)
			require.Equal(t, 2, n)
			assert.Len(t, receiveAll(t, b, 2), 2)
			n, err = a.SendBatch(t.Context(), nil)
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
}

func TestBatchesDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, way := range ways[:2] {
		t.Run(way.name, func(t *testing.T) {
			defer way.set()()
			b := listen(t, "127.0.0.1:0", &udp.Config{Info: true})
			a := dial(t, b, nil)
			out, in := batch(many(32, 1000)...), room(32, 1000)
			for i := range out {
				out[i].Local, out[i].Interface, out[i].TOS = addrOf(a).Addr(), 1, 4
			}
			ctx := context.Background()
			assert.Zero(t, testing.AllocsPerRun(200, func() {
				if _, err := a.SendBatch(ctx, out); err != nil {
					t.Error(err)
				}
				for got := 0; got < len(out); {
					n, err := b.ReceiveBatch(ctx, in)
					if err != nil {
						t.Error(err)
					}
					got += n
				}
			}))
		})
	}
}

func ExampleConn_SendBatch() {
	ctx := context.Background()
	server, err := udp.Listen(ctx, "127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	addr, _ := udp.LocalAddrPort.Lookup(server)
	client, err := udp.Dial(ctx, addr.String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	if _, err := client.SendBatch(ctx, []udp.Packet{{Data: []byte("one")}, {Data: []byte("two")}, {Data: []byte("3")}}); err != nil {
		fmt.Println(err)
		return
	}
	packets := make([]udp.Packet, 16)
	for i := range packets {
		packets[i].Data = make([]byte, 0, 1500)
	}
	for got := 0; got < 3; {
		n, err := server.ReceiveBatch(ctx, packets)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, p := range packets[:n] {
			fmt.Printf("%s\n", p.Data)
		}
		got += n
	}
	// Output:
	// one
	// two
	// 3
}
