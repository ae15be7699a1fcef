// Package thread runs calls that block a thread: cgo, system calls that take
// their time, long computations. Go gives each its thread by itself; what it
// does not do is bound how many there are, and what this package does is that.
//
// [Run] makes the call under a token of a [structured.CapacityLimiter] and
// waits for it, as there is no way to stop a thread. [Abandon] stops waiting
// when its context is done. A [Pool] has threads of its own, for code that
// must be the only one on its thread.
//
// # Cancellation
//
// A call that is canceled while it waits for its token has not run the
// function. The function's context is the caller's, so that it can look at
// its Err from time to time and has its values.
package thread
