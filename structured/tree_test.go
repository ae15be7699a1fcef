package structured_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured"
)

// tasksUnder returns what Tasks tells about the groups of the given name.
func tasksUnder(name string) []structured.TaskInfo {
	var under []structured.TaskInfo
	for _, info := range structured.Tasks() {
		if strings.HasPrefix(info.Path+"/", name+"/") {
			under = append(under, info)
		}
	}
	return under
}

func TestTasksTellTheTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.Config{Name: "tree"}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			g.Go("server", func(ctx context.Context) error {
				<-time.After(time.Second)
				return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
					g.Go("accept", untilDone)
					return nil
				})
			})
			g.GoService("logger", untilDone)
			g.Go("gone", func(context.Context) error { return nil })
			handle := structured.Spawn(g, "stubborn", func(ctx context.Context) (int, error) {
				<-time.After(time.Minute)
				return 0, ctx.Err()
			})
			handle.Cancel(nil)
			g.Go("starting", func(ctx context.Context) error {
				_, err := structured.Start(ctx, g, "started", func(ctx context.Context, ready func(int)) error { return untilDone(ctx) })
				return err
			})
			<-time.After(3 * time.Second)
			synctest.Wait()
			second := time.Second
			want := []structured.TaskInfo{
				{Path: "tree", Group: true, Age: 3 * second},
				{Path: "tree/server", Parent: "tree", Depth: 1, Age: 3 * second},
				{Path: "tree/server", Parent: "tree/server", Depth: 2, Group: true, Age: 2 * second, Status: structured.Waiting},
				{Path: "tree/server/accept", Parent: "tree/server", Depth: 3, Age: 2 * second},
				{Path: "tree/logger", Parent: "tree", Depth: 1, Service: true, Age: 3 * second},
				{Path: "tree/stubborn", Parent: "tree", Depth: 1, Age: 3 * second, Status: structured.Canceling},
				{Path: "tree/starting", Parent: "tree", Depth: 1, Age: 3 * second},
				{Path: "tree/started", Parent: "tree", Depth: 1, Age: 3 * second, Status: structured.Starting},
			}
			if diff := cmp.Diff(want, tasksUnder("tree")); diff != "" {
				t.Errorf("Tasks mismatch (-want +got):\n%s", diff)
			}
			var b strings.Builder
			require.NoError(t, structured.Dump(&b))
			assert.Contains(t, b.String(), strings.Join([]string{
				"group tree running 3s",
				"  task server running 3s",
				"    group (unnamed) waiting 2s",
				"      task accept running 2s",
				"  service logger running 3s",
				"  task stubborn canceling 3s",
				"  task starting running 3s",
				"  task started starting 3s",
			}, "\n"))
			g.Cancel(nil)
			assert.Equal(t, structured.Canceling, tasksUnder("tree")[0].Status)
			return nil
		})
		require.NoError(t, err)
		assert.Empty(t, tasksUnder("tree"))
	})
}

func TestUnnamedGroupsAreInTheDump(t *testing.T) {
	require.NoError(t, structured.Run(t.Context(), func(context.Context, *structured.Group) error {
		var b strings.Builder
		require.NoError(t, structured.Dump(&b))
		assert.Contains(t, b.String(), "group (unnamed) running ")
		return nil
	}))
}

// nest runs f in so many groups, one inside the other.
func nest(ctx context.Context, depth int, f func()) error {
	if depth == 0 {
		f()
		return nil
	}
	return structured.Config{Name: "level"}.Run(ctx, func(ctx context.Context, _ *structured.Group) error {
		return nest(ctx, depth-1, f)
	})
}

func TestADeepTreeIsDumpedInLinearSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		size := func(depth int) (n int) {
			require.NoError(t, nest(t.Context(), depth, func() {
				var b strings.Builder
				require.NoError(t, structured.Dump(&b))
				n = b.Len()
				assert.Contains(t, b.String(), "\n"+strings.Repeat("  ", 40)+"group level running 0s\n"+strings.Repeat("  ", 40)+"(41) group level running 0s\n")
			}))
			return n
		}
		short := size(1000)
		assert.Less(t, size(2000), 3*short)
	})
}

func TestAgesOfACrowdAreRightToTheMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.Config{Name: "crowd"}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			const tasks = 100
			for range tasks {
				g.Go("task", untilDone)
				g.Go("short", func(context.Context) error { return nil })
				<-time.After(time.Second)
			}
			synctest.Wait()
			infos := tasksUnder("crowd")[1:]
			assert.Len(t, infos, tasks)
			for i, info := range infos {
				assert.InDelta(t, time.Duration(tasks-i)*time.Second, info.Age, float64(time.Millisecond))
			}
			g.Cancel(nil)
			return nil
		})
		require.NoError(t, err)
	})
}

func TestTasksThatHaveEndedAreSwept(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		for range 10000 {
			done := make(chan struct{})
			g.Go("short", func(context.Context) error {
				close(done)
				return nil
			})
			<-done
		}
		assert.Less(t, structured.Listed(g), 1000)
		return nil
	})
	require.NoError(t, err)
}

func TestGroupOfAnEndedTaskIsFoundUnderWhatStillRuns(t *testing.T) {
	err := structured.Config{Name: "outer"}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		var leaked context.Context
		_, err := structured.Spawn(g, "ended", func(ctx context.Context) (int, error) {
			leaked = context.WithoutCancel(ctx)
			return 0, nil
		}).Wait(ctx)
		require.NoError(t, err)
		_ = structured.Config{Name: "inner"}.Run(leaked, func(context.Context, *structured.Group) error {
			assert.Len(t, tasksUnder("outer/inner"), 1)
			return nil
		})
		return nil
	})
	require.NoError(t, err)
}

func TestTraceTellsStartSitesAndLabels(t *testing.T) {
	var recording bytes.Buffer
	require.NoError(t, trace.Start(&recording))
	err := structured.Config{Name: "traced", Trace: true}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		label, _ := pprof.Label(ctx, "task")
		assert.Equal(t, "traced", label)
		for range 2 {
			_, err := structured.Start(ctx, g, "task", func(ctx context.Context, ready func(int)) error {
				label, _ := pprof.Label(ctx, "task")
				assert.Equal(t, "traced/task", label)
				var goroutines bytes.Buffer
				assert.NoError(t, pprof.Lookup("goroutine").WriteTo(&goroutines, 1))
				assert.Contains(t, goroutines.String(), `"task":"traced/task"`)
				ready(1)
				return untilDone(ctx)
			})
			require.NoError(t, err)
		}
		g.Go("another", untilDone)
		g.GoService("service", untilDone)
		for _, info := range tasksUnder("traced") {
			assert.Contains(t, info.Site, "tree_test.go:", info.Path)
		}
		g.Cancel(nil)
		return nil
	})
	trace.Stop()
	require.NoError(t, err)
	assert.Contains(t, recording.String(), "traced/another")
}

func TestOverdueTasksAreReportedByNameAndStack(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Second} {
		t.Run(grace.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var reports [][]structured.Overdue
				var at time.Duration
				c := structured.Config{Name: "app", Grace: grace, OnOverdue: func(overdue []structured.Overdue) {
					reports = append(reports, overdue)
					at = time.Since(start)
				}}
				err := c.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
					g.Go("obedient", untilDone)
					g.Go("deaf", sleepOn)
					g.GoService("not canceled yet", untilDone)
					g.Cancel(nil)
					return nil
				})
				require.NoError(t, err)
				require.Len(t, reports, 1)
				require.Len(t, reports[0], 1)
				assert.Equal(t, "app/deaf", reports[0][0].Path)
				assert.Contains(t, string(reports[0][0].Stack), "sleepOn")
				assert.Equal(t, map[time.Duration]time.Duration{0: 10 * time.Second, time.Second: time.Second}[grace], at)
			})
		})
	}
}

func sleepOn(context.Context) error {
	<-time.After(time.Minute)
	return nil
}

func TestOverdueBodyAndServicesAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		c := structured.Config{Name: "app", Grace: time.Second, OnOverdue: func(overdue []structured.Overdue) {
			for _, o := range overdue {
				assert.Contains(t, string(o.Stack), "sleepOn", o.Path)
				reports = append(reports, fmt.Sprint(o.Path))
			}
		}}
		err := c.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			g.GoService("logger", sleepOn)
			g.Cancel(nil)
			_ = sleepOn(ctx)
			g.GoService("late logger", sleepOn)
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, []string{"app", "app/late logger"}, reports)
	})
}

func TestNothingIsReportedOfTasksThatEndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := structured.Config{Grace: time.Second, OnOverdue: func([]structured.Overdue) { t.Error("reported") }}
		err := c.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			g.Go("task", untilDone)
			g.Cancel(nil)
			return nil
		})
		require.NoError(t, err)
		<-time.After(time.Minute)
	})
}

func TestStatusHasAName(t *testing.T) {
	assert.Equal(t, "running", structured.Running.String())
	assert.Equal(t, "canceled", structured.Canceled.String())
	assert.Equal(t, "unknown", structured.Status(99).String())
}
