//go:build !linux

package main

import "runtime"

// oneCore lets Go run on one core at a time until the function that it
// returns is called. Which one is up to the system.
func oneCore() (undo func()) {
	procs := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(procs) }
}
