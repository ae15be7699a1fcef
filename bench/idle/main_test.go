//go:build unix

package main

import "testing"

// TestIdleConnectionHoldsNoBuffer holds, with fewer connections than the
// command has, that the heap of ours is within the budget, and that all of ours
// is less than a goroutine takes that keeps a buffer.
func TestIdleConnectionHoldsNoBuffer(t *testing.T) {
	took, err := measureAll(1000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("bytes for each connection: %v", took)
	bare, ours, buffered := took[0], took[1], took[2]
	if more := ours.heap - bare.heap; more > budget {
		t.Errorf("ours takes %d bytes more heap, over %d", more, budget)
	}
	if more := buffered.heap - bare.heap; more <= budget {
		t.Errorf("a buffer of 4 KiB takes %d bytes more: the measurement is wrong", more)
	}
	if ours.both() >= buffered.both() {
		t.Errorf("ours takes %d bytes, a goroutine with a buffer of 4 KiB %d", ours.both(), buffered.both())
	}
}
