//go:build !race

package ctxio_test

const raceEnabled = false
