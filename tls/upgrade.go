package tls

import (
	"context"
	"errors"
	"fmt"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/buffered"
	"github.com/strata-go/strata/stream"
)

// ErrPlaintextBuffered is what every [*PlaintextBufferedError] is.
var ErrPlaintextBuffered = errors.New("tls: plaintext is unread at the upgrade")

// A PlaintextBufferedError reports an upgrade that was refused because the
// peer, or somebody between, sent more plaintext than the dialogue asked for.
// Taken for a part of the session it would be a command or an answer injected
// by anybody (CVE-2011-0411). It is [ErrPlaintextBuffered].
type PlaintextBufferedError struct {
	Unread int // how many bytes, in all layers
}

func (e *PlaintextBufferedError) Error() string {
	return fmt.Sprintf("%v: %d bytes", ErrPlaintextBuffered, e.Unread)
}

// Is reports whether target is [ErrPlaintextBuffered].
func (e *PlaintextBufferedError) Is(target error) bool { return target == ErrPlaintextBuffered }

// UpgradeClient is [WrapClient] in the middle of a plaintext dialogue, once
// the server has agreed to start TLS. It takes over b, which from then on
// answers net.ErrClosed, so that nobody reads plaintext twice. When b or any
// layer below holds an unread byte (attribute stream.Unread), it refuses with a
// [*PlaintextBufferedError] and closes the stream, as it does with stream.ErrBusy
// when a call is in progress on b.
func UpgradeClient(ctx context.Context, b *buffered.Stream, cfg *Config, opt *Options) (*Conn, error) {
	s, err := detach(b)
	if err != nil {
		return nil, err
	}
	return WrapClient(ctx, s, cfg, opt)
}

// UpgradeServer is [WrapServer] in the middle of a plaintext dialogue, once
// the client was told to start TLS. It takes over b and refuses as
// [UpgradeClient] does.
func UpgradeServer(ctx context.Context, b *buffered.Stream, cfg *Config, opt *Options) (*Conn, error) {
	s, err := detach(b)
	if err != nil {
		return nil, err
	}
	return WrapServer(ctx, s, cfg, opt)
}

// detach returns what is below b, where nothing at all is unread.
func detach(b *buffered.Stream) (stream.ByteStream, error) {
	if b == nil {
		return nil, errNilStream
	}
	s, leftover, err := b.Detach()
	if err != nil {
		return nil, refuse(b, fmt.Errorf("tls: upgrade: %w", err))
	}
	if n := len(leftover) + unread(s); n > 0 {
		return nil, refuse(s, &PlaintextBufferedError{Unread: n})
	}
	return s, nil
}

// unread sums up what the layers of p hold.
func unread(p attr.Provider) int {
	sum := 0
	for n, err := range stream.Unread.All(p) {
		if err == nil {
			sum += n
		}
	}
	return sum
}
