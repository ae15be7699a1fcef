package structured_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured"
)

type scopeFunc = func(ctx context.Context, s *structured.Scope) error

func untilScopeDone(ctx context.Context, _ *structured.Scope) error { return untilDone(ctx) }

func TestFailAfterTellsTheTimeout(t *testing.T) {
	for _, d := range []time.Duration{-time.Second, 0, time.Second} {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var scope *structured.Scope
				err := structured.FailAfter(t.Context(), d, func(ctx context.Context, s *structured.Scope) error {
					scope = s
					deadline, ok := ctx.Deadline()
					assert.True(t, ok)
					assert.Equal(t, start.Add(d), deadline)
					return untilDone(ctx)
				})
				te, ok := errors.AsType[*structured.TimeoutError](err)
				require.True(t, ok)
				assert.Equal(t, start.Add(d), te.Deadline)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.True(t, te.Timeout())
				assert.True(t, scope.CancelCalled())
				assert.True(t, scope.Caught())
				assert.Equal(t, max(0, d), time.Since(start))
			})
		})
	}
}

func TestMoveOnAfterGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caught, err := structured.MoveOnAfter(t.Context(), time.Second, untilScopeDone)
		assert.NoError(t, err)
		assert.True(t, caught)
		assert.NoError(t, t.Context().Err())
		caught, err = structured.MoveOnAfter(t.Context(), time.Second, func(context.Context, *structured.Scope) error { return errOne })
		assert.Equal(t, errOne, err)
		assert.False(t, caught)
	})
}

func TestScopeWithoutADeadlineHasNone(t *testing.T) {
	for name, run := range map[string]func(ctx context.Context, f scopeFunc) error{
		"FailAt": func(ctx context.Context, f scopeFunc) error {
			return structured.FailAt(ctx, time.Time{}, f)
		},
		"MoveOnAt": func(ctx context.Context, f scopeFunc) error {
			_, err := structured.MoveOnAt(ctx, time.Time{}, f)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, run(context.Background(), func(ctx context.Context, s *structured.Scope) error {
				_, ok := ctx.Deadline()
				assert.False(t, ok)
				_, ok = s.Deadline()
				assert.False(t, ok)
				return ctx.Err()
			}))
		})
	}
}

func TestScopesAtATimeOfDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(time.Minute)
		assert.ErrorIs(t, structured.FailAt(t.Context(), at, untilScopeDone), context.DeadlineExceeded)
		assert.Zero(t, time.Until(at))
		caught, err := structured.MoveOnAt(t.Context(), at, untilScopeDone) // has passed
		assert.NoError(t, err)
		assert.True(t, caught)
	})
}

func TestSuccessAfterTheDeadlineIsSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.FailAfter(t.Context(), time.Second, func(_ context.Context, s *structured.Scope) error {
			<-time.After(time.Minute)
			assert.True(t, s.CancelCalled())
			assert.False(t, s.Caught())
			return nil
		})
		require.NoError(t, err)
	})
}

func TestCancelBeforeTheDeadlineIsNoTimeoutHoweverLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.FailAfter(t.Context(), time.Second, func(ctx context.Context, s *structured.Scope) error {
			s.Cancel(errOne)
			s.Cancel(errTwo)
			assert.Equal(t, errOne, context.Cause(ctx))
			<-time.After(time.Minute)
			return context.Cause(ctx)
		})
		require.NoError(t, err)
	})
}

func TestDeadlineCanBeMoved(t *testing.T) {
	tests := []struct {
		name string
		move []time.Duration // deadlines, set one after the other
		want time.Duration
	}{
		{"later", []time.Duration{time.Minute}, time.Minute},
		{"earlier", []time.Duration{time.Millisecond}, time.Millisecond},
		{"past", []time.Duration{-time.Hour}, 0},
		{"to and fro", []time.Duration{time.Minute, time.Millisecond, 2 * time.Second}, 2 * time.Second},
		{"not once it has passed", []time.Duration{0, time.Minute}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				caught, err := structured.MoveOnAfter(t.Context(), time.Second, func(ctx context.Context, s *structured.Scope) error {
					for _, d := range tt.move {
						s.SetDeadline(start.Add(d))
					}
					return untilDone(ctx)
				})
				assert.NoError(t, err)
				assert.True(t, caught)
				assert.Equal(t, tt.want, time.Since(start))
			})
		})
	}
}

func TestDeadlineCanBeTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.FailAfter(t.Context(), time.Second, func(ctx context.Context, s *structured.Scope) error {
			s.SetDeadline(time.Time{})
			<-time.After(time.Hour)
			return ctx.Err()
		})
		require.NoError(t, err)
	})
}

func TestNestedScopesCatchOnlyTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var inner *structured.Scope
		outerCaught, err := structured.MoveOnAfter(t.Context(), time.Second, func(ctx context.Context, _ *structured.Scope) error {
			return structured.FailAfter(ctx, time.Minute, func(ctx context.Context, s *structured.Scope) error {
				inner = s
				deadline, _ := ctx.Deadline()
				assert.Equal(t, start.Add(time.Second), deadline)
				return untilDone(ctx)
			})
		})
		assert.NoError(t, err)
		assert.True(t, outerCaught)
		assert.False(t, inner.Caught())
		assert.False(t, inner.CancelCalled())
	})
}

func TestScopeWhoseOutsideIsCanceledTooCatchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		caught, err := structured.MoveOnAfter(ctx, time.Second, func(ctx context.Context, s *structured.Scope) error {
			<-ctx.Done()
			cancel(errOne)
			return context.Cause(ctx) // the scope's own timeout
		})
		assert.False(t, caught)
		assert.ErrorIs(t, err, errOne)
		assert.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestScopeKeepsErrorsJoinedToItsCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.FailAfter(t.Context(), time.Second, func(ctx context.Context, s *structured.Scope) error {
			<-ctx.Done()
			return errors.Join(ctx.Err(), errOne)
		})
		assert.Equal(t, errOne, err)
	})
}

func TestTimeoutOfAScopeAroundAGroupIsTheScopes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := structured.FailAfter(t.Context(), time.Second, func(ctx context.Context, _ *structured.Scope) error {
			return structured.Run(ctx, func(ctx context.Context, g *structured.Group) error {
				g.Go("a", untilDone)
				g.Go("b", func(ctx context.Context) error {
					<-ctx.Done()
					return context.Cause(ctx)
				})
				return nil
			})
		})
		_, ok := err.(*structured.TimeoutError)
		assert.True(t, ok, "%v", err)
	})
}

func TestTimeoutInAGroupIsAnErrorOfItsTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
			g.Go("slow", func(ctx context.Context) error { return structured.FailAfter(ctx, time.Second, untilScopeDone) })
			g.Go("late", func(ctx context.Context) error {
				<-ctx.Done()
				return structured.Shield(ctx, time.Second, untilScopeDone) // its own timeout
			})
			return nil
		})
		assert.EqualError(t, err, "slow: scope deadline exceeded\nlate: scope deadline exceeded")
	})
}

func TestScopeCanceledFromAnotherTaskEndsAlone(t *testing.T) {
	err := inGroup(t, func(ctx context.Context, g *structured.Group) error {
		g.Go("sibling", func(ctx context.Context) error {
			caught, err := structured.MoveOnAt(ctx, time.Time{}, func(ctx context.Context, s *structured.Scope) error {
				g.Go("canceler", func(ctx context.Context) error {
					s.Cancel(errOne)
					return ctx.Err() // is outside of the scope
				})
				return untilDone(ctx)
			})
			assert.True(t, caught)
			assert.NoError(t, ctx.Err())
			return err
		})
		return nil
	})
	require.NoError(t, err)
}

func TestScopeWorksAfterACanceledGroupInTheSameTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, inGroup(t, func(ctx context.Context, g *structured.Group) error {
			g.Cancel(nil)
			return untilDone(ctx)
		}))
		start := time.Now()
		assert.ErrorIs(t, structured.FailAfter(t.Context(), time.Second, untilScopeDone), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestOuterCancelIsNoTimeoutOfTheScopesInside(t *testing.T) {
	var inner *structured.Scope
	caught, err := structured.MoveOnAfter(t.Context(), time.Hour, func(ctx context.Context, outer *structured.Scope) error {
		err := structured.FailAfter(ctx, time.Minute, func(ctx context.Context, s *structured.Scope) error {
			inner = s
			outer.Cancel(errOne)
			return untilDone(ctx)
		})
		assert.ErrorIs(t, err, errOne)
		assert.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
		return err
	})
	require.NoError(t, err)
	assert.True(t, caught)
	assert.False(t, inner.CancelCalled())
	assert.False(t, inner.Caught())
}

func TestScopeCatchesACancellationHoweverOftenItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caught, err := structured.MoveOnAfter(t.Context(), time.Second, func(ctx context.Context, _ *structured.Scope) error {
			<-ctx.Done()
			return errors.Join(ctx.Err(), errors.Join(context.Cause(ctx), fmt.Errorf("reading: %w", ctx.Err())))
		})
		assert.NoError(t, err)
		assert.True(t, caught)
	})
}

func TestStandardTimeoutInsideIsKeptIfItWasTheEarlier(t *testing.T) {
	for _, tt := range []struct {
		name         string
		before, want time.Duration
	}{
		{"scope was the later one", time.Hour, 5 * time.Second},
		{"scope was the earlier one", time.Second, time.Minute}, // as SetDeadline says
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, _ = structured.MoveOnAfter(t.Context(), tt.before, func(ctx context.Context, s *structured.Scope) error {
					ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
					defer cancel()
					s.SetDeadline(start.Add(time.Minute))
					return untilDone(ctx)
				})
				assert.Equal(t, tt.want, time.Since(start))
			})
		})
	}
}

func TestScopeInsideKeepsItsDeadlineWhenTheOuterIsMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := structured.FailAfter(t.Context(), time.Second, func(ctx context.Context, outer *structured.Scope) error {
			return structured.FailAfter(ctx, 5*time.Second, func(ctx context.Context, _ *structured.Scope) error {
				outer.SetDeadline(start.Add(time.Minute))
				return untilDone(ctx)
			})
		})
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestCancelFromInsideAShieldIsFeltAfterIt(t *testing.T) {
	caught, err := structured.MoveOnAfter(t.Context(), time.Hour, func(ctx context.Context, outer *structured.Scope) error {
		require.NoError(t, structured.Shield(ctx, time.Minute, func(shielded context.Context, _ *structured.Scope) error {
			outer.Cancel(errOne)
			return shielded.Err()
		}))
		var e structured.Event
		for range 2 {
			assert.ErrorIs(t, e.Wait(ctx), errOne)
		}
		return ctx.Err()
	})
	require.NoError(t, err)
	assert.True(t, caught)
}

func TestShieldDelaysTheCancellationToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, 7), time.Second)
		defer cancel()
		err := structured.Shield(ctx, time.Minute, func(shielded context.Context, s *structured.Scope) error {
			<-time.After(2 * time.Second)
			assert.Error(t, ctx.Err())
			assert.NoError(t, shielded.Err())
			assert.Equal(t, 7, shielded.Value(key{}))
			deadline, _ := shielded.Deadline()
			assert.Equal(t, 58*time.Second, time.Until(deadline)) // not that of outside
			return nil
		})
		require.NoError(t, err)
		var e structured.Event
		for range 2 { // every wait fails, not only the first
			assert.ErrorIs(t, e.Wait(ctx), context.DeadlineExceeded)
		}
	})
}

func TestShieldHasACancellationOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, structured.Shield(ctx, time.Second, untilScopeDone), context.DeadlineExceeded)
		assert.NoError(t, structured.Shield(ctx, time.Second, func(ctx context.Context, s *structured.Scope) error {
			s.Cancel(nil)
			return untilDone(ctx)
		}))
		// A shield in a shield, and out again: what is pending is delivered.
		err := structured.FailAfter(ctx, time.Hour, func(ctx context.Context, _ *structured.Scope) error {
			_ = structured.Shield(ctx, time.Second, func(ctx context.Context, _ *structured.Scope) error {
				assert.NoError(t, ctx.Err())
				return structured.Shield(ctx, time.Second, func(ctx context.Context, _ *structured.Scope) error { return ctx.Err() })
			})
			return untilDone(ctx)
		})
		assert.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestScopeLeavesNoTimerAndNoLiveContextBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept context.Context
		var scope *structured.Scope
		require.NoError(t, structured.FailAfter(t.Context(), time.Hour, func(ctx context.Context, s *structured.Scope) error {
			kept, scope = ctx, s
			return nil
		}))
		assert.Error(t, kept.Err())
		scope.SetDeadline(time.Now())
		scope.Cancel(errOne)
		assert.False(t, scope.CancelCalled())
		assert.Equal(t, context.Canceled, context.Cause(kept))
	})
}

func TestBadScopesPanic(t *testing.T) {
	requirePanic(t, "FailAt: nil function", func() { _ = structured.FailAfter(t.Context(), 1, nil) })
	requirePanic(t, "MoveOnAt: nil function", func() { _, _ = structured.MoveOnAfter(t.Context(), 1, nil) })
	requirePanic(t, "nil ctx", func() { _, _ = structured.MoveOnAfter(noContext, 1, untilScopeDone) })
	requirePanic(t, "Shield: nil ctx", func() { _ = structured.Shield(noContext, 1, untilScopeDone) })
}
