package starttls

import (
	"time"

	"github.com/strata-go/strata/tls"
)

// A Policy says what becomes of a connection whose peer does not do TLS.
type Policy int

const (
	// Required closes it, and the error is an [*UnavailableError]. It is the
	// zero Policy.
	Required Policy = iota

	// Opportunistic goes on in plaintext, and the attribute [Plaintext] tells
	// why. It protects against those who only listen: somebody in between can
	// always make the peer look as if it had no TLS.
	Opportunistic
)

// Limits bound what a peer may make a negotiation cost. The zero Limits mean
// every default.
type Limits struct {
	// Line is how long a line, or a message of a protocol without lines, may
	// be in bytes. Zero means 8192; values below 1 do too.
	Line int

	// Lines is how many lines or messages the peer may send until the
	// negotiation is over. Zero means 256; values below 1 do too.
	Lines int

	// Time is how long all of it may take, with the handshake. Zero means
	// 30 s; negative means as long as the context allows.
	Time time.Duration
}

const (
	defaultLine  = 8192
	defaultLines = 256
	defaultTime  = 30 * time.Second
)

func (l Limits) withDefaults() Limits {
	if l.Line < 1 {
		l.Line = defaultLine
	}
	if l.Lines < 1 {
		l.Lines = defaultLines
	}
	if l.Time == 0 {
		l.Time = defaultTime
	}
	return l
}

// An engine is what the dialogues of all protocols have in common.
type engine struct {
	protocol  string
	policy    Policy
	tls       *tls.Config
	options   *tls.Options
	limits    Limits
	pipelined bool
}
