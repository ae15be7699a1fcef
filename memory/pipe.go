package memory

import (
	"context"
	"net"
	"sync"

	"github.com/strata-go/strata/stream"
)

// defaultBuffer is how much a direction of a pipe holds.
const defaultBuffer = 64 << 10

// Config says what [Pipe] makes. A nil Config and the zero one mean all
// defaults. Pipe copies it.
type Config struct {
	// Buffer is how many bytes each direction holds that were sent and not
	// yet received. Zero means 64 KiB. Negative means none: the pipe is in
	// lockstep, and Send returns only when the peer has received everything.
	// Memory is held only for bytes that are in the buffer.
	Buffer int
}

// buffer returns the size in bytes.
func (c *Config) buffer() int {
	if c == nil || c.Buffer == 0 {
		return defaultBuffer
	}
	return max(0, c.Buffer)
}

// What the ends of a Pipe have for addresses.
var (
	pipeAddrA net.Addr = Addr{Name: "pipe", Number: 1}
	pipeAddrB net.Addr = Addr{Name: "pipe", Number: 2}
)

// Pipe returns two connected byte streams: what is sent on one is received on
// the other.
func Pipe(cfg *Config) (a, b *Conn) {
	return newPipe(cfg, pipeAddrA, pipeAddrB)
}

// newPipe connects an end at the address a with one at b.
func newPipe(cfg *Config, a, b net.Addr) (*Conn, *Conn) {
	p := new(pipe)
	for i := range p.flows {
		p.flows[i].limit = cfg.buffer()
	}
	p.ends[0] = Conn{pipe: p, peer: &p.ends[1], in: &p.flows[0], out: &p.flows[1], local: a, remote: b}
	p.ends[1] = Conn{pipe: p, peer: &p.ends[0], in: &p.flows[1], out: &p.flows[0], local: b, remote: a}
	for i := range p.ends {
		connFacts.Init(&p.ends[i].facts, &p.ends[i])
	}
	return &p.ends[0], &p.ends[1]
}

// A pipe is both ends and what is between them.
type pipe struct {
	mu    sync.Mutex // guards everything below; never held while waiting
	flows [2]flow
	ends  [2]Conn
}

// wait gives up the lock until somebody calls s, or ctx is done. Being called
// promises nothing: the caller looks for itself.
func (p *pipe) wait(ctx context.Context, s *seat) error {
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
	}
	p.mu.Unlock()
	defer p.mu.Lock()
	done := ctx.Done()
	if done == nil {
		<-s.wake
		return nil
	}
	select {
	case <-s.wake:
		return nil
	case <-done:
		return stream.ContextError(ctx)
	}
}
