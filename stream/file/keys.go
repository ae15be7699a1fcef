package file

import (
	"net"
	"os"

	"github.com/strata-go/strata/attr"
)

var (
	// Path is the name that the file was opened with. It is absent where
	// there is none, as for the ends of os.Pipe. It is fixed.
	Path = attr.New[string]("file.path")

	// File is the file itself, for what only it can do, such as Stat or Sync.
	// It belongs to the stream: do not close it, nor call its Fd, which makes it
	// wait in system calls that no context can interrupt. It is secret, and
	// live: net.ErrClosed after Close.
	File = attr.NewSecret[*os.File]("file.file")
)

var facts = attr.Define(
	attr.From(Path, (*Stream).pathFact),
	attr.From(File, (*Stream).fileFact),
)

func (s *Stream) pathFact() (string, error) {
	if s.path == "" {
		return "", attr.ErrNotFound
	}
	return s.path, nil
}

func (s *Stream) fileFact() (*os.File, error) {
	if s.io.Closed() {
		return nil, net.ErrClosed
	}
	return s.file, nil
}
