package structured

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A TaskInfo describes a group or a task at the moment of [Tasks].
type TaskInfo struct {
	Path    string        // as in TaskError; a group's is its task's, and its name
	Parent  string        // the path of what it runs in, "" at the top
	Depth   int           // how many it runs in: a task is one deeper than its group
	Group   bool          // a group, which stands for its body, not a task
	Service bool          // started by Group.GoService
	Age     time.Duration // since it was started
	Status  Status
	Site    string // "file:line" where it was started, with Config.Trace
}

// Tasks returns every group and task of the program, each group before its
// tasks and each task before the groups that it runs. It is not a snapshot of
// one instant: groups go on while it looks at others.
func Tasks() []TaskInfo {
	var all []TaskInfo
	var paths []string // of what the current one runs in, the outermost first
	walk(func(name string, info TaskInfo) {
		paths = paths[:info.Depth]
		if info.Depth > 0 {
			info.Parent = paths[info.Depth-1]
		}
		info.Path = info.Parent
		switch {
		case info.Parent == "":
			info.Path = name
		case name != "":
			info.Path += "/" + name
		}
		paths = append(paths, info.Path)
		all = append(all, info)
	})
	return all
}

// Dump writes the tree of [Tasks], a line for each: what it is, its name, its
// status and its age. What is deeper than 40 is not set farther in, and has
// its depth before it.
func Dump(w io.Writer) error {
	const deepest = 40
	var b bytes.Buffer
	walk(func(name string, info TaskInfo) {
		b.WriteString(strings.Repeat("  ", min(info.Depth, deepest)))
		if info.Depth > deepest {
			fmt.Fprintf(&b, "(%d) ", info.Depth)
		}
		fmt.Fprintf(&b, "%s %s %s %s", info.kind(), cmp.Or(name, "(unnamed)"), info.Status, info.Age)
		if info.Site != "" {
			b.WriteString(" " + info.Site)
		}
		b.WriteByte('\n')
	})
	_, err := w.Write(b.Bytes())
	return err
}

func (t *TaskInfo) kind() string {
	switch {
	case t.Group:
		return "group"
	case t.Service:
		return "service"
	}
	return "task"
}

// walk shows every group and task to visit, with its own name and what is to
// be told about it but for the paths. The locks are taken one at a time; what
// ends between them is left out.
func walk(visit func(name string, info TaskInfo)) {
	roots.mu.Lock()
	var groups []*Group
	for g := roots.first; g != nil; g = g.next {
		groups = append(groups, g)
	}
	roots.mu.Unlock()
	for _, g := range groups {
		g.walk(visit, 0)
	}
}

// roots are the groups that run outside of any task.
var roots struct {
	mu    sync.Mutex
	first *Group
}

// enter puts g into the tree, under the task that its context comes from, or
// where that has ended, under the nearest around it that runs.
func (g *Group) enter() {
	for up := taskOf(g.outer); up != nil; up = up.g.up {
		if up.adopt(g) || up.g.body.adopt(g) {
			return
		}
	}
	roots.mu.Lock()
	defer roots.mu.Unlock()
	g.link(&roots.first)
}

func (g *Group) leave() {
	mu, first := &roots.mu, &roots.first
	if g.up != nil {
		mu, first = &g.up.g.mu, &g.up.groups
	}
	mu.Lock()
	defer mu.Unlock()
	g.unlink(first)
}

func (t *task) adopt(g *Group) bool {
	t.g.mu.Lock()
	defer t.g.mu.Unlock()
	if t.ended() || t.g.state == notRunning {
		return false
	}
	g.up = t
	g.link(&t.groups)
	return true
}

func (g *Group) link(first **Group) {
	g.next = *first
	if g.next != nil {
		g.next.prev = g
	}
	*first = g
}

func (g *Group) unlink(first **Group) {
	if g.prev == nil {
		*first = g.next
	} else {
		g.prev.next = g.next
	}
	if g.next != nil {
		g.next.prev = g.prev
	}
}

func (g *Group) walk(visit func(string, TaskInfo), depth int) {
	type found struct {
		t      *task
		groups []*Group
	}
	g.mu.Lock()
	state := g.state
	age := time.Since(g.clock.began)
	var tasks []found
	for t := &g.body; t != nil; t = t.next {
		if t.ended() {
			continue
		}
		f := found{t: t}
		for sub := t.groups; sub != nil; sub = sub.next {
			f.groups = append(f.groups, sub)
		}
		tasks = append(tasks, f)
	}
	g.mu.Unlock()
	if state == notRunning {
		return
	}
	for _, f := range tasks {
		name, info := g.cfg.Name, TaskInfo{Depth: depth, Group: true, Status: g.statusIn(state)}
		if f.t != &g.body {
			name, info = f.t.name, TaskInfo{Depth: depth + 1, Service: f.t.isService(), Status: f.t.statusNow()}
		}
		info.Age = max(0, age-time.Duration(atomic.LoadInt64(&f.t.began)))
		if f.t.more != nil {
			info.Site = site(f.t.more.site)
		}
		visit(name, info)
		for _, sub := range f.groups {
			sub.walk(visit, info.Depth+1)
		}
	}
}

func (g *Group) statusIn(state groupState) Status {
	switch {
	case g.ctx.Err() != nil:
		return Canceling
	case state == waiting:
		return Waiting
	}
	return Running
}

func (t *task) statusNow() Status {
	switch {
	case t.more != nil && t.more.starting.Load():
		return Starting
	case t.inner().Err() != nil:
		return Canceling
	}
	return Running
}

// site formats the address of a call.
func site(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return fmt.Sprintf("%s:%d", frame.File, frame.Line)
}
