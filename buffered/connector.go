package buffered

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// A Connector makes buffered streams of those of another connector. It may be
// used by several goroutines.
type Connector[S stream.ByteStream] struct {
	c   stream.Connector[S]
	cfg Config
}

var _ stream.Connector[*Stream] = (*Connector[stream.ByteStream])(nil)

// NewConnector wraps c. It panics when c is nil.
func NewConnector[S stream.ByteStream](c stream.Connector[S], cfg *Config) *Connector[S] {
	if c == nil {
		panic("buffered: NewConnector: nil c")
	}
	b := &Connector[S]{c: c}
	if cfg != nil {
		b.cfg = *cfg
	}
	return b
}

// Connect connects and wraps the stream. The error is that of the wrapped
// connector, as it is.
func (b *Connector[S]) Connect(ctx context.Context) (*Stream, error) {
	s, err := b.c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return New(s, &b.cfg), nil
}
