package memory

import "github.com/strata-go/strata/stream"

// ObjectPipe returns two connected streams of items: what is sent on one is
// received on the other, through a stream made by [New] with the given size
// in each direction. ObjectPipe panics when size is negative.
//
// SendEOF ends one direction, Close both; the peer then receives what was sent
// and io.EOF, and its Send is broken.
func ObjectPipe[T any](size int) (a, b *stream.StapledObjects[T]) {
	if size < 0 {
		panic("memory: ObjectPipe: negative size")
	}
	fromA, toB := New[T](size)
	fromB, toA := New[T](size)
	return stream.StapleObjects[T](toA, fromA), stream.StapleObjects[T](toB, fromB)
}
