package listener

import (
	"context"

	"github.com/strata-go/strata/attr"
)

// halting is how Serve has the listeners that accept ahead of Accept stop that.
// They hand out what they have, and are at their end then: net.ErrClosed.
var halting = attr.NewSecret[func()]("listener.halt")

// A halter is a listener that accepts ahead, as its attributes have it.
type halter struct {
	halt  context.CancelFunc
	facts attr.Set
}

var halterFacts = attr.Define(attr.Value(halting, func(h *halter) func() { return h.halt }))

func (h *halter) init(halt context.CancelFunc, below []attr.Provider) {
	h.halt = halt
	halterFacts.Init(&h.facts, h, below...)
}

// acceptingFrom is the context to accept with from ln. It is done once ahead
// is halted, unless ln is halted as well: what that has comes first.
func acceptingFrom(ctx, ahead context.Context, ln attr.Provider) context.Context {
	if _, ok := halting.Lookup(ln); ok {
		return ctx
	}
	return ahead
}

// haltAll reports whether there was anything to halt in ln.
func haltAll(ln attr.Provider) (halted bool) {
	for halt, err := range halting.All(ln) {
		if err == nil {
			halt()
			halted = true
		}
	}
	return halted
}
