package structured_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured"
)

// The storm lasts two seconds, or as long as this variable says.
const stormEnv = "STRATA_STORM"

// A storm is nested groups in which everything goes wrong at random.
type storm struct {
	limiter *structured.CapacityLimiter
	mutex   structured.Mutex

	started, ended atomic.Int64

	mu       sync.Mutex
	expected map[error]bool // errors of tasks' own, until Run returns them
}

func newStorm() *storm {
	return &storm{limiter: structured.NewCapacityLimiter(20), expected: map[error]bool{}}
}

// failure is an error that somebody has to return.
type failure struct{ n int64 }

func (f *failure) Error() string { return fmt.Sprint("failure ", f.n) }

func (s *storm) fail() error {
	err := &failure{s.started.Load()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected[err] = true
	return err
}

// settle checks off the errors that Run returned, and returns what is wrong.
func (s *storm) settle(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, leaf := range leaves(err) {
		f, ok := leaf.(*failure)
		switch {
		case !ok && !errors.Is(leaf, context.Canceled) && !errors.Is(leaf, context.DeadlineExceeded):
			return fmt.Errorf("an error that nobody returned: %w", leaf)
		case ok && !s.expected[f]:
			return fmt.Errorf("told twice: %w", f)
		case ok:
			delete(s.expected, f)
		}
	}
	if left := len(s.expected); left > 0 {
		return fmt.Errorf("%d errors were lost", left)
	}
	if started, ended := s.started.Load(), s.ended.Load(); started != ended {
		return fmt.Errorf("%d tasks started, %d ended", started, ended)
	}
	if st := s.limiter.Statistics(); st.Borrowed != 0 || st.Waiting != 0 {
		return fmt.Errorf("limiter left with %+v", st)
	}
	if st := s.mutex.Statistics(); st.Locked || st.Waiting != 0 {
		return fmt.Errorf("mutex left with %+v", st)
	}
	if left := tasksUnder("storm"); len(left) > 0 {
		return fmt.Errorf("left in the tree: %v", left)
	}
	return nil
}

func leaves(err error) []error {
	switch x := err.(type) {
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			if _, ok := errors.AsType[*failure](err); !ok {
				return []error{err}
			}
		}
		var all []error
		for _, part := range x.Unwrap() {
			all = append(all, leaves(part)...)
		}
		return all
	case *structured.TaskError:
		return leaves(x.Err)
	}
	return []error{err}
}

func (s *storm) run(ctx context.Context, r *rand.Rand) error {
	c := structured.Config{Name: "storm", CapturePanics: r.IntN(4) == 0}
	return c.Run(ctx, func(ctx context.Context, g *structured.Group) error {
		return s.body(ctx, g, r, 3)
	})
}

func (s *storm) body(ctx context.Context, g *structured.Group, r *rand.Rand, depth int) error {
	for range 2 + r.IntN(6) {
		seed := r.Uint64()
		task := s.task(g, seed, depth)
		switch r.IntN(5) {
		case 0:
			g.GoService("service", task)
		case 1:
			handle := structured.Spawn(g, "spawned", func(ctx context.Context) (int, error) { return 1, task(ctx) })
			if r.IntN(2) == 0 {
				handle.Cancel(nil)
			}
		case 2:
			early := r.IntN(2) == 0
			_, err := structured.Start(ctx, g, "started", func(ctx context.Context, ready func(int)) error {
				if early {
					ready(1)
				}
				err := task(ctx)
				if !early && err == nil {
					ready(2)
				}
				return err
			})
			if err != nil {
				return err
			}
		default:
			g.Go("task", task)
		}
	}
	if r.IntN(3) == 0 {
		g.Cancel(nil)
	}
	return nil
}

// task returns a task that does one of many things.
func (s *storm) task(g *structured.Group, seed uint64, depth int) func(context.Context) error {
	return func(ctx context.Context) error {
		s.started.Add(1)
		defer s.ended.Add(1)
		r := rand.New(rand.NewPCG(seed, seed))
		d := time.Duration(r.IntN(300)) * time.Microsecond
		switch what := r.IntN(12); {
		case what < 3 && depth > 0:
			return structured.Config{Limit: r.IntN(4)}.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				return s.body(ctx, g, r, depth-1)
			})
		case what == 3:
			return s.fail()
		case what == 4:
			g.Cancel(nil)
			return nil
		case what == 5:
			return structured.Shield(ctx, time.Hour, func(ctx context.Context, _ *structured.Scope) error {
				return s.wait(ctx, d)
			})
		case what == 6:
			_, err := structured.MoveOnAfter(ctx, d, func(ctx context.Context, _ *structured.Scope) error {
				return s.wait(ctx, 2*d)
			})
			return err
		case what == 7:
			if err := s.limiter.Acquire(ctx); err != nil {
				return err
			}
			defer s.limiter.Release()
			return s.wait(ctx, d)
		case what == 8:
			if err := s.mutex.Lock(ctx); err != nil {
				return err
			}
			defer s.mutex.Unlock()
			return s.wait(ctx, d/10)
		case what == 9:
			<-ctx.Done()
			return errors.Join(ctx.Err(), s.fail())
		case what == 10:
			if depth > 0 {
				g.Go("late", s.task(g, r.Uint64(), 0))
			}
			return nil
		}
		return s.wait(ctx, d)
	}
}

func (s *storm) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestStormLeavesNothingBehindAndLosesNoError(t *testing.T) {
	length := 2 * time.Second
	if v := os.Getenv(stormEnv); v != "" {
		var err error
		length, err = time.ParseDuration(v)
		require.NoError(t, err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	s := newStorm()
	rounds := 0
	for end := time.Now().Add(length); time.Now().Before(end); rounds++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+r.IntN(20))*time.Millisecond)
		err := s.run(ctx, r)
		cancel()
		require.NoError(t, s.settle(err), "seed %d, round %d", seed, rounds)
	}
	t.Logf("%d rounds, %d tasks", rounds, s.started.Load())
	assert.Positive(t, s.ended.Load())
}

func TestStormOfTenThousandTasksAtOnce(t *testing.T) {
	const storms = 1500 // of some ten tasks each
	seed := rand.Uint64()
	s := newStorm()
	errs := make([]error, storms)
	var wg sync.WaitGroup
	for i := range storms {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			errs[i] = s.run(ctx, rand.New(rand.NewPCG(seed, uint64(i))))
		})
	}
	wg.Wait()
	require.NoError(t, s.settle(errors.Join(errs...)), "seed %d", seed)
	assert.Greater(t, s.started.Load(), int64(10_000))
}

func TestStormNoticesWhatIsPlanted(t *testing.T) {
	tests := []struct {
		name  string
		want  string
		plant func(s *storm) error
	}{
		{"a task that is left behind", "1 tasks started, 0 ended", func(s *storm) error {
			s.started.Add(1) // as a bare go statement would
			return nil
		}},
		{"a lost error", "1 errors were lost", func(s *storm) error {
			_ = s.fail()
			return nil
		}},
		{"an error told twice", "told twice", func(s *storm) error {
			err := s.fail()
			return errors.Join(err, err)
		}},
		{"a foreign error", "nobody returned", func(*storm) error { return errOne }},
		{"a lost token", "limiter left with", func(s *storm) error {
			s.limiter.TryAcquire()
			return nil
		}},
		{"a locked mutex", "mutex left with", func(s *storm) error {
			s.mutex.TryLock()
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStorm()
			assert.ErrorContains(t, s.settle(tt.plant(s)), tt.want)
		})
	}
	t.Run("a group that is left behind", func(t *testing.T) {
		s, entered, end := newStorm(), make(chan struct{}), make(chan struct{})
		done := make(chan error)
		go func() {
			done <- structured.Config{Name: "storm"}.Run(context.Background(), func(context.Context, *structured.Group) error {
				close(entered)
				<-end
				return nil
			})
		}()
		<-entered
		assert.ErrorContains(t, s.settle(nil), "left in the tree")
		close(end)
		assert.NoError(t, <-done)
	})
}
