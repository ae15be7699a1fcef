package structured

import (
	"context"
	"errors"
	"iter"
	"strconv"
)

// AsCompleted runs fs at the same time and yields their tasks as they end,
// each with its index among fs; [Task.Result] has what came of it. A failure
// cancels none of the others. When the loop ends early, by break, return or a
// panic, those that still run are canceled, and the loop is left once they
// have ended.
//
// If ctx is done, all tasks are yielded the same: those that noticed end with
// its cancellation. Of no functions nothing is yielded. Tasks are named by
// their index. The sequence may be used again; it runs fs again then.
func AsCompleted[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) iter.Seq2[int, *Task[T]] {
	mustBeFuncs("AsCompleted", fs)
	return func(yield func(int, *Task[T]) bool) {
		// Neither the tasks, which are apart, nor the body fail the group.
		_ = Run(ctx, func(_ context.Context, g *Group) error {
			ended := make(chan int, len(fs))
			tasks := make([]*Task[T], len(fs))
			for i, f := range fs {
				tasks[i] = spawnApart(g, i, f, func() { ended <- i })
			}
			for range fs {
				if i := <-ended; !yield(i, tasks[i]) {
					g.Cancel(nil)
					break
				}
			}
			return nil
		})
	}
}

// Race runs fs at the same time and returns the first success. The others
// are canceled then, and Race waits for them to end; what they return is
// dropped, so an f that makes what must be closed has to look at its context
// when it is done. When none succeeds, the error is all of theirs, joined;
// when that is because ctx is done, it is that cancellation.
//
// Race panics when there are no functions, since nobody could win.
func Race[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) (T, error) {
	if len(fs) == 0 {
		panic("structured: Race: no functions")
	}
	mustBeFuncs("Race", fs)
	var errs []error
	for _, task := range AsCompleted(ctx, fs...) {
		v, err := task.Result()
		if err == nil {
			return v, nil
		}
		errs = append(errs, err)
	}
	var zero T
	if left := echoesOf(ctx).strip(errors.Join(errs...)); left != nil {
		return zero, left
	}
	return zero, canceled(ctx)
}

// spawnApart starts a task whose failure is not the group's.
func spawnApart[T any](g *Group, i int, f func(context.Context) (T, error), ended func()) *Task[T] {
	s := newTask[T](g, strconv.Itoa(i))
	s.apart, s.ended = true, ended
	s.start(g, f)
	return s
}
