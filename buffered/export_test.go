package buffered

// HoldsBuffer reports whether b has memory for bytes. No call may be running
// but one that waits.
func (b *Receiver) HoldsBuffer() bool { return b.buf.mem != nil }
