package unix

import "io/fs"

// ListenConfig says how a socket comes by its name. A nil ListenConfig and
// the zero one mean all defaults. The functions that take one copy it.
type ListenConfig struct {
	// Mode is the permissions of the socket file: who may write to it may
	// connect. Zero means those that the umask leaves. Linux, where nobody can
	// connect before it is set; elsewhere that cannot be had, and anything but
	// zero is errors.ErrUnsupported.
	Mode fs.FileMode

	// Owner is who the socket file belongs to; nil leaves that as it is. It
	// needs a Mode, which is set after it. Linux alone, too.
	Owner *Owner

	// ReplaceStale removes a socket file at the path that no socket is bound
	// to: one that its server could not remove. Anything else at the path
	// stays, and the error is then that of a name in use, syscall.EADDRINUSE.
	// Those who replace take turns, by a lock on the directory (flock), which
	// has to be readable. Not on Windows.
	ReplaceStale bool

	// Backlog is how many connections may wait to be accepted. Further ones
	// wait, too, but in their own Dial, until there is room. Zero means as many
	// as the system allows, which is a limit to any other number too. Unix
	// systems; elsewhere errors.ErrUnsupported, and syscall.EINVAL for a socket
	// that accepts no connections.
	Backlog int

	// KeepFile leaves the socket file where it is when the socket closes, for
	// whoever has the socket too. After activation.HandOver it stays anyway.
	KeepFile bool
}

// An Owner is a user and a group, by number; -1 stands for either as it is.
type Owner struct {
	UID int
	GID int
}

// DialConfig says how a Dial function goes about it. A nil DialConfig and the
// zero one mean all defaults. The functions that take one copy it.
type DialConfig struct {
	// LocalName is the name that the peer sees, which one socket at a time can
	// have. Empty means none, but for DialPacket on Linux: there it means one
	// that the kernel chooses, or nobody could answer.
	LocalName string

	// Local says how the socket comes by LocalName.
	Local ListenConfig
}

func orZero[C any](cfg *C) C {
	if cfg == nil {
		var zero C
		return zero
	}
	return *cfg
}
