package unix

import "syscall"

// autobind lets the kernel choose a name, see unix(7).
func autobind(_, _ string, raw syscall.RawConn) error { return bind(raw, "") }
