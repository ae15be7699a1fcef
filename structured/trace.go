package structured

import (
	"context"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strings"
)

// prepare notes what a traced or watched task needs. It is called by the
// goroutine that starts the task.
func (t *task) prepare() {
	if t.more == nil {
		t.more = &more{}
	}
	if t.g.cfg.Trace {
		t.more.site = callSite()
	}
}

// traced runs f under the pprof label and in the trace region of the task.
func (t *task) traced(f func(context.Context) error) error {
	path := t.path()
	var err error
	pprof.Do(t, pprof.Labels("task", path), func(ctx context.Context) {
		defer trace.StartRegion(ctx, path).End()
		err = f(ctx)
	})
	return err
}

const packagePrefix = "github.com/strata-go/strata/structured."

// callSite returns the address of the call into this package.
func callSite() uintptr {
	var pcs [16]uintptr
	n := runtime.Callers(3, pcs[:])
	for _, pc := range pcs[:n] {
		frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
		if !strings.HasPrefix(frame.Function, packagePrefix) {
			return pc
		}
	}
	return 0
}
