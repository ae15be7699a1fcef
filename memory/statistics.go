package memory

// Statistics tells how a stream of items is doing at one moment.
type Statistics struct {
	Size     int // how many items the buffer has room for
	Buffered int // how many are in it
	Peak     int // how many were ever in it at once

	Senders   int // open sending handles
	Receivers int // open receiving handles

	WaitingSenders   int // Send calls that wait, on all handles
	WaitingReceivers int // Receive calls that wait, on all handles
}

func (o *objects[T]) statistics() Statistics {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Statistics{
		Size:             o.size,
		Buffered:         o.items.count,
		Peak:             o.peak,
		Senders:          o.openSenders,
		Receivers:        o.openReceivers,
		WaitingSenders:   o.senders.count,
		WaitingReceivers: o.receivers.count,
	}
}
