package structured_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/pprof"
	"time"

	"github.com/strata-go/strata/structured"
)

func ExampleRun() {
	err := structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.Go("listen", func(ctx context.Context) error {
			<-ctx.Done() // until a sibling fails
			return ctx.Err()
		})
		g.Go("read config", func(context.Context) error {
			return errors.New("no such file")
		})
		return nil
	})
	fmt.Println(err)
	// Output: read config: no such file
}

func ExampleRun_nested() {
	err := structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.Go("server", func(ctx context.Context) error {
			return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				g.Go("accept", func(context.Context) error { return errors.New("too many open files") })
				g.Go("ping", func(ctx context.Context) error {
					<-ctx.Done()
					return errors.New("peer gone") // an error of its own
				})
				return nil
			})
		})
		return nil
	})
	fmt.Println(err)
	// Output:
	// server/accept: too many open files
	// server/ping: peer gone
}

func ExampleConfig_Run() {
	err := structured.Config{Limit: 2}.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		for i := range 4 {
			if !g.Go("job", func(context.Context) error { return nil }) {
				return fmt.Errorf("canceled before job %d", i)
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleConfig_capturePanics() {
	err := structured.Config{CapturePanics: true}.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.Go("plugin", func(context.Context) error { panic("out of cheese") })
		return nil
	})
	if pe, ok := errors.AsType[*structured.PanicError](err); ok {
		fmt.Println(pe.Value, len(pe.Stack) > 0)
	}
	// Output: out of cheese true
}

func ExampleConfig_onOverdue() {
	overdue := make(chan struct{})
	c := structured.Config{
		Grace: time.Millisecond,
		OnOverdue: func(tasks []structured.Overdue) {
			for _, t := range tasks {
				fmt.Println("still running:", t.Path)
			}
			close(overdue)
		},
	}
	err := c.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.Go("deaf", func(context.Context) error {
			<-overdue // instead of its context
			return nil
		})
		g.Cancel(nil)
		return nil
	})
	fmt.Println(err)
	// Output:
	// still running: deaf
	// <nil>
}

func ExampleConfig_trace() {
	// A profile tells by this label how much of it each task was.
	err := structured.Config{Name: "app", Trace: true}.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.Go("worker", func(ctx context.Context) error {
			path, _ := pprof.Label(ctx, "task")
			fmt.Println(path)
			return nil
		})
		return nil
	})
	fmt.Println(err)
	// Output:
	// app/worker
	// <nil>
}

func ExampleGroup_Cancel() {
	err := structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.Go("worker", func(ctx context.Context) error {
			<-ctx.Done()
			fmt.Println("stopping:", context.Cause(ctx))
			return ctx.Err()
		})
		g.Cancel(errors.New("new configuration"))
		return nil
	})
	fmt.Println(err)
	// Output:
	// stopping: new configuration
	// <nil>
}

func ExampleGroup_GoService() {
	lines := make(chan string)
	err := structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		g.GoService("log", func(ctx context.Context) error {
			for {
				select {
				case line := <-lines:
					fmt.Println(line)
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
		g.Go("work", func(context.Context) error {
			lines <- "working"
			lines <- "done"
			return nil
		})
		return nil
	})
	fmt.Println(err)
	// Output:
	// working
	// done
	// <nil>
}

func ExampleStart() {
	err := structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		addr, err := structured.Start(ctx, g, "server", func(ctx context.Context, ready func(string)) error {
			ready("127.0.0.1:8080") // it listens: go on
			<-ctx.Done()
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		fmt.Println("listening on", addr)
		g.Cancel(nil)
		return nil
	})
	fmt.Println(err)
	// Output:
	// listening on 127.0.0.1:8080
	// <nil>
}

func ExampleSpawn() {
	err := structured.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		answer := structured.Spawn(g, "think", func(context.Context) (int, error) { return 42, nil })
		v, err := answer.Wait(ctx)
		fmt.Println(v, answer.Status())
		return err
	})
	fmt.Println(err)
	// Output:
	// 42 done
	// <nil>
}

func square(_ context.Context, n int) (int, error) { return n * n, nil }

func ExampleMap() {
	squares, err := structured.Map(context.Background(), []int{1, 2, 3, 4}, 2, square)
	fmt.Println(squares, err)
	// Output: [1 4 9 16] <nil>
}

// answerAfter returns a function that answers after d, unless it is canceled.
func answerAfter(d time.Duration, answer string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		select {
		case <-time.After(d):
			return answer, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func ExampleGather() {
	answers, err := structured.Gather(context.Background(),
		answerAfter(2*time.Millisecond, "slow"), answerAfter(0, "fast"))
	fmt.Println(answers, err)
	// Output: [slow fast] <nil>
}

func ExampleAsCompleted() {
	for i, task := range structured.AsCompleted(context.Background(),
		answerAfter(50*time.Millisecond, "slow"), answerAfter(0, "fast")) {
		answer, err := task.Result()
		fmt.Println(i, answer, err)
	}
	// Output:
	// 1 fast <nil>
	// 0 slow <nil>
}

func ExampleRace() {
	answer, err := structured.Race(context.Background(),
		answerAfter(time.Hour, "slow"), answerAfter(0, "fast"))
	fmt.Println(answer, err)
	// Output: fast <nil>
}

func ExampleFailAfter() {
	err := structured.FailAfter(context.Background(), time.Millisecond, func(ctx context.Context, _ *structured.Scope) error {
		<-ctx.Done() // a call that takes too long
		return ctx.Err()
	})
	fmt.Println(err, errors.Is(err, context.DeadlineExceeded))
	// Output: scope deadline exceeded true
}

func ExampleMoveOnAfter() {
	answer := "the default"
	caught, err := structured.MoveOnAfter(context.Background(), time.Millisecond, func(ctx context.Context, _ *structured.Scope) (err error) {
		answer, err = answerAfter(time.Hour, "a better one")(ctx)
		return err
	})
	fmt.Printf("%v %v %q\n", caught, err, answer)
	// Output: true <nil> ""
}

func ExampleScope_Cancel() {
	caught, err := structured.MoveOnAfter(context.Background(), time.Hour, func(ctx context.Context, s *structured.Scope) error {
		s.Cancel(errors.New("found"))
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
		return ctx.Err()
	})
	fmt.Println(caught, err)
	// Output:
	// found
	// true <nil>
}

func ExampleScope_SetDeadline() {
	err := structured.FailAfter(context.Background(), time.Minute, func(ctx context.Context, s *structured.Scope) error {
		for range 3 { // a minute for each message, not for all
			s.SetDeadline(time.Now().Add(time.Minute))
		}
		return ctx.Err()
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleShield() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := structured.Shield(ctx, time.Second, func(ctx context.Context, _ *structured.Scope) error {
		fmt.Println("saying goodbye:", ctx.Err())
		return nil
	})
	fmt.Println(err, ctx.Err())
	// Output:
	// saying goodbye: <nil>
	// <nil> context canceled
}

func ExampleEvent() {
	var ready structured.Event
	go ready.Set()
	fmt.Println(ready.Wait(context.Background()), ready.IsSet())
	// Output: <nil> true
}

func ExampleMutex() {
	var m structured.Mutex
	if err := m.Lock(context.Background()); err != nil {
		return
	}
	defer m.Unlock()
	fmt.Println(m.TryLock())
	// Output: false
}

func ExampleCond() {
	ctx := context.Background()
	var m structured.Mutex
	changed := structured.NewCond(&m)
	jobs := 0
	err := structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		g.Go("producer", func(ctx context.Context) error {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			defer m.Unlock()
			jobs++
			changed.Signal()
			return nil
		})
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock()
		return changed.WaitFor(ctx, func() bool { return jobs > 0 })
	})
	fmt.Println(jobs, err)
	// Output: 1 <nil>
}

func ExampleSemaphore() {
	connections := structured.NewSemaphore(2, 2)
	for range 3 {
		fmt.Println(connections.TryAcquire())
	}
	connections.Release()
	fmt.Println(connections.Statistics().Value)
	// Output:
	// true
	// true
	// false
	// 1
}

func ExampleCapacityLimiter() {
	ctx := context.Background()
	perUser := structured.NewCapacityLimiter(10)
	fmt.Println(perUser.AcquireOnBehalfOf(ctx, "ann"))
	fmt.Println(perUser.AcquireOnBehalfOf(ctx, "ann"))
	perUser.ReleaseOnBehalfOf("ann")
	fmt.Println(perUser.Statistics().Borrowed)
	// Output:
	// <nil>
	// resource busy: another call is in progress
	// 0
}

func ExampleGuard() {
	var g structured.Guard
	fmt.Println(g.Enter())
	fmt.Println(g.Enter())
	g.Leave()
	// Output:
	// <nil>
	// resource busy: another call is in progress
}

func ExampleTasks() {
	_ = structured.Config{Name: "app"}.Run(context.Background(), func(ctx context.Context, g *structured.Group) error {
		task := structured.Spawn(g, "worker", func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		for _, t := range structured.Tasks() {
			fmt.Println(t.Path, t.Status)
		}
		task.Cancel(nil)
		return nil
	})
	// Output:
	// app running
	// app/worker running
}

func ExampleDump() {
	// To look at the tasks of a server from outside:
	http.HandleFunc("/debug/tasks", func(w http.ResponseWriter, _ *http.Request) {
		_ = structured.Dump(w)
	})
	fmt.Println(structured.Dump(os.Stdout)) // nothing runs now
	// Output: <nil>
}
