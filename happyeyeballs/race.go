package happyeyeballs

import (
	"context"
	"io"
	"time"
)

// A race is a call of Dial. Everything happens in its loop: the goroutines for
// lookups and attempts only hand it functions to call.
type race[S io.Closer] struct {
	cfg      Config
	schedule *schedule
	attempt  func(context.Context, Candidate, func()) (S, error)
	report   *Report

	ctx     context.Context // of all that the race starts
	cancel  context.CancelFunc
	events  chan func()
	done    chan struct{} // closed when the loop has ended, for who comes late
	pending int           // goroutines whose last event is still to come
	over    bool          // won or canceled: nothing new starts

	lastResort  time.Duration // when to look for a NAT64
	triedResort bool
	won         bool
	winner      S
}

func newRace[S io.Closer](host string, cfg Config, s *schedule, attempt func(context.Context, Candidate, func()) (S, error)) *race[S] {
	return &race[S]{
		cfg: cfg, schedule: s, attempt: attempt,
		report:     &Report{Host: host, Start: time.Now()},
		events:     make(chan func()),
		done:       make(chan struct{}),
		lastResort: lastResortDelay,
	}
}

// run runs the race to its end. The loop goes on while anything is under way,
// also after a win, to close what connects late.
func (r *race[S]) run(ctx context.Context) {
	r.ctx, r.cancel = context.WithCancel(ctx)
	defer r.cancel()
	defer close(r.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	r.resolve()
	canceled := ctx.Done()
	for {
		wake, waiting := r.proceed()
		if r.pending == 0 && !waiting {
			return
		}
		if waiting {
			timer.Reset(wake - r.now())
		} else {
			timer.Stop()
		}
		var event func()
		select {
		case <-canceled:
			canceled = nil // or the loop would spin until all have ended
		case event = <-r.events:
		case <-timer.C:
		}
		r.over = r.over || ctx.Err() != nil // before what came of that is taken for a result
		if event != nil {
			event()
		}
	}
}

// proceed starts what is due, and tells when to look again, if that is a
// matter of time.
func (r *race[S]) proceed() (wake time.Duration, waiting bool) {
	for !r.over {
		r.ask()
		due, ok := r.schedule.due()
		resort, possible := r.resortDue()
		switch {
		case ok && due <= r.now():
			r.start()
		case possible && resort <= r.now():
			r.synthesize()
		case ok && possible:
			return min(due, resort), true
		case possible:
			return resort, true
		default:
			return due, ok
		}
	}
	return 0, false
}

func (r *race[S]) now() time.Duration { return time.Since(r.report.Start) }

// post has the loop call f, unless that has ended.
func (r *race[S]) post(f func()) {
	select {
	case r.events <- f:
	case <-r.done:
	}
}

// spawn runs f in a goroutine and then has the loop call the function that
// finish is, also if f ended the goroutine. The loop does not end before.
func (r *race[S]) spawn(f, finish func()) {
	r.pending++
	go func() { // ends with f, for which the loop waits
		defer r.post(func() {
			r.pending--
			finish()
		})
		f()
	}()
}

func (r *race[S]) start() {
	i, start := len(r.report.Attempts), r.now()
	c := r.schedule.start(start)
	r.report.Attempts = append(r.report.Attempts, Attempt{Candidate: c, Start: start, Outcome: Running})
	r.trace(Event{Kind: Started, Attempt: r.report.Attempts[i]})

	var s S
	err := errExited
	ctx, cancel := r.attemptContext()
	r.spawn(func() {
		s, err = r.attempt(ctx, c, func() { r.post(func() { r.progressed(i) }) })
	}, func() {
		cancel()
		r.ended(i, s, err)
	})
}

// attemptContext returns the context of an attempt: that of the race, which
// ends soon enough, unless there is a timeout.
func (r *race[S]) attemptContext() (context.Context, context.CancelFunc) {
	if r.cfg.AttemptTimeout > 0 {
		return context.WithTimeoutCause(r.ctx, r.cfg.AttemptTimeout, errAttemptTimeout)
	}
	return r.ctx, func() {}
}

func (r *race[S]) progressed(i int) {
	a := r.report.Attempts[i]
	if !r.over && a.Outcome == Running && r.schedule.progressed(r.now(), a.Candidate) {
		r.trace(Event{Kind: Progressed, Attempt: a})
	}
}

func (r *race[S]) ended(i int, s S, err error) {
	a := &r.report.Attempts[i]
	a.End, a.Err = r.now(), err
	r.schedule.ended(a.Candidate)
	switch {
	case err == nil && r.over:
		a.Outcome = Late
		_ = s.Close() // nobody is left to care
	case err == nil:
		a.Outcome = Won
		r.won, r.winner, r.over = true, s, true
		r.cancel()
	case r.over:
		a.Outcome = Canceled
	default:
		a.Outcome = Failed
	}
	r.trace(Event{Kind: Ended, Attempt: *a})
}

func (r *race[S]) trace(e Event) {
	if r.cfg.Trace == nil {
		return
	}
	e.At = r.now()
	r.cfg.Trace(e)
}
