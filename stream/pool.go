package stream

import (
	"sync"
	"sync/atomic"
)

// copyBufferSize is what this package receives at a time when it moves bytes.
const copyBufferSize = 64 << 10

// A piece that fills its buffer is followed by more, as a rule. The next one
// gets a large buffer then, which saves three in four system calls, and with
// them what waiting before each receive costs. Copies whose destination is slow
// hold on to theirs, so there are only so many.
const (
	largeBufferSize = 256 << 10
	maxLargeBuffers = 64
)

var (
	copyBuffers  = bufferPool{size: copyBufferSize}
	largeBuffers = bufferPool{size: largeBufferSize}
	largeInUse   atomic.Int32
)

// borrowBuffer returns a buffer, a large one if that is asked for and there is
// one left. The caller gives it back.
func borrowBuffer(large bool) *[]byte {
	if !large {
		return copyBuffers.get()
	}
	if largeInUse.Add(1) > maxLargeBuffers {
		largeInUse.Add(-1)
		return copyBuffers.get()
	}
	return largeBuffers.get()
}

func returnBuffer(buf *[]byte) {
	if len(*buf) == largeBufferSize {
		largeBuffers.put(buf)
		largeInUse.Add(-1)
		return
	}
	copyBuffers.put(buf)
}

type bufferPool struct {
	pool sync.Pool
	size int
}

func (b *bufferPool) get() *[]byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, b.size)
	return &buf
}

func (b *bufferPool) put(buf *[]byte) { b.pool.Put(buf) }
