// Package structured runs concurrent tasks in groups that cannot leak, and
// coordinates them with primitives that take a context.
//
// [Run] calls a function with a new [Group] and returns when that function and
// every task started in the group have ended:
//
//	err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
//		g.Go("accept", acceptLoop)
//		g.Go("reload", reloadLoop)
//		return nil
//	})
//
// [Group.Go] starts a task, [Group.GoService] one that serves the others to
// their end, [Start] one that says when it is ready, and [Spawn] one with a
// result. [Config] has limits, captured panics and tracing. [Gather], [Map],
// [AsCompleted] and [Race] are groups for common cases.
//
// A [Scope] is a part of a task with a deadline of its own: [FailAfter],
// [MoveOnAfter] and their forms with a time of day, and [Shield], which is for
// clean-up.
//
// [Event], [Mutex], [Cond], [Semaphore] and [CapacityLimiter] wait with a
// context and serve waiters first come first served; [Guard] does not wait.
//
// [Tasks] and [Dump] tell what runs at the moment.
//
// # Errors
//
// The first failure in a group cancels the others. What comes back from them
// only because of that is an echo and is dropped; everything else is returned,
// with the path of the task that it comes from as a [*TaskError].
//
// # Cancellation
//
// Everything here that waits takes a context and returns, when that is done,
// an error that is both context.Cause(ctx) and ctx.Err(). A call whose context
// is done already returns that, even if it need not have waited. What runs a
// function runs it all the same, under a context that is done: groups, tasks
// and scopes. A canceled wait has taken nothing: what was granted to it at that moment goes
// to the next waiter. Only [Run], Start, [Race] and what is made of them wait
// longer than their context lasts, namely for tasks to end.
//
// # Testing
//
// All waiting is on channels, so it is durable blocking in a testing/synctest
// bubble, where timeouts take no time.
//
// This is not a supervisor: nothing is restarted. It does not make goroutines
// stop that do not look at their context; it tells which they are
// ([Config].OnOverdue).
package structured
