package text_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"golang.org/x/text/encoding/charmap"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/text"
)

func ExampleStream_Lines() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	defer a.Close()
	if _, err := b.Send(ctx, []byte("HELO \xe2\x82\xac\r\nQUIT\n")); err != nil {
		log.Fatal(err)
	}
	b.Close()

	for line, err := range text.New(a, nil).Lines(ctx, 512) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(line)
	}
	// Output:
	// HELO €
	// QUIT
}

func ExampleNew() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	s := text.New(a, &text.Config{Encoding: charmap.ISO8859_1})
	defer s.Close()
	defer b.Close()

	if err := s.Send(ctx, "caf\u00e9"); err != nil {
		log.Fatal(err)
	}
	p := make([]byte, 8)
	n, err := b.Receive(ctx, p)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", p[:n])

	err = s.Send(ctx, "5 €")
	if bad, ok := errors.AsType[*text.EncodeError](err); ok {
		fmt.Printf("%q at byte %d\n", bad.Rune, bad.Offset)
	}
	// Output:
	// "caf\xe9"
	// '€' at byte 2
}

func ExampleConnector() {
	ctx := context.Background()
	ln := memory.Listen(nil)
	defer ln.Close()

	s, err := text.NewConnector(ln, nil).Connect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	peer, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()
	if _, err := peer.Send(ctx, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	greeting, err := s.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(greeting)
	// Output: hello
}
