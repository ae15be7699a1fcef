// Package listener works on anything that accepts streams: it serves them,
// prepares them and converts them.
//
// [Serve] runs a handler for each accepted stream, in a task of its own, and
// ends in two phases: first it stops accepting and lets handlers finish, then
// it cancels those that took too long. [Prepare] does what has to be done to
// a stream before it is worth handing out, such as a TLS handshake, without
// holding up the others. [Multi] makes one listener of several, [Flat] one of
// all that a listener of listeners accepts, and [Map] and [Of] convert what a
// listener accepts.
//
//	err := listener.Serve(ctx, ln, func(ctx context.Context, c *tcp.Conn) error {
//		_, err := stream.Copy(ctx, c, c)
//		return err
//	}, nil)
//
// # Cancellation
//
// Canceling the context of Serve stops the server. Handlers do not see that
// as the end of their own context: they run on for as long as Config.Grace
// allows, and learn from [Draining] that they should finish.
//
// # Ownership
//
// Serve closes its listener and every stream that it accepted. The listeners
// that Prepare, Multi, Flat, Map and Of return own what they were given.
package listener
