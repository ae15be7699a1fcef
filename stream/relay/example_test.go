package relay_test

import (
	"context"
	"fmt"

	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/relay"
)

func ExampleRun() {
	ctx := context.Background()
	client, a := memory.Pipe(nil)
	b, server := memory.Pipe(nil)
	go func() { // the server sends back what it gets
		_, _ = stream.Copy(ctx, server, server)
		_ = server.SendEOF(ctx)
	}()
	go func() {
		_, _ = client.Send(ctx, []byte("round trip"))
		_ = client.SendEOF(ctx)
	}()
	counts, err := relay.Run(ctx, a, b, nil)
	fmt.Println(counts.AToB, counts.BToA, err)
	// Output: 10 10 <nil>
}
