package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/stream"
)

// A Process is a program that [Open] has started. Any number of goroutines
// may call its methods.
type Process struct {
	proc *os.Process
	name string
	cmd  settings

	stdin          *Sender
	stdout, stderr *Receiver
	attributes     attr.Set

	asked  atomic.Bool // to end
	closed atomic.Bool

	mu     sync.Mutex // held by who signals and by who reaps
	reaped bool

	ended chan struct{} // closed once reaped; state and err hold from then on
	state *os.ProcessState
	err   error
}

// settings are what of a Cmd matters after the start.
type settings struct {
	group     bool
	terminate os.Signal
	grace     time.Duration
}

var _ stream.Resource = (*Process)(nil)

func newProcess(cmd *Cmd, c *exec.Cmd, l *plumbing) *Process {
	p := &Process{
		proc:  c.Process,
		name:  cmd.Args[0],
		cmd:   settings{group: cmd.Group, terminate: cmd.Terminate, grace: cmd.Grace},
		ended: make(chan struct{}),
	}
	c.Process = nil // it is not exec's to wait for, nor to miss
	facts.Init(&p.attributes, p)
	p.stdin, p.stdout, p.stderr = newSender(p, l.ours[0]), newReceiver(p, l.ours[1]), newReceiver(p, l.ours[2])
	go p.watch() // ends when the process has; Close waits for that
	return p
}

// watch reaps the process when it has ended.
func (p *Process) watch() {
	p.reap()
	close(p.ended)
}

// Attributes are [PID] and [State].
func (p *Process) Attributes() *attr.Set { return &p.attributes }

// Stdin is where to send the input of the process. It is nil unless Cmd.Stdin
// was Pipe.
func (p *Process) Stdin() *Sender { return p.stdin }

// Stdout is the output of the process. It is nil unless Cmd.Stdout was Pipe.
func (p *Process) Stdout() *Receiver { return p.stdout }

// Stderr is the output for errors. It is nil unless Cmd.Stderr was Pipe.
func (p *Process) Stderr() *Receiver { return p.stderr }

// Wait waits until the process has ended and was reaped, and returns how it
// ended: any end is a nil error. It waits for the process alone: what it wrote
// may be received after that, and what it has started may still run. Wait may
// be called by several goroutines, and again, also after Close.
//
// A canceled Wait has no effect on the process.
func (p *Process) Wait(ctx context.Context) (*os.ProcessState, error) {
	if err := stream.ContextError(ctx); err != nil {
		return nil, err
	}
	select {
	case <-p.ended:
		return p.state, p.err
	case <-ctx.Done():
		return nil, stream.ContextError(ctx)
	}
}

// Signal sends a signal to the process, and with Cmd.Group to all of its
// group. After the process was reaped the error is os.ErrProcessDone.
func (p *Process) Signal(sig os.Signal) error {
	return p.signalError(p.signal(sig))
}

func (p *Process) signalError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("process: %s: signal: %w", p.name, err)
}

func (p *Process) signal(sig os.Signal) error {
	p.mu.Lock() // so that nobody reaps meanwhile
	defer p.mu.Unlock()
	switch {
	case p.reaped:
		return os.ErrProcessDone
	case p.cmd.group:
		return signalGroup(p.proc.Pid, sig)
	}
	return p.proc.Signal(sig)
}

// Terminate ends the process if it has not ended, and returns how it did: it
// asks with the signal Cmd.Terminate, and kills the process if it still runs
// Cmd.Grace later, or when ctx is done, also if that is from the start. It
// returns when the process was reaped, which the system may delay while the
// process waits for a device. The streams stay open; nobody need receive
// meanwhile.
//
// An error means that the process may not be killed, as with a program that has
// become another user: it then runs on.
func (p *Process) Terminate(ctx context.Context) (*os.ProcessState, error) {
	if p.cmd.grace > 0 && p.cmd.terminate != os.Kill && ctx.Err() == nil {
		p.ask()
		p.awaitEnd(ctx, p.cmd.grace)
	}
	if err := p.signal(os.Kill); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return nil, p.signalError(err)
	}
	<-p.ended
	return p.state, p.err
}

// ask asks once, however many want the process to end: to some programs a
// second SIGTERM means not to be gentle anymore. Who cannot be asked will be
// killed.
func (p *Process) ask() {
	if p.asked.Swap(true) || p.signal(p.cmd.terminate) != nil {
		return
	}
	for _, sig := range afterTerminate {
		_ = p.signal(sig)
	}
}

// awaitEnd waits for the end of the process, for d at most.
func (p *Process) awaitEnd(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Close closes the streams, which wakes calls that wait in them with
// net.ErrClosed, and then ends the process as [Process.Terminate] does, with
// the time that Cmd.Grace allows. To let the process finish, end its input with
// SendEOF and Wait before.
//
// A process that failed is no error of Close, nor is Close again.
func (p *Process) Close() error {
	p.closed.Store(true)
	// First the streams: a process that waits for room in a pipe could not
	// react to anything.
	err := p.closeStreams()
	_, endErr := p.Terminate(context.Background())
	return errors.Join(err, endErr)
}

func (p *Process) closeStreams() error {
	var errs []error
	if p.stdin != nil {
		errs = append(errs, p.stdin.Close())
	}
	for _, r := range []*Receiver{p.stdout, p.stderr} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(errs...)
}
