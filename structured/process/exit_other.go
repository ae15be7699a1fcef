//go:build !linux

package process

import (
	"fmt"
	"os"
)

// reap waits until the process has ended and makes an end of it, and of what
// is left of its group. That has no number that others could have got, unless
// nobody is left.
func (p *Process) reap() {
	state, err := p.proc.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state = state; err != nil {
		p.err = fmt.Errorf("process: %s: %w", p.name, err)
	}
	p.reaped = true
	if p.cmd.group {
		_ = signalGroup(p.proc.Pid, os.Kill)
	}
}

// statusOf returns what a child does that was not reaped.
func statusOf(int) Status { return Running }
