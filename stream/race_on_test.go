//go:build race

package stream_test

// raceEnabled says that the race detector, which allocates, is on.
const raceEnabled = true
