package ctxio

import (
	"context"
	"net"

	"github.com/strata-go/strata/stream"
)

// A handover accepts on a net.Listener whose Accept nothing but Close can
// wake. A goroutine does it, and when the caller that wanted the connection is
// gone by then, the next one gets it. It is used by one goroutine at a time.
type handover struct {
	ln       net.Listener
	accepted chan result // of the goroutine, if there is one
	underway bool        // there is one
}

type result struct {
	conn net.Conn
	err  error
}

func newHandover(ln net.Listener) *handover {
	return &handover{ln: ln, accepted: make(chan result, 1)}
}

func (h *handover) accept(ctx context.Context, done <-chan struct{}) (net.Conn, error) {
	if !h.underway {
		h.underway = true
		go h.run() // ends when Accept does; close waits for it
	}
	select {
	case r := <-h.accepted:
		h.underway = false
		return r.conn, r.err
	case <-done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, stream.ContextError(ctx)
	}
}

func (h *handover) run() {
	conn, err := h.ln.Accept()
	h.accepted <- result{conn, err}
}

// close waits for the goroutine, after the net.Listener was closed, and
// closes the connection that nobody came for.
func (h *handover) close() {
	if !h.underway {
		return
	}
	h.underway = false
	if r := <-h.accepted; r.conn != nil {
		_ = r.conn.Close()
	}
}
