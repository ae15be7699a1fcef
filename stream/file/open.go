package file

import "os"

// Open opens a file for receiving. The error is that of os.Open. Like that, it
// waits for a writer if path is a named pipe.
func Open(path string) (*Stream, error) { return open(path, os.O_RDONLY) }

// Create opens a file for sending, empty: what was in it is gone. If there is
// none it makes one, with the permissions that os.Create gives. The error is
// that of os.Create.
func Create(path string) (*Stream, error) { return open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC) }

// Append opens a file for sending behind what is in it, also if others append
// at the same time. If there is none it makes one, as Create does.
func Append(path string) (*Stream, error) { return open(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND) }

func open(path string, flag int) (*Stream, error) {
	f, err := os.OpenFile(path, flag, 0o666)
	if err != nil {
		return nil, err
	}
	return newStream(f, path, directionsOf(flag)), nil
}

// Wrap takes over f: Close closes it. It may have any kind and be open for any
// direction. Deadlines of f are cleared. Nobody else may use f, but for calls
// that neither read, write nor change its mode, as Fd does. Wrap panics when f
// is nil.
func Wrap(f *os.File) *Stream {
	if f == nil {
		panic("file: Wrap: nil f")
	}
	return newStream(f, pathOf(f), modeOf(f))
}

// pathOf returns the name of f where that is a path: for the ends of os.Pipe
// it is not.
func pathOf(f *os.File) string {
	if name := f.Name(); name != "|0" && name != "|1" {
		return name
	}
	return ""
}

// directions are what a file was opened for.
type directions struct{ receive, send bool }

// directionsOf returns what the flags of os.OpenFile say.
func directionsOf(flag int) directions {
	access := flag & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
	return directions{receive: access != os.O_WRONLY, send: access != os.O_RDONLY}
}
