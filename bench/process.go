package main

import (
	"bytes"
	"context"
	"os/exec"

	"github.com/strata-go/strata/structured/process"
)

// processCases run a program to its end, with both its outputs captured.
var processCases = []benchCase{
	{Name: "process/spawn", Target: 1.1, Setup: spawn},
}

func spawn(*cleanup) (ours, theirs side, err error) {
	name, err := exec.LookPath("true")
	if err != nil {
		return nil, nil, err
	}
	ours = func(_ *watch, n int) error {
		for range n {
			if _, err := process.Run(cancelable, process.Cmd{Args: []string{name}}); err != nil {
				return err
			}
		}
		return nil
	}
	theirs = func(_ *watch, n int) error {
		for range n {
			if err := runExec(cancelable, name); err != nil {
				return err
			}
		}
		return nil
	}
	return ours, theirs, nil
}

func runExec(ctx context.Context, name string) error {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, name)
	c.Stdout, c.Stderr = &stdout, &stderr
	return c.Run()
}
