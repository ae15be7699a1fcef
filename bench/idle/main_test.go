//go:build unix

package main

import "testing"

// TestIdleConnectionIsWithinItsBudget holds it with fewer connections than the
// command has, for those that have not said anything and for those that have.
// The budget is less than a stack that has grown takes, with all the rest.
//
// A goroutine that meets a locked mutex, or an allocation that needs a span,
// goes deeper into its stack, and on a machine with other work many do: it is
// the least of a few rounds that counts.
func TestIdleConnectionIsWithinItsBudget(t *testing.T) {
	const rounds = 4
	least := make([][2]int, len(servers))
	for round := range rounds {
		took, err := measureAll(2000)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("bytes for each connection: %v", took)
		for i := range servers {
			for j, m := range took[i] {
				more := m.both() - took[0][j].both()
				if round == 0 || more < least[i][j] {
					least[i][j] = more
				}
			}
		}
	}
	for i, s := range servers[1:] {
		for _, more := range least[i+1] {
			if s.ours && more > budget {
				t.Errorf("%s takes %d bytes more, over %d", s.name, more, budget)
			}
			if !s.ours && more <= budget {
				t.Errorf("%s takes %d bytes more: the measurement is wrong", s.name, more)
			}
		}
	}
}
