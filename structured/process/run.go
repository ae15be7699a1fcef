package process

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured"
)

// A Result is how a process ended, and what it wrote. Stdout and Stderr are
// empty where nothing was written, and nil where Cmd says other than Pipe.
type Result struct {
	State          *os.ProcessState
	Stdout, Stderr []byte
}

// Run runs a process to its end. It sends Cmd.Input while it receives what the
// process writes, so that neither has to wait for the other, whatever their
// size. When Run returns, the process was reaped, and nothing is left of it.
//
// A process that ends in another way than with status 0 is an *[ExitError].
// When ctx is done Run terminates the process, see [Process.Terminate], and
// returns the error of the context. When the process has ended and others hold
// its pipes for longer than Cmd.Linger, the error is a *[HeldError]. In all of
// these cases the Result is not nil and tells what there is to tell. It is nil
// for a process that could not be started, see [Open], and for one that could
// not be killed.
func Run(ctx context.Context, cmd Cmd) (*Result, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	if cmd.Stdin.kind == pipe && cmd.Input == nil {
		cmd.Stdin = Discard // the end at once, and without a pipe
	}
	cmd = cmd.withDefaults()
	p, err := open(cmd)
	if err != nil {
		return nil, err
	}
	result, err := (&run{cmd: &cmd, p: p}).do(ctx)
	closeErr := p.Close()
	if err == nil { // else Close has nothing to add
		err = closeErr
	}
	return result, err
}

// A run is what Run does with a process.
type run struct {
	cmd    *Cmd
	p      *Process
	result Result

	stop context.CancelFunc // has the pipes given up

	canceled, endErr            error
	stdinErr, outErr, stderrErr error // of the pipes
}

func (r *run) do(ctx context.Context) (*Result, error) {
	apart := context.WithoutCancel(ctx)
	pipes, stop := context.WithCancel(apart)
	defer stop()
	r.stop = stop
	release := func() {}
	err := structured.Run(apart, func(_ context.Context, g *structured.Group) error {
		r.start(pipes, g)
		r.await(ctx)
		release = r.linger(ctx)
		return nil
	})
	release()
	return r.verdict(ctx, err)
}

// start has the pipes served.
func (r *run) start(pipes context.Context, g *structured.Group) {
	if s := r.p.stdin; s != nil {
		g.Go("stdin", func(context.Context) error {
			r.stdinErr = s.sendAll(pipes, r.cmd.Input)
			return nil
		})
	}
	if s := r.p.stdout; s != nil {
		g.Go("stdout", func(context.Context) error {
			r.result.Stdout, r.outErr = s.receiveAll(pipes)
			return nil
		})
	}
	if s := r.p.stderr; s != nil {
		g.Go("stderr", func(context.Context) error {
			r.result.Stderr, r.stderrErr = s.receiveAll(pipes)
			return nil
		})
	}
}

// await waits until the process has ended, and sees to it when ctx is done.
func (r *run) await(ctx context.Context) {
	r.result.State, r.endErr = r.p.Wait(ctx)
	if r.canceled = stream.ContextError(ctx); r.canceled == nil {
		return
	}
	r.result.State, r.endErr = r.p.Terminate(context.WithoutCancel(ctx))
}

// linger sees to it that the pipes give up in time, now that the process has
// ended. The function that it returns must be called once they did.
func (r *run) linger(ctx context.Context) (release func()) {
	timer := time.AfterFunc(r.cmd.Linger, r.stop) // at once if it is negative
	unwatch := context.AfterFunc(ctx, r.stop)
	return func() {
		timer.Stop()
		unwatch()
	}
}

// verdict finds out what it has come to.
func (r *run) verdict(ctx context.Context, groupErr error) (*Result, error) {
	if r.endErr != nil {
		return nil, join(r.canceled, r.endErr)
	}
	if r.canceled != nil {
		return &r.result, r.canceled
	}
	var exitErr error
	if !r.result.State.Success() && !r.cmd.AllowFailure {
		exitErr = &ExitError{Name: r.cmd.Args[0], Result: r.result}
	}
	return &r.result, join(groupErr, exitErr,
		r.pipeError(ctx, "stdin", r.stdinErr),
		r.pipeError(ctx, "stdout", r.outErr),
		r.pipeError(ctx, "stderr", r.stderrErr))
}

// pipeError is what the error of a pipe means. One that gave up did so for
// ctx, or for those who hold it.
func (r *run) pipeError(ctx context.Context, name string, err error) error {
	if err == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	if err := stream.ContextError(ctx); err != nil {
		return err
	}
	return &HeldError{Name: r.cmd.Args[0], Stream: name}
}

// join is errors.Join that leaves an error alone that is the only one.
func join(errs ...error) error {
	var only error
	for _, err := range errs {
		if err == nil {
			continue
		}
		if only != nil {
			return errors.Join(errs...)
		}
		only = err
	}
	return only
}
