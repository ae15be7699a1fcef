// Package activation takes listening sockets over from the process that
// started this one, and hands them to a successor, so that a server can be
// started on demand and restarted without refusing a connection.
//
// It speaks systemd's protocol (sd_listen_fds(3) and sd_notify(3)). [Sockets]
// returns what systemd, or a predecessor, passed on, and [Ready] tells it that
// this process serves:
//
//	sockets, err := activation.Sockets()
//	...
//	ln, err := sockets[0].Listener()
//	...
//	err = listener.Serve(ctx, ln, handler, &listener.Config[stream.ByteStream]{
//		Ready: func() { _ = activation.Ready(ctx) },
//	})
//
// [HandOver] is the other side: it starts the successor and returns when that
// is ready. From then on both accept, and the old process may stop: what waits
// in the backlog is the successor's as well.
//
// The package is empty on systems that are not Unix.
//
// # Ownership
//
// A Socket owns its descriptor until its Listener or File took that over.
// HandOver leaves the listeners that it hands over as they are, but for the
// files of Unix sockets: once the successor is ready, no Close removes them.
//
// # Cancellation
//
// A canceled HandOver leaves no successor behind, and this process serving.
package activation
