//go:build !race

package buffered_test

const raceEnabled = false
