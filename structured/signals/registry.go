package signals

import (
	"os"
	"sync"
)

// open counts the receivers of each kind of signal.
var open = registry{count: make(map[os.Signal]int)}

type registry struct {
	mu    sync.Mutex
	count map[os.Signal]int
}

func (r *registry) enter(kind os.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count[kind]++
}

func (r *registry) leave(kind os.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count[kind]--; r.count[kind] == 0 {
		delete(r.count, kind)
	}
}

// received reports whether some receiver has signals of this kind.
func (r *registry) received(kind os.Signal) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[kind] > 0
}
