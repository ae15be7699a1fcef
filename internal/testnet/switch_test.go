package testnet_test

import (
	"encoding/binary"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/internal/testnet"
)

// pair opens two sockets of a network in memory.
func pair(t *testing.T, f testnet.Faults) (sw *testnet.Switch, a, b *testnet.Socket) {
	t.Helper()
	sw = &testnet.Switch{}
	sw.SetFaults(f)
	a, err := sw.Listen(0)
	require.NoError(t, err)
	b, err = sw.Listen(443)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = a.Close() // some tests have done it
		_ = b.Close()
	})
	return sw, a, b
}

// send sends n packets, which have their number.
func send(t *testing.T, from net.PacketConn, to net.Addr, n int) {
	t.Helper()
	for i := range n {
		_, err := from.WriteTo(binary.BigEndian.AppendUint16(nil, uint16(i)), to)
		require.NoError(t, err)
	}
}

// drain returns the numbers of the packets that have come within an hour.
func drain(t *testing.T, c net.PacketConn) (numbers []int) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
	p := make([]byte, 2)
	for {
		n, _, err := c.ReadFrom(p)
		if err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			return numbers
		}
		require.Equal(t, 2, n)
		numbers = append(numbers, int(binary.BigEndian.Uint16(p)))
	}
}

func TestWithoutFaultsPacketsArriveAtOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw, a, b := pair(t, testnet.Faults{})
		send(t, a, b.LocalAddr(), 1000)
		got := drain(t, b)
		assert.Len(t, got, 1000)
		assert.True(t, slices.IsSorted(got))
		assert.Equal(t, testnet.Counts{Sent: 1000}, sw.Counts())
	})
}

func TestDelayIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t, testnet.Faults{Delay: 30 * time.Millisecond})
		start := time.Now()
		send(t, a, b.LocalAddr(), 100)
		p := make([]byte, 2)
		for i := range 100 {
			_, from, err := b.ReadFrom(p)
			require.NoError(t, err)
			assert.Equal(t, a.LocalAddr(), from)
			assert.EqualValues(t, i, binary.BigEndian.Uint16(p), "delay alone keeps the order")
		}
		assert.Equal(t, 30*time.Millisecond, time.Since(start))
	})
}

func TestEachFaultDoesWhatItSays(t *testing.T) {
	tests := []struct {
		name   string
		faults testnet.Faults
	}{
		{"none", testnet.Faults{}},
		{"delay", testnet.Faults{Delay: time.Second}},
		{"loss", testnet.Faults{Loss: 0.2}},
		{"vanished", testnet.Faults{Loss: 1}},
		{"duplicates", testnet.Faults{Duplicate: 0.1}},
		{"reordering", testnet.Faults{Jitter: time.Second}},
		{"all", testnet.Faults{Loss: 0.2, Duplicate: 0.1, Delay: time.Second, Jitter: time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sw, a, b := pair(t, tt.faults)
				send(t, a, b.LocalAddr(), 1000)
				got := drain(t, b)
				counts := sw.Counts()
				assert.Equal(t, 1000, counts.Sent)
				assert.Len(t, got, 1000-counts.Lost+counts.Duplicated)
				assert.Equal(t, tt.faults.Loss > 0, counts.Lost > 0)
				assert.Equal(t, tt.faults.Duplicate > 0, counts.Duplicated > 0)
				assert.Equal(t, tt.faults.Jitter > 0, counts.Reordered > 0)
				assert.Equal(t, tt.faults.Jitter > 0, !slices.IsSorted(got))
			})
		})
	}
}

func TestFaultsCanChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw, a, b := pair(t, testnet.Faults{Delay: time.Second})
		send(t, a, b.LocalAddr(), 1)
		sw.SetFaults(testnet.Faults{Loss: 1})
		send(t, a, b.LocalAddr(), 1)
		sw.SetFaults(testnet.Faults{})
		send(t, a, b.LocalAddr(), 2)
		assert.Equal(t, []int{0, 1, 0}, drain(t, b), "what is on its way stays on it")
	})
}

func TestRebindMovesASocketForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t, testnet.Faults{})
		own := a.LocalAddr()
		a.Rebind()
		assert.Equal(t, own, a.LocalAddr())

		send(t, a, b.LocalAddr(), 1)
		_, seen, err := b.ReadFrom(make([]byte, 2))
		require.NoError(t, err)
		assert.NotEqual(t, own, seen)

		send(t, b, own, 3)
		assert.Empty(t, drain(t, a), "sent to where a was")
		send(t, b, seen, 3)
		assert.Len(t, drain(t, a), 3)
	})
}

func TestPacketsToNobodyAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw, a, b := pair(t, testnet.Faults{})
		require.NoError(t, b.Close())
		send(t, a, b.LocalAddr(), 10)

		again, err := sw.Listen(443)
		require.NoError(t, err)
		defer again.Close()
		assert.Empty(t, drain(t, again))
		send(t, a, b.LocalAddr(), 10)
		assert.Len(t, drain(t, again), 10)
	})
}

func TestPortsBelongToOneSocket(t *testing.T) {
	sw, a, b := pair(t, testnet.Faults{})
	assert.NotEqual(t, a.LocalAddr(), b.LocalAddr())
	_, err := sw.Listen(443)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.NoError(t, b.Close())
	again, err := sw.Listen(443)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestReadFromCutsOffWhatDoesNotFit(t *testing.T) {
	_, a, b := pair(t, testnet.Faults{})
	_, err := a.WriteTo([]byte("packet"), b.LocalAddr())
	require.NoError(t, err)
	p := make([]byte, 4)
	n, _, err := b.ReadFrom(p)
	require.NoError(t, err)
	assert.Equal(t, "pack", string(p[:n]))
}

func TestSocketDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t, testnet.Faults{Delay: time.Minute})
		start := time.Now()
		require.NoError(t, b.SetReadDeadline(start.Add(time.Second)))
		send(t, a, b.LocalAddr(), 1)
		p := make([]byte, 2)
		_, _, err := b.ReadFrom(p)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))

		require.NoError(t, b.SetReadDeadline(time.Time{}))
		_, _, err = b.ReadFrom(p)
		require.NoError(t, err)
		assert.Equal(t, time.Minute, time.Since(start))

		require.NoError(t, a.SetDeadline(time.Now()))
		_, err = a.WriteTo(p, b.LocalAddr())
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_, _, err = a.ReadFrom(p)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestABlockedReadIsWoken(t *testing.T) {
	tests := []struct {
		name string
		wake func(a, b *testnet.Socket) error
		want error
	}{
		{"by a packet", func(a, b *testnet.Socket) error {
			_, err := a.WriteTo([]byte("x"), b.LocalAddr())
			return err
		}, nil},
		{"by a deadline", func(_, b *testnet.Socket) error { return b.SetReadDeadline(time.Now()) }, os.ErrDeadlineExceeded},
		{"by Close", func(_, b *testnet.Socket) error { return b.Close() }, net.ErrClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, a, b := pair(t, testnet.Faults{})
				read := make(chan error, 1)
				go func() { // ends when woken
					_, _, err := b.ReadFrom(make([]byte, 1))
					read <- err
				}()
				synctest.Wait()
				assert.Empty(t, read)
				require.NoError(t, tt.wake(a, b))
				require.ErrorIs(t, <-read, tt.want)
			})
		})
	}
}

func TestAClosedSocketSaysSo(t *testing.T) {
	_, a, b := pair(t, testnet.Faults{})
	require.NoError(t, a.Close())
	require.ErrorIs(t, a.Close(), net.ErrClosed)
	_, err := a.WriteTo(nil, b.LocalAddr())
	require.ErrorIs(t, err, net.ErrClosed)
	_, _, err = a.ReadFrom(nil)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestOnlyUDPAddressesAreAddresses(t *testing.T) {
	_, a, _ := pair(t, testnet.Faults{})
	_, err := a.WriteTo(nil, &net.UnixAddr{Name: "x"})
	require.ErrorIs(t, err, syscall.EAFNOSUPPORT)
}
