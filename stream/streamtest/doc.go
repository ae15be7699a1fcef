// Package streamtest checks that streams hold the contract of package stream:
// conformance suites for anyone's implementation, and hostile wrappers to put
// under one's own code.
//
// # Suites
//
// A suite takes a maker, which makes what is tested and says what it cannot
// do, and runs many checks, each a subtest whose name is the promise:
//
//	func TestConformance(t *testing.T) {
//		streamtest.TestByteStream(t, &streamtest.Maker{Pipe: pipe, Clogged: clogged})
//	}
//
// [TestByteStream] is for streams that carry bytes both ways. It tests both
// directions, cancels calls at every instant it can reach, and accounts for
// every byte. [TestOneWay] is for a sender and its receiver, [TestStored] for
// the two sides of a file. [TestObjectStream], [TestObjectOneWay] and
// [TestPacketStream] do the same for items, [TestListener] and [TestConnector]
// for what makes streams, and [TestWrapper] and [TestAttributes] for layers.
//
// # Checks
//
// Checks are values of type [Check]. A suite is only a loop over them that
// gives each a context with a deadline and then compares the goroutines of
// the process, and on Linux its descriptors, with those before. That makes it
// possible to run one check against a stream with a planted fault and to want
// its error.
//
// # Hostile wrappers
//
// [OneByte], [Chunked] and [Delayed] carry bytes in the least convenient way
// that the contract allows. [Failing] and [Dying] fail at a byte that one
// chooses.
//
// # Time
//
// No check waits for time to pass. To know that a call waits, a check makes
// two at once: the one that is turned away with stream.ErrBusy shows that the
// other is inside. The checks therefore also run in bubbles of
// testing/synctest: see [Maker.Bubble].
package streamtest
