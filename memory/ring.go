package memory

// keptSlots is how large an empty ring may be and still keep its memory. A
// larger one was filled at least half since it grew, so that letting it go
// costs one allocation in hundreds of items.
const keptSlots = 1024

// A ring is a first-in first-out queue that grows as needed. The zero ring is
// empty.
type ring[T any] struct {
	slots []T // a power of two of them
	head  int // of the oldest item
	count int
}

func (r *ring[T]) push(item T) {
	if r.count == len(r.slots) {
		r.grow()
	}
	r.slots[(r.head+r.count)&(len(r.slots)-1)] = item
	r.count++
}

// pop takes the oldest item out. The ring must not be empty.
func (r *ring[T]) pop() T {
	var zero T
	item := r.slots[r.head]
	r.slots[r.head] = zero
	r.head = (r.head + 1) & (len(r.slots) - 1)
	r.count--
	if r.count == 0 && len(r.slots) > keptSlots {
		*r = ring[T]{}
	}
	return item
}

func (r *ring[T]) grow() {
	slots := make([]T, max(4, 2*len(r.slots)))
	n := copy(slots, r.slots[r.head:])
	copy(slots[n:], r.slots[:r.head])
	r.slots, r.head = slots, 0
}
