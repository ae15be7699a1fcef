// Package file makes byte streams of files: regular files, pipes, terminals,
// devices.
//
// [Open] receives from a file, [Create] and [Append] send to one, and [Wrap]
// takes an *os.File that somebody else opened. All return a [Stream].
//
//	s, err := file.Open("access.log")
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	for line, err := range text.NewReceiver(s, nil).Lines(ctx, 4096) {
//
// # Directions
//
// A file has the directions that it was opened for. Calls of the other one
// are errors.ErrUnsupported and do no harm. SendEOF ends a file that was
// opened for sending alone by closing it, so that the reader of a pipe meets
// the end; any other has no end of sending, and SendEOF is
// errors.ErrUnsupported.
//
// # Cancellation
//
// Files that the operating system can poll are like sockets: a context
// interrupts any call, Close wakes it, a canceled Receive has taken nothing and
// a canceled Send has sent the n bytes that it returns. These are pipes,
// terminals, sockets and most devices, if Go opened them, or if they were in
// non-blocking mode when os.NewFile got them.
//
// All other files cannot be interrupted. On a disk that is no matter: a Send
// looks at its context before every MiB, and a system call that has begun
// completes. But a pipe or terminal that was inherited in blocking mode, as
// os.Stdin usually is, waits for as long as it takes, whatever the context
// says, and Close does not wake it. Open /dev/tty or /dev/stdin instead where
// that matters.
//
// # Ownership
//
// A Stream owns its file: Close closes it.
package file
