package structured

import "context"

// Listed returns how many records g keeps.
func Listed(g *Group) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.listed
}

// HasNext reports whether the task of ctx keeps another one.
func HasNext(ctx context.Context) bool {
	t := taskOf(ctx)
	t.g.mu.Lock()
	defer t.g.mu.Unlock()
	return t.next != nil
}
