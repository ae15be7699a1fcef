// Package process runs other programs, with streams for their input and
// output.
//
// [Run] runs a [Cmd] to its end and returns a [Result] with what it wrote:
//
//	result, err := process.Run(ctx, process.Cmd{Args: []string{"git", "rev-parse", "HEAD"}})
//
// [Open] starts one and returns a [Process] to talk to: its Stdin is a
// [*Sender], its Stdout and Stderr are [*Receiver] values, over pipes that
// belong to this side. So what the process wrote can be received after it has
// ended, and [Process.Wait] waits for nothing else than the process. A [Stdio]
// says where each of the three goes instead: to a file, to nowhere, or to
// where this process has its own.
//
//	p, err := process.Open(ctx, process.Cmd{Args: []string{"sort"}})
//	if err != nil {
//		return err
//	}
//	defer p.Close()
//
// # Cancellation
//
// The context of Open covers the start alone, that of Run the whole. A Run
// that is canceled terminates the process as [Process.Terminate] does: with
// SIGTERM, or what [Cmd.Terminate] says, and [Cmd.Grace] later with SIGKILL.
// The streams are as those of package file for pipes: a canceled Receive has
// taken nothing, and a canceled Send has sent the n bytes that it returns.
//
// # Ownership
//
// Who opened a Process closes it. [Process.Close] closes the streams and ends
// the process if it has not ended yet, so that neither it nor a zombie is left
// behind. What the process itself has started is its own affair, unless
// [Cmd.Group] is set: then the whole group is signaled, and what is left of it
// when the process ends is killed.
//
// # What is safe
//
// A signal never hits a process that got the number of one that has ended. On
// Linux a process is signaled by its pidfd, and a group only while its leader
// has not been reaped, be it a zombie, so that nobody else can have its
// number. Waiting takes a goroutine and a descriptor, and no thread.
//
// # Other systems
//
// On other Unix systems the rest of a group is killed right after its leader
// was reaped, [State] does not tell Stopped, and waiting takes a thread.
// Windows has no groups, sessions, credentials or extra files, no signal but
// os.Kill, and no pipes that a context could interrupt: Receive waits until
// there is something or the process has ended.
package process
