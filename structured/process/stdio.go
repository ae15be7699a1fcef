package process

import "os"

// A Stdio says what one of the standard streams of a process is. The zero
// Stdio is [Pipe].
type Stdio struct {
	kind kind
	file *os.File
}

type kind uint8

const (
	pipe kind = iota
	inherit
	discard
	toStdout
	toFile
)

var (
	// Pipe is a pipe whose other end is a stream of the [Process].
	Pipe = Stdio{kind: pipe}

	// Inherit is the stream that this process has itself: os.Stdin,
	// os.Stdout or os.Stderr.
	Inherit = Stdio{kind: inherit}

	// Discard is the null device: an input without a byte, an output that
	// vanishes.
	Discard = Stdio{kind: discard}

	// ToStdout is for Stderr alone: whatever Stdout is.
	ToStdout = Stdio{kind: toStdout}
)

// File is a file that was opened for what it is used for here. It stays the
// caller's, who may close it once the process has started. It goes into
// blocking mode, as with os/exec. File panics when f is nil.
func File(f *os.File) Stdio {
	if f == nil {
		panic("process: File: nil f: use Discard for none")
	}
	return Stdio{kind: toFile, file: f}
}
