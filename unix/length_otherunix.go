//go:build unix && !linux

package unix

// tellLength makes a call return the real length of a packet, where there is
// such a flag.
const tellLength = 0

// nextLength returns as much as a packet can have where its length cannot be
// asked for.
func nextLength(int) (int, error) { return 1 << 16, nil }
