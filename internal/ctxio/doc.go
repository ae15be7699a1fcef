// Package ctxio makes sockets, and any other net.Conn or net.Listener, honor
// a context on every call at next to no cost. It is the engine under every
// socket of the module, and holds package stream's contract for all of them.
//
// A [Conn] is a net.Conn that keeps the contract of a stream.ByteStream; the
// stream packages put their types and attributes around it. A [Listener] does
// the same for net.Listener.
//
// # How a context reaches a system call
//
// Only a deadline in the past wakes a call that is parked in a net.Conn. So a
// call arms its context, with context.AfterFunc, to set one. That takes half
// a microsecond, so a call that need not park does not do it, and one that
// must park leaves its arming standing if the call before it had the same
// context: the same Done channel, that is, since contexts themselves may not
// be comparable. So does one of the many calls that need not park, but all
// come with the same context, since a call that finds its arming standing need
// not try before it may park. It stands until a call comes with another
// context, until Close, or until Detach.
//
// A callback that comes late, after its call has returned, must not put a
// past deadline in the way of the next one. Each arming therefore has a
// generation number, and the callback sets the deadline only while that number
// is the direction's current one, which it learns under the mutex that every
// change of the number takes too. Nobody ever waits for a callback.
//
// # What takes which path
//
// A *net.TCPConn or *net.UnixConn on a Unix system is tried first with a system
// call of its own that does not wait. Everything else, net.Pipe or somebody's
// wrapper, arms before it calls.
package ctxio
