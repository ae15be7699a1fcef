package buffered

import "bytes"

// A buffer is a queue of bytes in one piece of memory, which it holds only
// while somebody may need it.
type buffer struct {
	mem        *[]byte // from borrow, or nil
	start, end int     // the unread bytes are (*mem)[start:end]
	fed        int     // how many of them, at the front, came from Feed

	missed  []byte // the delimiter of an unfinished scan (scan.go),
	scanned int    // and how many bytes, at the front, do not begin it
}

func (b *buffer) len() int { return b.end - b.start }

// unread returns the bytes in the buffer. It is a view.
func (b *buffer) unread() []byte {
	if b.mem == nil {
		return nil
	}
	return (*b.mem)[b.start:b.end:b.end]
}

// skip takes n bytes from the front. The memory stays, since the caller may
// have returned a view of it.
func (b *buffer) skip(n int) {
	b.start += n
	b.fed = max(b.fed-n, 0)
	b.scanned = 0
}

// cut returns a view of the first n bytes and takes them, with what ends them.
func (b *buffer) cut(n, end int) []byte {
	view := (*b.mem)[b.start : b.start+n : b.start+n]
	b.skip(n + end)
	return view
}

// release gives the memory back when the buffer is empty, which ends views.
func (b *buffer) release() {
	if b.mem != nil && b.start == b.end {
		giveBack(b.mem)
		b.drop()
	}
}

// drop forgets the bytes and the memory. Views of it stay good.
func (b *buffer) drop() { *b = buffer{missed: b.missed[:0]} }

// room returns free memory behind the unread bytes: at least one byte and at
// most limit. It looks to it that the buffer has size bytes in all.
func (b *buffer) room(limit, size int) []byte {
	if b.mem == nil || len(*b.mem) < size {
		b.move(size)
	}
	b.makeRoom(1)
	free := (*b.mem)[b.end:]
	return free[:min(len(free), limit)]
}

// append copies p behind the unread bytes.
func (b *buffer) append(p []byte) {
	b.makeRoom(len(p))
	b.end += copy((*b.mem)[b.end:], p)
}

// feed copies p before the unread bytes that came from the stream, and after
// those that were fed before. p may be a view of the buffer.
func (b *buffer) feed(p []byte) {
	if len(p) == 0 {
		return
	}
	if b.fed == 0 && b.start >= len(p) {
		b.start -= len(p)
		copy((*b.mem)[b.start:], p)
	} else {
		b.insert(bytes.Clone(p))
	}
	b.fed += len(p)
	b.scanned = 0
}

func (b *buffer) insert(p []byte) {
	b.makeRoom(len(p))
	tail := (*b.mem)[b.start+b.fed:]
	copy(tail[len(p):], tail[:b.len()-b.fed])
	copy(tail, p)
	b.end += len(p)
}

// makeRoom makes n bytes free behind the unread ones. To move them is worth
// it only when at least as many bytes were taken from before them: so each
// byte taken pays for at most one moved, and the work stays linear.
func (b *buffer) makeRoom(n int) {
	if b.mem == nil {
		b.mem = borrow(n)
		return
	}
	if b.start >= b.len() {
		b.end = copy(*b.mem, b.unread())
		b.start = 0
	}
	if len(*b.mem)-b.end < n {
		b.move(max(2*len(*b.mem), b.len()+n))
	}
}

// move moves the unread bytes to other memory of at least size bytes.
func (b *buffer) move(size int) {
	mem := borrow(max(size, b.len()))
	if b.mem != nil {
		b.end = copy(*mem, b.unread())
		b.start = 0
		giveBack(b.mem)
	}
	b.mem = mem
}
