package stream

import "sync"

// copyBufferSize is what this package receives at a time when it moves bytes.
const copyBufferSize = 64 << 10

var copyBuffers = sync.Pool{
	New: func() any {
		buf := make([]byte, copyBufferSize)
		return &buf
	},
}

func borrowBuffer() *[]byte    { return copyBuffers.Get().(*[]byte) }
func returnBuffer(buf *[]byte) { copyBuffers.Put(buf) }
