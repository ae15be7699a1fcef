// Package relay joins two streams, so that what arrives on one is sent on the
// other, both ways, until both ways have ended.
//
//	counts, err := relay.Run(ctx, client, backend, nil)
//
// It passes an end of one direction on as an end of that direction alone, and
// a failure as a failure: a peer never sees a clean end where the other side
// was reset.
//
// A relay moves bytes through the streams it is given and nothing below them,
// so it cannot go around a TLS layer or a buffer.
package relay
