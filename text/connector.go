package text

import (
	"context"

	"github.com/strata-go/strata/stream"
)

// A Connector makes streams of text of those of another connector. It may be
// used by several goroutines.
type Connector[S stream.ByteStream] struct {
	c   stream.Connector[S]
	cfg Config
}

var _ stream.Connector[*Stream] = (*Connector[stream.ByteStream])(nil)

// NewConnector wraps c. It panics when c is nil.
func NewConnector[S stream.ByteStream](c stream.Connector[S], cfg *Config) *Connector[S] {
	if c == nil {
		panic("text: NewConnector: nil c")
	}
	return &Connector[S]{c: c, cfg: cfg.orDefault()}
}

// Connect connects and wraps the stream. The error is that of the wrapped
// connector, as it is.
func (t *Connector[S]) Connect(ctx context.Context) (*Stream, error) {
	s, err := t.c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return New(s, &t.cfg), nil
}
