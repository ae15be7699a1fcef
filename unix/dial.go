package unix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/strata-go/strata/stream"
)

// Dial connects to the stream socket that listens at name. While its queue of
// connections is full Dial waits, as connect(2) does. The context bounds the
// call alone, not the connection.
func Dial(ctx context.Context, name string, cfg *DialConfig) (*Conn, error) {
	conn, p, err := dial(ctx, "unix", name, orZero(cfg))
	if err != nil {
		return nil, err
	}
	return wrap(conn, p), nil
}

// A Connector dials the same name whenever it is asked to. Several goroutines may
// ask.
type Connector struct {
	Name   string
	Config *DialConfig // nil means all defaults
}

var _ stream.Connector[*Conn] = (*Connector)(nil)

// Connect is [Dial].
func (c *Connector) Connect(ctx context.Context) (*Conn, error) { return Dial(ctx, c.Name, c.Config) }

// dial connects a socket of any kind.
func dial(ctx context.Context, network, name string, cfg DialConfig) (*net.UnixConn, *place, error) {
	name, err := spellPeer(name)
	if err != nil {
		return nil, nil, err
	}
	local, err := spell(cfg.LocalName)
	if err != nil {
		return nil, nil, err
	}
	if err := cfg.Local.noBacklog(); err != nil {
		return nil, nil, err
	}
	conn, p, err := claim(ctx, local, cfg.Local, func(ctl control) (net.Conn, error) {
		dialer := net.Dialer{Control: ctl}
		if local != "" {
			return dialFrom(ctx, &dialer, network, local, name)
		}
		if network == "unixgram" {
			dialer.Control = autobind
		}
		return dialPatiently(ctx, func() (net.Conn, error) { return dialer.DialContext(ctx, network, name) })
	})
	if err != nil {
		return nil, nil, fault(ctx, "dial "+name, err)
	}
	return conn.(*net.UnixConn), p, nil
}

// dialPatiently waits out a full queue: for a socket that does not block,
// Linux answers EAGAIN at once, and never tells when there is room.
func dialPatiently(ctx context.Context, dial func() (net.Conn, error)) (net.Conn, error) {
	const most = 50 * time.Millisecond
	for pause := time.Millisecond; ; pause = min(2*pause, most) {
		conn, err := dial()
		if !errors.Is(err, syscall.EAGAIN) {
			return conn, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, stream.ContextError(ctx)
		}
	}
}

// fault is the error of a function whose ctx may have been what ended it.
func fault(ctx context.Context, doing string, err error) error {
	if canceled := stream.ContextError(ctx); canceled != nil {
		return fmt.Errorf("unix: %s: %w", doing, canceled)
	}
	if _, ok := errors.AsType[*net.OpError](err); ok { // it says what and where
		return fmt.Errorf("unix: %w", err)
	}
	return fmt.Errorf("unix: %s: %w", doing, err)
}
