package streamtest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// How long what a check left behind may take to go away: goroutines that
// were told to end still need a processor to do it.
const (
	settleTurns = 200             // turns of the scheduler before waiting at all
	settleLimit = 5 * time.Second // in all
)

// A census is which goroutines and descriptors the process had at one time.
// It counts the whole process, so checks do not run in parallel.
type census struct {
	goroutines map[string]string // stacks by goroutine number
	files      map[string]string // targets by descriptor; nil where unknown
}

func takeCensus() census {
	return census{goroutines: goroutines(), files: openFiles()}
}

// settle waits until nothing is left that was not there before, and returns
// an error that shows what stayed.
func (c census) settle() error {
	for range settleTurns {
		if len(newIn(goroutines(), c.goroutines)) == 0 {
			break
		}
		runtime.Gosched()
	}
	for wait := time.Millisecond; ; wait *= 2 {
		err := c.compare()
		if err == nil || wait > settleLimit/2 {
			return err
		}
		<-time.After(wait) // lets the clock of a bubble go on, too
	}
}

func (c census) compare() error {
	now := takeCensus()
	var errs []error
	if left := newIn(now.goroutines, c.goroutines); len(left) > 0 {
		errs = append(errs, fmt.Errorf("%d goroutines left behind:\n%s", len(left), strings.Join(left, "\n\n")))
	}
	if len(now.files) > len(c.files) {
		left := newIn(now.files, c.files)
		errs = append(errs, fmt.Errorf("descriptors left behind (%d before, %d after), new: %s",
			len(c.files), len(now.files), strings.Join(left, ", ")))
	}
	return errors.Join(errs...)
}

func newIn(now, before map[string]string) []string {
	var left []string
	for k, v := range now {
		if _, ok := before[k]; !ok {
			left = append(left, v)
		}
	}
	return left
}

// goroutines returns the stacks of all goroutines, the caller's included.
func goroutines() map[string]string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	byNumber := make(map[string]string)
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		number, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		byNumber[number] = stack
	}
	return byNumber
}

// openFiles returns the descriptors of the process where the system lists
// them. The one that reads the list is among them, each time.
func openFiles() map[string]string {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	files := make(map[string]string, len(entries))
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err != nil {
			target = "(gone)"
		}
		files[e.Name()] = e.Name() + " -> " + target
	}
	return files
}
