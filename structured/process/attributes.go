package process

import (
	"net"
	"strconv"

	"github.com/strata-go/strata/attr"
)

var (
	// PID is the number of the process. It is fixed, but once the process
	// was reaped the system may give its number to another.
	PID = attr.New[int]("process.pid")

	// State is what the process is doing. It is live: net.ErrClosed after
	// Process.Close.
	State = attr.New[Status]("process.state")
)

// facts are of a process and of each of its streams.
var facts = attr.Define(
	attr.Value(PID, (*Process).pid),
	attr.From(State, (*Process).status),
)

// A Status is what a process is doing.
type Status int

// What a process may be doing.
const (
	Running Status = iota // it has not ended, though it may well be asleep
	Stopped               // a signal has stopped it, until one continues it
	Ended
)

func (s Status) String() string {
	switch s {
	case Running:
		return "running"
	case Stopped:
		return "stopped"
	case Ended:
		return "ended"
	}
	return "Status(" + strconv.Itoa(int(s)) + ")"
}

func (p *Process) pid() int { return p.proc.Pid }

func (p *Process) status() (Status, error) {
	if p.closed.Load() {
		return 0, net.ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return Ended, nil
	}
	return statusOf(p.proc.Pid), nil
}
