//go:build !unix

package signals

import "os"

// raise ends the program, as an interrupt does that nobody handles: no other
// signal arrives here, and a process cannot send one to itself.
func raise(os.Signal) { os.Exit(interrupted) }

// interrupted is the exit code that shells give to a program which an
// interrupt ended.
const interrupted = 130

func uncatchable(sig os.Signal) bool { return sig == os.Kill }
