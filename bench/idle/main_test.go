//go:build unix

package main

import "testing"

// TestIdleConnectionIsWithinItsBudget holds it with fewer connections than the
// command has, for those that have not said anything and for those that have.
// The budget is less than a stack that has grown takes, with all the rest.
func TestIdleConnectionIsWithinItsBudget(t *testing.T) {
	took, err := measureAll(1000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("bytes for each connection: %v", took)
	for i, s := range servers[1:] {
		for j, m := range took[i+1] {
			more := m.both() - took[0][j].both()
			if s.ours && more > budget {
				t.Errorf("%s takes %d bytes more, over %d", s.name, more, budget)
			}
			if !s.ours && more <= budget {
				t.Errorf("%s takes %d bytes more: the measurement is wrong", s.name, more)
			}
		}
	}
}
