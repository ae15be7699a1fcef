package happyeyeballs

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// The values of RFC 8305 section 8.
const (
	resolutionDelay = 50 * time.Millisecond
	attemptDelay    = 250 * time.Millisecond
	minAttemptDelay = 100 * time.Millisecond
	maxAttemptDelay = 2 * time.Second
	attemptFloor    = 10 * time.Millisecond // no attempt starts sooner after another
	lastResortDelay = 2 * time.Second
)

// Config says how [Dial] goes about it. A nil Config and the zero one mean all
// defaults. Dial copies it.
type Config struct {
	// Resolver finds the addresses of names. Nil means a SystemResolver.
	Resolver Resolver

	// Family restricts lookups and attempts to one family. Zero means both.
	Family Family

	// ResolutionDelay is how long IPv4 addresses that came first wait for the
	// answer about IPv6. Zero means 50ms; negative does not wait.
	ResolutionDelay time.Duration

	// AttemptDelay is the pause before the next attempt starts. Zero means
	// 250ms; values are clamped to 100ms..2s (RFC 8305 section 5); negative
	// tries one address at a time.
	AttemptDelay time.Duration

	// AttemptTimeout bounds each attempt. Zero and negative leave it to the
	// context and to the system, which takes minutes over an address that
	// does not answer; that matters when addresses are tried one at a time.
	AttemptTimeout time.Duration

	// FirstFamilyCount is how many addresses of the family that sorts first
	// come before the first of the other; after that they take turns. Zero
	// means 1; negative leaves the addresses as RFC 6724 sorts them.
	FirstFamilyCount int

	// Service makes it a race of version 3, which asks for service records
	// too, and tries each address over each transport of the service. Nil
	// races addresses alone, as RFC 8305 has it.
	Service *Service

	// Source returns the address from which packets to dst would be sent, and
	// the zero Addr if dst cannot be reached. Nil asks the kernel, by
	// connecting a UDP socket, which sends nothing.
	Source func(dst netip.Addr) netip.Addr

	// Trace, if not nil, is called for every step as it happens, from the
	// goroutine that called Dial. The race waits for it.
	Trace func(Event)

	// shuffle puts services of the same priority into a random order.
	shuffle func(n int, swap func(i, j int))
}

// withDefaults returns a copy of c in which zero has become the default and
// every value is in its bounds.
func (c *Config) withDefaults() Config {
	var d Config
	if c != nil {
		d = *c
	}
	if d.Resolver == nil {
		d.Resolver = &SystemResolver{}
	}
	if d.Source == nil {
		d.Source = kernelSource
	}
	if d.ResolutionDelay == 0 {
		d.ResolutionDelay = resolutionDelay
	}
	if d.AttemptDelay == 0 {
		d.AttemptDelay = attemptDelay
	}
	if d.AttemptDelay > 0 {
		d.AttemptDelay = min(max(d.AttemptDelay, minAttemptDelay), maxAttemptDelay)
	}
	if d.FirstFamilyCount == 0 {
		d.FirstFamilyCount = 1
	}
	if d.Service != nil {
		d.Service = d.Service.withDefaults()
	}
	if d.shuffle == nil {
		d.shuffle = rand.Shuffle
	}
	return d
}
