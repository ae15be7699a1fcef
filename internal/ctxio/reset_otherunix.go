//go:build unix && !linux

package ctxio

// wasReset is for systems that tell a socket's error only once.
func (r *socketReader) wasReset() bool { return false }
