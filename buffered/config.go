package buffered

const (
	// DefaultMax is the limit in bytes of a piece of the stream whose end is
	// marked by a delimiter, where the caller gives none: 64 KiB.
	DefaultMax = 64 << 10

	leastAhead = 4 << 10
)

// Config says how a [Stream] or [Receiver] reads ahead. A nil Config and the
// zero one mean all defaults. The functions that take one copy it.
type Config struct {
	// ReadAhead is how many bytes ReceiveUntil, Until and Peek ask the
	// wrapped stream for at a time. Zero means 4096, and up to 65536 while the
	// stream has so many ready. Negative turns reading ahead off: not one byte
	// past the delimiter, or past what Peek was asked for, is taken, at the
	// cost of a call to the wrapped stream for each byte that ReceiveUntil
	// receives.
	ReadAhead int
}

func (c *Config) readAhead() ahead {
	if c == nil || c.ReadAhead == 0 {
		return ahead{now: leastAhead, least: leastAhead, most: largestPooled}
	}
	n := max(c.ReadAhead, 0)
	return ahead{now: n, least: n, most: n}
}
