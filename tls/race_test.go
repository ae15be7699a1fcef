//go:build race

package tls_test

// The race detector allocates, and makes sync.Pool forget at random.
const raceEnabled = true
