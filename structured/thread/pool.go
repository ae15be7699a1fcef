package thread

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/strata-go/strata/structured"
)

// PoolConfig says how a [Pool] keeps its threads. A nil PoolConfig and the zero
// one mean all defaults. NewPool copies it.
type PoolConfig struct {
	// Limiter bounds how many calls run at the same time, and so how many
	// threads the pool has. Nil means Default.
	Limiter *structured.CapacityLimiter

	// MaxIdle is how many threads without work are kept. Zero means 8,
	// negative none.
	MaxIdle int

	// IdleTime is how long a thread without work is kept. Zero means 10 s,
	// negative until Close.
	IdleTime time.Duration
}

// A Pool runs functions on operating system threads that run nothing else
// meanwhile, and keeps threads that are done for those that come next: for
// libraries that keep state in the thread, and for calls that change the
// thread itself. Any goroutine may use it. [Locked] runs a function in it.
//
// A function that ends by runtime.Goexit takes its thread with it, so that
// nobody inherits what it did to the thread for good; for Locked that is an
// error.
type Pool struct {
	limiter  *structured.CapacityLimiter
	maxIdle  int
	idleTime time.Duration

	mu      sync.Mutex
	idle    []*worker // the one used last is the last
	threads int
	closed  bool
	workers sync.WaitGroup
}

// PoolStatistics is a snapshot of a [Pool].
type PoolStatistics struct {
	Threads int
	Idle    int // those without work
}

// ErrClosed is the error of a call on a closed [Pool].
var ErrClosed = errors.New("thread: pool closed")

// NewPool returns a pool without threads; they come with the calls. cfg may
// be nil.
func NewPool(cfg *PoolConfig) *Pool {
	var c PoolConfig
	if cfg != nil {
		c = *cfg
	}
	p := &Pool{limiter: c.Limiter, maxIdle: max(c.MaxIdle, 0), idleTime: c.IdleTime}
	if c.Limiter == nil {
		p.limiter = defaultLimiter
	}
	if c.MaxIdle == 0 {
		p.maxIdle = 8
	}
	if c.IdleTime == 0 {
		p.idleTime = 10 * time.Second
	}
	return p
}

// Close ends the threads without work at once and the others with the
// functions that they run, for which it waits. It may be called again. No
// function may close the pool that runs it.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.idle {
		close(w.jobs)
	}
	p.idle = nil
	p.mu.Unlock()
	p.workers.Wait()
	return nil
}

// Statistics returns a snapshot.
func (p *Pool) Statistics() PoolStatistics {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStatistics{Threads: p.threads, Idle: len(p.idle)}
}

// give hands job to the thread that was used last, whose caches are warm, or
// to a new one.
func (p *Pool) give(j job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		w.jobs <- j
		return nil
	}
	w := &worker{p: p, jobs: make(chan job, 1)}
	w.jobs <- j
	p.threads++
	p.workers.Add(1)
	go w.run() // ends when it is idle for long, with the pool, or by Goexit
	return nil
}

// Locked is [Run] on a thread of p. After p's Close the error is
// [ErrClosed]. A panic in f ends the program.
func Locked[T any](ctx context.Context, p *Pool, f func(ctx context.Context) (T, error)) (T, error) {
	if p == nil {
		panic("thread: Locked: nil pool")
	}
	orDefault("Locked", ctx, p.limiter, f == nil)
	var zero T
	if err := p.limiter.Acquire(ctx); err != nil {
		return zero, err
	}
	defer p.limiter.Release()
	o := outcome[T]{err: errGoexit}
	j := job{run: func() { o.value, o.err = f(ctx) }, ended: make(chan struct{})}
	if err := p.give(j); err != nil {
		return zero, err
	}
	<-j.ended
	return o.value, o.err
}

// A worker is a goroutine locked to its thread. It is idle or gone only by
// decision under the pool's lock, so no job is given to one that ends.
type worker struct {
	p    *Pool
	jobs chan job // has room for one job; closed by Close when idle
}

type job struct {
	run   func()
	ended chan struct{} // closed once the worker can take another
}

func (w *worker) run() {
	// Never unlocked: a thread whose goroutine ends while locked ends too,
	// and what was done to it with it.
	runtime.LockOSThread()
	j, ok := <-w.jobs
	defer func() {
		crashOnPanic(recover())
		w.end(j)
	}()
	for ok {
		j.run()
		rests := w.rest()
		close(j.ended)
		j.ended = nil
		if !rests {
			return
		}
		j, ok = w.await()
	}
}

// rest makes the worker idle, if the pool has a use for it.
func (w *worker) rest() bool {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.maxIdle {
		return false
	}
	p.idle = append(p.idle, w)
	return true
}

// await waits for a job until the idle time is over.
func (w *worker) await() (job, bool) {
	if w.p.idleTime < 0 {
		j, ok := <-w.jobs
		return j, ok
	}
	timer := time.NewTimer(w.p.idleTime)
	defer timer.Stop()
	select {
	case j, ok := <-w.jobs:
		return j, ok
	case <-timer.C:
	}
	if w.leave() {
		return job{}, false
	}
	j, ok := <-w.jobs // was given, or closed, meanwhile
	return j, ok
}

// leave takes the worker out of the idle ones, unless somebody already has.
func (w *worker) leave() bool {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, w)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

// end takes the worker off the pool. With j it comes from runtime.Goexit.
func (w *worker) end(j job) {
	w.p.mu.Lock()
	w.p.threads--
	w.p.mu.Unlock()
	if j.ended != nil {
		close(j.ended)
	}
	w.p.workers.Done()
}
