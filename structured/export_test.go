package structured

// Listed returns how many records g keeps.
func Listed(g *Group) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.listed
}
