//go:build race

package attr_test

// raceEnabled says that the race detector, which allocates, is on.
const raceEnabled = true
