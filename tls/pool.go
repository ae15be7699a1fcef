package tls

import "sync"

// Buffers come in three sizes, all of the runtime's size classes. Slices of
// other capacities, which append made, are left to the garbage collector.
const (
	smallSize  = 2 << 10  // session tickets, small messages
	recordSize = 18 << 10 // a record of any kind
	bulkSize   = 72 << 10 // sealedAtOnce plaintext as records
)

var (
	smallPool  = sync.Pool{New: func() any { return new([smallSize]byte) }}
	recordPool = sync.Pool{New: func() any { return new([recordSize]byte) }}
	bulkPool   = sync.Pool{New: func() any { return new([bulkSize]byte) }}
)

// borrow returns an empty slice with room for size bytes.
func borrow(size int) []byte {
	switch {
	case size <= smallSize:
		return smallPool.Get().(*[smallSize]byte)[:0]
	case size <= recordSize:
		return recordPool.Get().(*[recordSize]byte)[:0]
	case size <= bulkSize:
		return bulkPool.Get().(*[bulkSize]byte)[:0]
	}
	return make([]byte, 0, size)
}

// giveBack takes a slice that starts where the borrowed one did.
func giveBack(b []byte) {
	switch cap(b) {
	case smallSize:
		smallPool.Put((*[smallSize]byte)(b[:smallSize]))
	case recordSize:
		recordPool.Put((*[recordSize]byte)(b[:recordSize]))
	case bulkSize:
		bulkPool.Put((*[bulkSize]byte)(b[:bulkSize]))
	}
}
