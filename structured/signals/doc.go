// Package signals receives the signals of the operating system as a stream,
// and cancels a context when one arrives.
//
// A [Receiver] is a stream.ObjectReceiver of os.Signal:
//
//	r := signals.Open(syscall.SIGHUP, syscall.SIGUSR1)
//	defer r.Close()
//	for sig, err := range stream.Items(ctx, r) {
//		...
//	}
//
// [Scope] is what a program's main function wants: it runs a function whose
// context the first SIGINT or SIGTERM cancels, while a second one ends the
// program at once.
//
// # What may be lost and what not
//
// Signals of one kind that arrive before the first of them is received are
// one, as the system itself has it. No number of signals of one kind makes
// one of another kind disappear. Signals of different kinds that are pending
// at the same time may be received in any order.
//
// Signals take effect elsewhere again as soon as a Receiver is closed. One
// that had arrived by then and that nobody received is raised again, so that
// it is not swallowed.
//
// # Cancellation
//
// A canceled Receive has taken no signal.
package signals
