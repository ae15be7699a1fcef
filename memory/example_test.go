package memory_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
)

// Two workers share what one producer sends.
func ExampleNew() {
	ctx := context.Background()
	jobs, queue := memory.New[int](2)

	var workers sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for range 2 {
		workers.Go(func() {
			for job, err := range stream.Items(ctx, queue) {
				if err != nil {
					log.Print(err)
					return
				}
				mu.Lock()
				sum += job
				mu.Unlock()
			}
		})
	}
	for job := range 5 {
		if err := jobs.Send(ctx, job); err != nil {
			log.Fatal(err)
		}
	}
	if err := jobs.Close(); err != nil { // the workers end once the queue is empty
		log.Fatal(err)
	}
	workers.Wait()
	fmt.Println("sum:", sum, "peak in the queue at most 2:", queue.Statistics().Peak <= 2)
	// Output: sum: 10 peak in the queue at most 2: true
}

// A producer that must not wait sees when nobody keeps up.
func ExampleSender_TrySend() {
	samples, _ := memory.New[float64](1)
	for _, sample := range []float64{0.5, 0.75} {
		if err := samples.TrySend(sample); errors.Is(err, stream.ErrWouldBlock) {
			fmt.Println("dropped", sample)
		}
	}
	// Output: dropped 0.75
}

func ExampleObjectPipe() {
	ctx := context.Background()
	client, server := memory.ObjectPipe[string](1)
	if err := client.Send(ctx, "ping"); err != nil {
		log.Fatal(err)
	}
	question, err := server.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Send(ctx, question+", pong"); err != nil {
		log.Fatal(err)
	}
	answer, err := client.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	// Output: ping, pong
}

func ExamplePipe() {
	ctx := context.Background()
	a, b := memory.Pipe(nil)
	if _, err := a.Send(ctx, []byte("ping")); err != nil {
		log.Fatal(err)
	}
	if err := a.SendEOF(ctx); err != nil {
		log.Fatal(err)
	}
	got, err := io.ReadAll(stream.NewReader(ctx, b))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", got)
	// Output: ping
}

func ExampleListen() {
	ctx := context.Background()
	ln := memory.Listen(nil)
	defer ln.Close()

	client, err := ln.Connect(ctx) // waits for Accept in the backlog
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Send(ctx, []byte("hello")); err != nil {
		log.Fatal(err)
	}

	server, err := ln.Accept(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	buf := make([]byte, 16)
	n, err := server.Receive(ctx, buf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", buf[:n])
	// Output: hello
}
