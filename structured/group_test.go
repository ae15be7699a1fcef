package structured_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured"
)

var (
	errOne = errors.New("one")
	errTwo = errors.New("two")

	noContext context.Context // nil on purpose
)

// untilDone waits as well-behaved tasks do.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func failing(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func TestRunReturnsWhenEveryTaskHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int32
		err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			for i := range 5 {
				g.Go("sleeper", func(context.Context) error {
					<-time.After(time.Duration(i) * time.Second)
					ended.Add(1)
					return nil
				})
			}
			return nil
		})
		require.NoError(t, err)
		assert.EqualValues(t, 5, ended.Load())
	})
}

func TestTaskMayStartTasksWhileTheGroupWaits(t *testing.T) {
	var ran atomic.Bool
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("outer", func(context.Context) error {
			g.Go("inner", func(context.Context) error {
				ran.Store(true)
				return nil
			})
			return nil
		})
		return nil
	})
	require.NoError(t, err)
	assert.True(t, ran.Load())
}

func TestUsingAGroupAfterItsEndPanics(t *testing.T) {
	var kept *structured.Group
	require.NoError(t, structured.Run(t.Context(), func(_ context.Context, g *structured.Group) error {
		kept = g
		return nil
	}))
	const want = "the group has ended, so nobody would wait for the task"
	requirePanic(t, want, func() { kept.Go("late", untilDone) })
	requirePanic(t, want, func() { kept.GoService("late", untilDone) })
	requirePanic(t, want, func() {
		_, _ = structured.Start(t.Context(), kept, "late", func(context.Context, func(int)) error { return nil })
	})
	requirePanic(t, want, func() { structured.Spawn(kept, "late", func(context.Context) (int, error) { return 0, nil }) })
	kept.Cancel(nil) // harmless
}

func TestBadArgumentsPanicWithAnAdvice(t *testing.T) {
	run := func(use func(g *structured.Group)) func() {
		return func() {
			_ = structured.Run(t.Context(), func(_ context.Context, g *structured.Group) error {
				use(g)
				return nil
			})
		}
	}
	tests := []struct {
		name string
		want string
		f    func()
	}{
		{"nil body", "nil body", func() { _ = structured.Run(t.Context(), nil) }},
		{"nil ctx", "nil ctx", func() { _ = structured.Run(noContext, func(context.Context, *structured.Group) error { return nil }) }},
		{"nil function", "Group.Go: nil function", run(func(g *structured.Group) { g.Go("a", nil) })},
		{"empty name", "Group.Go: empty name", run(func(g *structured.Group) { g.Go("", untilDone) })},
		{"nil service", "Group.GoService: nil function", run(func(g *structured.Group) { g.GoService("a", nil) })},
		{"nil Start", "Start: nil function", run(func(g *structured.Group) { _, _ = structured.Start[int](t.Context(), g, "a", nil) })},
		{"nil Spawn", "Spawn: nil function", run(func(g *structured.Group) { structured.Spawn[int](g, "a", nil) })},
		{"zero Group", "that Run did not make", func() { new(structured.Group).Go("a", untilDone) }},
		{"nil Group", "that Run did not make", func() { (*structured.Group)(nil).Cancel(nil) }},
		{"negative limit", "Limit is negative", func() { _ = structured.Config{Limit: -1}.Run(t.Context(), nop) }},
		{"negative grace", "Grace is negative", func() { _ = structured.Config{Grace: -1}.Run(t.Context(), nop) }},
		{"grace for nobody", "Grace without OnOverdue", func() { _ = structured.Config{Grace: 1}.Run(t.Context(), nop) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requirePanic(t, tt.want, tt.f) })
	}
}

func nop(context.Context, *structured.Group) error { return nil }

func requirePanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		require.NotNil(t, v, "no panic")
		assert.Contains(t, fmt.Sprint(v), want)
	}()
	f()
}

func TestBodyErrorCancelsTheTasksAndIsReturnedOnce(t *testing.T) {
	var cause error
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("task", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return cause
		})
		return errOne
	})
	assert.Equal(t, errOne, err)
	assert.ErrorIs(t, cause, errOne)
}

func TestTaskErrorCancelsTheBodyAndTheSiblings(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("sibling", untilDone)
		g.Go("failing", failing(errOne))
		<-ctx.Done()
		return context.Cause(ctx)
	})
	require.EqualError(t, err, "failing: one")
	te, ok := errors.AsType[*structured.TaskError](err)
	require.True(t, ok)
	assert.Equal(t, &structured.TaskError{Path: "failing", Err: errOne}, te)
}

func TestEveryErrorOfTheirOwnIsReturned(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("second", func(ctx context.Context) error {
			<-ctx.Done()
			return errTwo
		})
		g.Go("echo", untilDone)
		g.Go("equal", func(ctx context.Context) error {
			<-ctx.Done()
			return io.EOF // its own, though equal to the first
		})
		g.Go("first", failing(io.EOF))
		<-ctx.Done()
		return errOne
	})
	lines := strings.Split(err.Error(), "\n")
	assert.Equal(t, "first: EOF", lines[0])
	assert.ElementsMatch(t, []string{"first: EOF", "second: two", "equal: EOF", "one"}, lines)
	assert.ErrorIs(t, err, errOne)
	assert.ErrorIs(t, err, errTwo)
	assert.NotErrorIs(t, err, context.Canceled)
	_, ok := err.(interface{ Unwrap() []error })
	assert.True(t, ok)
}

func TestEchoesAreDropped(t *testing.T) {
	tests := []struct {
		name string
		echo func(ctx context.Context) error
		left []string // besides "failing: one"
	}{
		{"ctx.Err", func(ctx context.Context) error { return ctx.Err() }, nil},
		{"cause", context.Cause, nil},
		{"wrapped", func(ctx context.Context) error { return fmt.Errorf("reading: %w", ctx.Err()) }, nil},
		{"wrapped cause", func(ctx context.Context) error { return fmt.Errorf("reading: %w", context.Cause(ctx)) }, nil},
		{"joined", func(ctx context.Context) error { return errors.Join(ctx.Err(), context.Cause(ctx)) }, nil},
		{"both at once", func(ctx context.Context) error { return fmt.Errorf("%w: %w", context.Cause(ctx), ctx.Err()) }, nil},
		{"cause with a wait of ours", func(ctx context.Context) error { return new(structured.Event).Wait(ctx) }, nil},
		{"joined with another", func(ctx context.Context) error { return errors.Join(ctx.Err(), errTwo) }, []string{"task: two"}},
		{"deep", func(ctx context.Context) error { return errors.Join(errors.Join(ctx.Err(), errTwo), io.EOF) }, []string{"task: two", "task: EOF"}},
		{"join that is wrapped", func(ctx context.Context) error {
			return fmt.Errorf("closing: %w", errors.Join(ctx.Err(), errTwo))
		}, []string{"task: closing: context canceled", "two"}}, // kept whole, or errTwo were lost
		{"cancellations joined and wrapped", func(ctx context.Context) error {
			return fmt.Errorf("closing: %w", errors.Join(ctx.Err(), context.Cause(ctx)))
		}, nil},
		{"named", func(ctx context.Context) error {
			return &structured.TaskError{Path: "inner", Err: errors.Join(ctx.Err(), errTwo)}
		}, []string{"task: inner: two"}},
		{"not an echo", func(ctx context.Context) error { return context.DeadlineExceeded }, []string{"task: context deadline exceeded"}},
		{"uncomparable", func(ctx context.Context) error { return uncomparable{"x"} }, []string{"task: uncomparable"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
				g.Go("task", func(ctx context.Context) error {
					<-ctx.Done()
					return tt.echo(ctx)
				})
				g.Go("failing", failing(errOne))
				return nil
			})
			assert.Equal(t, append([]string{"failing: one"}, tt.left...), strings.Split(err.Error(), "\n"))
		})
	}
}

type uncomparable []string

func (uncomparable) Error() string { return "uncomparable" }

func TestUncomparableCauseIsNoTrouble(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(uncomparable{"x"})
	err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error { return uncomparable{"y"} })
	assert.EqualError(t, err, "uncomparable")
}

func TestCanceledIsAnErrorOfItsOwnInAGroupThatIsNot(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("client", failing(context.Canceled))
		<-ctx.Done()
		return ctx.Err()
	})
	require.EqualError(t, err, "client: context canceled")
}

func TestNestedGroupsNameTheWholePath(t *testing.T) {
	var serverGone atomic.Bool
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("server", func(ctx context.Context) error {
			defer serverGone.Store(true)
			return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				g.Go("accept", failing(errOne))
				g.Go("ping", func(ctx context.Context) error {
					<-ctx.Done()
					return errTwo
				})
				g.Go("echo", untilDone)
				return nil
			})
		})
		g.Go("echo", untilDone)
		<-ctx.Done()
		assert.True(t, serverGone.Load())
		return io.ErrUnexpectedEOF
	})
	assert.EqualError(t, err, "server/accept: one\nserver/ping: two\nunexpected EOF")
}

func TestGroupNameIsPartOfThePath(t *testing.T) {
	err := structured.Config{Name: "app"}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("server", func(ctx context.Context) error {
			return structured.Config{Name: "conns"}.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				g.Go("7", failing(errOne))
				return nil
			})
		})
		return nil
	})
	assert.EqualError(t, err, "app/server/conns/7: one")
}

func TestBodyErrorOfANestedGroupIsItsTasks(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("server", func(ctx context.Context) error {
			return structured.Run(ctx, func(context.Context, *structured.Group) error { return errOne })
		})
		return nil
	})
	assert.EqualError(t, err, "server: one")
}

func TestFormattingADeepTreeIsLinear(t *testing.T) {
	var nest func(ctx context.Context, depth int) error
	nest = func(ctx context.Context, depth int) error {
		return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
			if depth > 0 {
				g.Go("d", func(ctx context.Context) error { return nest(context.WithoutCancel(ctx), depth-1) })
			}
			g.Go("e", func(context.Context) error { return errOne })
			return nil
		})
	}
	err := nest(t.Context(), 100)
	assert.Len(t, strings.Split(err.Error(), "\n"), 101)
	for line := range strings.SplitSeq(err.Error(), "\n") {
		require.Equal(t, 1, strings.Count(line, "e: one"), line)
	}
}

func TestOuterCancellationWithoutErrorsIsPlain(t *testing.T) {
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	beyond := false
	err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		g.Go("outer", func(ctx context.Context) error {
			err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				g.Go("inner", untilDone)
				cancel(reason)
				return nil
			})
			if err != nil {
				return err
			}
			beyond = true
			return nil
		})
		return nil
	})
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, err, reason)
	_, ok := errors.AsType[*structured.TaskError](err)
	assert.False(t, ok)
	assert.False(t, beyond)
}

func TestOuterDeadlineIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("too slow")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, reason)
		defer cancel()
		err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
			g.Go("task", untilDone) // returns DeadlineExceeded, which is not the cause
			return nil
		})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorIs(t, err, reason)
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
		_, ok := errors.AsType[*structured.TaskError](err)
		assert.False(t, ok)
	})
}

func TestGroupInACanceledContextSucceedsIfEverybodyDoes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	require.NoError(t, structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		g.Go("task", func(context.Context) error {
			ran = true
			return nil
		})
		return nil
	}))
	assert.True(t, ran)
}

func TestCancelEndsTheGroupWithoutAnError(t *testing.T) {
	var causes []error
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Cancel(errOne)
		g.Cancel(errTwo) // the first counts
		g.Go("later", func(ctx context.Context) error {
			causes = append(causes, context.Cause(ctx))
			return untilDone(ctx)
		})
		<-ctx.Done()
		return context.Cause(ctx)
	})
	require.NoError(t, err)
	assert.Equal(t, []error{errOne}, causes)
}

func TestCancelOfTheInnerGroupLeavesTheOuterAlone(t *testing.T) {
	for range 2 { // and again in the same task
		err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				g.Go("task", untilDone)
				g.Go("canceler", func(context.Context) error {
					g.Cancel(nil)
					return nil
				})
				return nil
			})
			assert.NoError(t, err)
			return ctx.Err()
		})
		require.NoError(t, err)
	}
}

func TestCancelDuringTheFinalWaitGoesOnWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
			g.Go("slow to end", func(ctx context.Context) error {
				<-ctx.Done()
				<-time.After(time.Second)
				return ctx.Err()
			})
			return nil
		})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestChildrenDoNotInheritTheShieldOfWhoStartsThem(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		return structured.Shield(ctx, time.Minute, func(ctx context.Context, _ *structured.Scope) error {
			g.Go("child", untilDone) // would never end under the shield
			g.Cancel(nil)
			return nil
		})
	})
	require.NoError(t, err)
}

func TestTaskStartedByACanceledTaskIsCanceled(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("parent", func(ctx context.Context) error {
			<-ctx.Done()
			g.Go("child", untilDone)
			return ctx.Err()
		})
		g.Cancel(nil)
		return nil
	})
	require.NoError(t, err)
}

func TestNoMoreThanTheLimitRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, peak atomic.Int32
		start := time.Now()
		err := structured.Config{Limit: 3}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			g.GoService("does not count", untilDone)
			for range 9 {
				started := g.Go("task", func(context.Context) error {
					peak.Store(max(peak.Load(), running.Add(1)))
					<-time.After(time.Second)
					running.Add(-1)
					return nil
				})
				assert.True(t, started)
			}
			return nil
		})
		require.NoError(t, err)
		assert.EqualValues(t, 3, peak.Load())
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestGoGivesUpWaitingForRoomWhenTheGroupIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.Config{Limit: 1}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			assert.True(t, g.Go("first", func(ctx context.Context) error {
				<-time.After(time.Second)
				g.Cancel(errOne)
				<-time.After(time.Second)
				return nil
			}))
			assert.False(t, g.Go("second", func(context.Context) error {
				t.Error("was run")
				return nil
			}))
			task := structured.Spawn(g, "third", func(context.Context) (int, error) {
				t.Error("was run")
				return 1, nil
			})
			assert.Equal(t, structured.Canceled, task.Status())
			_, err := structured.Start(ctx, g, "fourth", func(context.Context, func(int)) error {
				t.Error("was run")
				return nil
			})
			assert.ErrorIs(t, err, errOne)
			return nil
		})
		require.NoError(t, err)
	})
}

func TestServicesAreCanceledAfterTheOrdinaryTasks(t *testing.T) {
	for _, cancel := range []bool{false, true} {
		t.Run(fmt.Sprint("canceled=", cancel), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ordinary, served atomic.Bool
				err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
					g.GoService("logger", func(ctx context.Context) error {
						<-ctx.Done()
						served.Store(ordinary.Load())
						g.Go("farewell", failing(nil)) // tasks may still be added
						return ctx.Err()
					})
					g.Go("worker", func(ctx context.Context) error {
						<-time.After(time.Second)
						ordinary.Store(true)
						return nil
					})
					if cancel {
						g.Cancel(nil)
					}
					return nil
				})
				require.NoError(t, err)
				assert.True(t, served.Load())
			})
		})
	}
}

func TestServiceFailureFailsTheGroup(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.GoService("logger", failing(errOne))
		return untilDone(ctx)
	})
	assert.EqualError(t, err, "logger: one")
}

func TestGoexitInATaskIsAnErrorOfTheGroup(t *testing.T) {
	for _, capture := range []bool{false, true} {
		err := structured.Config{CapturePanics: capture}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			g.Go("quitter", func(context.Context) error {
				defer func() { _ = recover() }()
				runtime.Goexit()
				return nil
			})
			return untilDone(ctx)
		})
		assert.EqualError(t, err, "quitter: task ended by runtime.Goexit")
	}
}

func TestPanicAndGoexitOfTheBodyPassThroughOnceTheTasksEnded(t *testing.T) {
	for name, quit := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			ended, gone := false, make(chan any)
			go func() {
				defer close(gone)
				defer func() {
					v := recover()
					assert.True(t, ended)
					if name == "panic" {
						assert.Equal(t, "boom", v)
					}
				}()
				_ = structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
					g.Go("task", func(ctx context.Context) error {
						<-ctx.Done()
						ended = true
						return nil
					})
					quit()
					return nil
				})
				t.Error("Run returned")
			}()
			<-gone
		})
	}
}

func TestCapturedPanicIsAnErrorWithItsStack(t *testing.T) {
	for _, where := range []string{"task", "body"} {
		t.Run(where, func(t *testing.T) {
			var siblingEnded bool
			err := structured.Config{CapturePanics: true}.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
				g.Go("sibling", func(ctx context.Context) error {
					<-ctx.Done()
					siblingEnded = true
					return ctx.Err()
				})
				if where == "body" {
					panicHere()
				}
				g.Go("task", func(context.Context) error { return panicHere() })
				return nil
			})
			pe, ok := errors.AsType[*structured.PanicError](err)
			require.True(t, ok)
			assert.Equal(t, errOne, pe.Value)
			assert.ErrorIs(t, err, errOne)
			assert.Contains(t, string(pe.Stack), "panicHere")
			assert.Contains(t, err.Error(), "panic: one")
			assert.True(t, siblingEnded)
		})
	}
}

func panicHere() error { panic(errOne) }

// TestPanicEndsTheProgramWithTheTasksStack runs itself as a program.
func TestPanicEndsTheProgramWithTheTasksStack(t *testing.T) {
	const env = "STRUCTURED_TEST_PANIC"
	if os.Getenv(env) != "" {
		_ = structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
			g.Go("task", func(context.Context) error { return panicHere() })
			return nil
		})
		fmt.Println("Run returned")
		os.Exit(0)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), env+"=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "panicHere")
	assert.Contains(t, string(out), "[running]")
	assert.NotContains(t, string(out), "Run returned")
	assert.NotContains(t, string(out), "recovered")
}

func TestStandardContextsFollowATasksContextWithoutAGoroutine(t *testing.T) {
	err := structured.Run(t.Context(), func(ctx context.Context, g *structured.Group) error {
		g.Go("task", func(ctx context.Context) error {
			before := runtime.NumGoroutine()
			for range 50 {
				derived, cancel := context.WithCancel(ctx)
				defer cancel()
				_ = derived
			}
			assert.Less(t, runtime.NumGoroutine(), before+50)
			assert.Contains(t, fmt.Sprint(ctx), "structured.Task(task)")
			return nil
		})
		return nil
	})
	require.NoError(t, err)
}

func TestContextValuesReachTasks(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, 7)
	err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		got := func(ctx context.Context) error {
			assert.Equal(t, 7, ctx.Value(key{}))
			return nil
		}
		g.Go("task", got)
		g.GoService("service", got)
		_, err := structured.Start(context.Background(), g, "started", func(ctx context.Context, ready func(int)) error {
			ready(1)
			return got(ctx)
		})
		return err
	})
	require.NoError(t, err)
}
