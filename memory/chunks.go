package memory

import "sync"

const chunkSize = 8 << 10

// A chunk is a piece of a pipe's buffer. Pipes that hold nothing hold none.
type chunk struct {
	next       *chunk
	start, end int // of what is unread in data
	data       [chunkSize]byte
}

var chunkPool = sync.Pool{New: func() any { return new(chunk) }}

// chunks are bytes in order. The zero chunks are empty.
type chunks struct {
	first, last *chunk
	count       int
}

// write appends p.
func (c *chunks) write(p []byte) {
	c.count += len(p)
	for len(p) > 0 {
		if c.last == nil || c.last.end == chunkSize {
			c.extend()
		}
		n := copy(c.last.data[c.last.end:], p)
		c.last.end += n
		p = p[n:]
	}
}

// read moves up to len(p) bytes into p and returns how many.
func (c *chunks) read(p []byte) (n int) {
	for n < len(p) && c.first != nil {
		moved := copy(p[n:], c.first.data[c.first.start:c.first.end])
		c.first.start += moved
		n += moved
		if c.first.start == c.first.end {
			c.dropFirst()
		}
	}
	c.count -= n
	return n
}

// release lets go of everything.
func (c *chunks) release() {
	for c.first != nil {
		c.dropFirst()
	}
	c.count = 0
}

func (c *chunks) extend() {
	k := chunkPool.Get().(*chunk)
	k.next, k.start, k.end = nil, 0, 0
	if c.last == nil {
		c.first = k
	} else {
		c.last.next = k
	}
	c.last = k
}

func (c *chunks) dropFirst() {
	k := c.first
	c.first = k.next
	if c.first == nil {
		c.last = nil
	}
	chunkPool.Put(k)
}
