package buffered

import (
	"math/bits"
	"sync"
)

// Buffers of 4, 8, 16, 32 and 64 KiB are pooled; larger ones are left to the
// garbage collector.
const (
	smallestBits  = 12
	largestBits   = 16
	largestPooled = 1 << largestBits
)

var pools [largestBits - smallestBits + 1]sync.Pool

// borrow returns a memory of at least size bytes, and of length equal to its
// capacity.
func borrow(size int) *[]byte {
	class := max(bits.Len(uint(max(size, 1)-1)), smallestBits)
	if class <= largestBits {
		if mem, ok := pools[class-smallestBits].Get().(*[]byte); ok {
			return mem
		}
		size = 1 << class
	}
	mem := make([]byte, size)
	return &mem
}

// giveBack takes what borrow returned. Nobody may use it any more.
func giveBack(mem *[]byte) {
	class := bits.Len(uint(len(*mem) - 1))
	if class <= largestBits {
		pools[class-smallestBits].Put(mem)
	}
}
