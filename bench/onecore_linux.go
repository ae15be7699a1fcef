package main

import (
	"os"
	"runtime"
	"strconv"

	sysunix "golang.org/x/sys/unix"
)

// oneCore keeps the whole process on one core until the function that it
// returns is called. Threads that start meanwhile inherit it.
func oneCore() (undo func()) {
	procs := runtime.GOMAXPROCS(1)
	var all, one sysunix.CPUSet
	if sysunix.SchedGetaffinity(0, &all) != nil {
		return func() { runtime.GOMAXPROCS(procs) }
	}
	for cpu := range 1024 {
		if all.IsSet(cpu) {
			one.Set(cpu) // the last one: the first is where interrupts go
			if one.Count() > 1 {
				one.Zero()
				one.Set(cpu)
			}
		}
	}
	setAffinity(&one)
	return func() {
		setAffinity(&all)
		runtime.GOMAXPROCS(procs)
	}
}

func setAffinity(cpus *sysunix.CPUSet) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, thread := range threads {
		if tid, err := strconv.Atoi(thread.Name()); err == nil {
			_ = sysunix.SchedSetaffinity(tid, cpus) // a thread may just have ended
		}
	}
}
