//go:build !linux

package testnet

import (
	"context"
	"io"
)

// Run is for Linux only.
func Run(context.Context, []string, io.Writer, io.Writer) error { return ErrUnavailable }

func configure([]string, []string, []string, map[string]string) error { return ErrUnavailable }
