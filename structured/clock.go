package structured

import "time"

// A clock tells a group's tasks when they were started. To read the real one
// for each would be a tenth of the price of a task; so in a crowd, tasks that
// start within a millisecond share a reading. The lock is the group's.
type clock struct {
	began time.Time
	now   time.Duration // the last reading
	fresh bool          // others may have it
	stale *time.Timer   // ends that
}

const (
	crowd     = 4 // tasks; those of smaller groups have readings of their own
	freshness = time.Millisecond
)

func (c *clock) start() { c.began = time.Now() }

// readClock reads the clock for the task that is being listed. It is called
// with g.mu held, if the last reading is not fresh.
func (g *Group) readClock() {
	c := &g.clock
	c.now = time.Since(c.began)
	if g.listed <= crowd {
		return
	}
	c.fresh = true
	if c.stale == nil {
		c.stale = time.AfterFunc(freshness, g.expireClock)
	} else {
		c.stale.Reset(freshness)
	}
}

func (g *Group) expireClock() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock.fresh = false
}

func (c *clock) stop() {
	if c.stale != nil {
		c.stale.Stop()
	}
}
