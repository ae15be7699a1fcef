package file

import "context"

// Seek sets the position from which the next Receive or Send goes on, as
// io.Seeker says, and returns it from the start of the file. It is
// stream.ErrBusy during a call in either direction, net.ErrClosed after Close,
// and errors.ErrUnsupported for files that have no position, such as pipes. An
// error of the file, for a position before its start, does not break the
// stream. What a layer above has read ahead it does not see, and a file that was
// opened by [Append] is sent to at its end wherever the position is.
func (s *Stream) Seek(offset int64, whence int) (int64, error) {
	b, ok := s.io.(*blocking)
	if !ok {
		return 0, s.can(context.Background(), false)
	}
	return b.seek(offset, whence)
}
