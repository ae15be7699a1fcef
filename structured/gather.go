package structured

import (
	"context"
	"strconv"
)

// Gather runs fs at the same time and returns what they returned, in the
// order of fs. The first error cancels the others; the error is that of a
// group ([Run]) whose tasks are named by their index, and there are no results
// then. Of no functions there are no results and no error.
func Gather[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) ([]T, error) {
	mustBeFuncs("Gather", fs)
	return Map(ctx, fs, 0, func(ctx context.Context, f func(context.Context) (T, error)) (T, error) {
		return f(ctx)
	})
}

// Map calls f for each item, at most limit at the same time, and returns the
// results in the order of the items. A limit of zero is none; a negative one
// panics. The rest is as for [Gather].
func Map[T, R any](ctx context.Context, items []T, limit int, f func(ctx context.Context, item T) (R, error)) ([]R, error) {
	if f == nil {
		panic("structured: Map: nil function")
	}
	if limit < 0 {
		panic("structured: Map: negative limit: use zero for none")
	}
	results := make([]R, len(items))
	err := Config{Limit: limit}.Run(ctx, func(ctx context.Context, g *Group) error {
		for i, item := range items {
			started := g.Go(strconv.Itoa(i), func(ctx context.Context) (err error) {
				results[i], err = f(ctx, item)
				return err
			})
			if !started {
				return canceled(ctx)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func mustBeFuncs[T any](caller string, fs []func(ctx context.Context) (T, error)) {
	for i, f := range fs {
		if f == nil {
			panic("structured: " + caller + ": function " + strconv.Itoa(i) + " is nil")
		}
	}
}
