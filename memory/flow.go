package memory

// A flow is one direction of a pipe. The pipe's lock guards it.
type flow struct {
	limit   int    // of the buffer; 0 means lockstep
	chunks  chunks // what was taken from senders
	pending []byte // the rest of what a waiting Send still holds
	ended   bool   // the sender sends no more
	gone    bool   // the receiver receives no more

	want []byte // where a waiting Receive wants its bytes
	got  int    // how many it was given

	sender, receiver seat
}

// offer gives p to the Receive that waits, then to the buffer, and returns
// what neither took.
func (f *flow) offer(p []byte) (rest []byte) {
	if len(p) == 0 {
		return nil
	}
	if f.want != nil {
		f.got = copy(f.want, p)
		f.want = nil
		p = p[f.got:]
	}
	f.receiver.call()
	return f.store(p)
}

// store puts what there is room for into the buffer, and returns the rest.
func (f *flow) store(p []byte) (rest []byte) {
	n := min(len(p), f.limit-f.chunks.count)
	f.chunks.write(p[:n])
	return p[n:]
}

// take moves bytes into p, the oldest first. The room that this makes goes to
// the Send that waits.
func (f *flow) take(p []byte) (n int) {
	n = f.chunks.read(p)
	if f.ended || len(f.pending) == 0 {
		return n
	}
	moved := copy(p[n:], f.pending)
	f.pending = f.store(f.pending[moved:])
	if len(f.pending) == 0 {
		f.sender.call()
	}
	return n + moved
}

// given returns how much the Receive that waited was given.
func (f *flow) given() (n int) {
	n = f.got
	f.want, f.got = nil, 0
	return n
}

// readable reports whether take would find anything.
func (f *flow) readable() bool {
	return f.chunks.count > 0 || len(f.pending) > 0 && !f.ended
}

// end is the sender's: nothing follows what is in the buffer, not even what
// is pending.
func (f *flow) end() {
	f.ended = true
	f.sender.call()
	f.receiver.call()
}

// drop is the receiver's: nothing is received any more.
func (f *flow) drop() {
	f.gone = true
	f.chunks.release()
	f.sender.call()
	f.receiver.call()
}

// A seat is the place of the one call that may use an end of a flow.
type seat struct {
	taken bool
	wake  chan struct{} // made by the first call that waits; holds one token
}

// call makes the call in the seat, if one waits there, look again.
func (s *seat) call() {
	if !s.taken {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
