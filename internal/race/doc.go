// Package race tells tests whether they run under the race detector, which
// allocates and makes sync.Pool forget at random, so that nothing can be
// counted there.
package race
