package main

import "context"

// A policy is where the context of a call comes from. Theirs does not use
// it, but where each call gets a new one theirs makes it too.
type policy struct {
	name  string
	ctx   context.Context
	fresh bool // a new one for each call
}

var (
	background  = policy{name: "background", ctx: context.Background()}
	oneContext  = policy{name: "one-ctx", ctx: cancelable}
	newContexts = policy{name: "new-ctx", fresh: true}
)

// cancelable could be canceled, and never is.
var cancelable, _ = context.WithCancel(context.Background())

func (p policy) do(call func(context.Context) error) error {
	if !p.fresh {
		return call(p.ctx)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return call(ctx)
}
