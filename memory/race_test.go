//go:build race

package memory_test

// The race detector allocates, and makes sync.Pool forget at random.
const raceEnabled = true
