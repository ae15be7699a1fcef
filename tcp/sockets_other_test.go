//go:build !linux

package tcp_test

import (
	"testing"

	"github.com/strata-go/strata/tcp"
)

func option(t *testing.T, _ *tcp.Conn, _, _ int) int {
	t.Helper()
	t.Skip("reads socket options of Linux only")
	return 0
}

func deaf(t *testing.T) string {
	t.Helper()
	t.Skip("needs a backlog of one, as Linux counts it")
	return ""
}
