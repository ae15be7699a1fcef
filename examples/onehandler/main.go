// Command onehandler serves one protocol over TCP, TLS, a Unix socket, QUIC
// and a pipe in memory at once, with one handler for all of them. The handler
// cannot tell them apart unless it asks: what differs are the attributes of
// its stream, which the command prints.
//
//	go run ./examples/onehandler
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/stream/netconn"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/structured/signals"
	"github.com/strata-go/strata/tls"
)

func main() {
	err := signals.Scope(context.Background(), func(ctx context.Context) error {
		return run(ctx, os.Stdout)
	}, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "onehandler:", err)
		os.Exit(1)
	}
}

// run serves until every place was asked once.
func run(ctx context.Context, out io.Writer) error {
	places, err := open(ctx)
	if err != nil {
		return err
	}
	lns := make([]stream.Listener[stream.ByteStream], len(places))
	for i, p := range places {
		lns[i] = p.ln
	}
	var seen sightings
	serving, stop := context.WithCancel(ctx)
	defer stop()
	return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		g.Go("server", func(context.Context) error {
			return listener.Serve(serving, listener.Multi(lns...), seen.handle, nil)
		})
		defer stop()
		for _, p := range places {
			if err := ask(ctx, p, out); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
		return seen.print(out, places)
	})
}

// ask says the name of p over it, and prints the answer.
func ask(ctx context.Context, p place, out io.Writer) error {
	s, closeBelow, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer closeBelow()
	defer s.Close()
	if _, err := s.Send(ctx, []byte(p.name+"\n")); err != nil {
		return err
	}
	if err := s.SendEOF(ctx); err != nil {
		return err
	}
	answer, err := io.ReadAll(stream.NewReader(ctx, s))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%-6s  is %s", p.name, answer)
	return err
}

// sightings are the attributes of the streams that were handled, by what the
// client said.
type sightings struct {
	mu    sync.Mutex
	names map[string][]string
}

// handle is the one handler. It answers a line by how the stream came here.
func (st *sightings) handle(ctx context.Context, s stream.ByteStream) error {
	line, err := buffered.New(s, nil).ReceiveUntil(ctx, []byte("\n"), 64)
	if err != nil {
		return err
	}
	st.note(string(bytes.TrimSpace(line)), s)
	answer := describe(s)
	if _, err := s.Send(ctx, []byte(answer+"\n")); err != nil {
		return err
	}
	return stream.Shutdown(ctx, s) // says that this was all, and waits until the client has said so
}

// describe asks s for some of what there may be to know about it.
func describe(s attr.Provider) string {
	family, ok := netconn.NetFamily.Lookup(s)
	if !ok {
		family = "no network"
	}
	proto, ok := tls.ALPN.Lookup(s)
	if !ok {
		return string(family) + ", in plain text"
	}
	version, _ := tls.Version.Lookup(s)
	return fmt.Sprintf("%s, %s for %q", family, version, proto)
}

func (st *sightings) note(name string, s attr.Provider) {
	has := make(map[string]bool)
	for e := range attr.All(s) {
		has[e.Name()] = true
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.names == nil {
		st.names = make(map[string][]string)
	}
	st.names[name] = slices.Sorted(maps.Keys(has))
}

// print tells which attributes all of them have, and what each has besides.
func (st *sightings) print(out io.Writer, places []place) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	count := make(map[string]int)
	for _, names := range st.names {
		for _, name := range names {
			count[name]++
		}
	}
	shared := func(name string) bool { return count[name] == len(places) }
	common := slices.DeleteFunc(slices.Sorted(maps.Keys(count)), func(name string) bool { return !shared(name) })
	fmt.Fprintf(out, "all     have %s\n", strings.Join(common, ", "))
	for _, p := range places {
		own := slices.DeleteFunc(st.names[p.name], shared)
		if len(own) == 0 {
			own = []string{"nothing else"}
		}
		if _, err := fmt.Fprintf(out, "%-6s  + %s\n", p.name, strings.Join(own, ", ")); err != nil {
			return err
		}
	}
	return nil
}
