package file_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/file"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "log")

	out, err := file.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := out.Send(ctx, []byte("one\ntwo\n")); err != nil {
		log.Fatal(err)
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}

	in, err := file.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	for line, err := range buffered.New(in, nil).Until(ctx, []byte("\n"), 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", line)
	}
	// Output:
	// one
	// two
}

func ExampleWrap() {
	ctx := context.Background()
	r, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	in, out := file.Wrap(r), file.Wrap(w)
	defer in.Close()
	defer out.Close()

	if _, err := out.Send(ctx, []byte("through a pipe")); err != nil {
		log.Fatal(err)
	}
	if err := out.SendEOF(ctx); err != nil {
		log.Fatal(err)
	}
	all, err := io.ReadAll(stream.NewReader(ctx, in))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", all)
	// Output: through a pipe
}

func ExampleStream_Seek() {
	ctx := context.Background()
	f, err := os.CreateTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(f.Name())
	s := file.Wrap(f)
	defer s.Close()

	if _, err := s.Send(ctx, []byte("0123456789")); err != nil {
		log.Fatal(err)
	}
	if _, err := s.Seek(-3, io.SeekEnd); err != nil {
		log.Fatal(err)
	}
	p := make([]byte, 8)
	n, err := s.Receive(ctx, p)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", p[:n])
	// Output: 789
}
