package tls

import "sync"

// Buffers come in two sizes, both of the runtime's size classes. Slices of
// other capacities, which append made, are left to the garbage collector.
const (
	recordSize = 18 << 10 // a record of any kind
	bulkSize   = 72 << 10 // sealedAtOnce plaintext as records
)

var (
	recordPool = sync.Pool{New: func() any { return new([recordSize]byte) }}
	bulkPool   = sync.Pool{New: func() any { return new([bulkSize]byte) }}
)

// borrow returns an empty slice with room for size bytes.
func borrow(size int) []byte {
	switch {
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
	case recordSize:
		recordPool.Put((*[recordSize]byte)(b[:recordSize]))
	case bulkSize:
		bulkPool.Put((*[bulkSize]byte)(b[:bulkSize]))
	}
}
