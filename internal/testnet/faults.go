package testnet

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Faults are what happens to packets on their way. The zero Faults pass on
// every packet at once and in order.
//
// The fate of a packet depends on nothing but the seed, the direction in which
// it goes and how many went there before it. So it is the same in every run,
// and a share of loss meets the same packets whatever the other faults are.
type Faults struct {
	Loss      float64       // the share of packets that are lost; with 1 the peer has vanished
	Duplicate float64       // the share of the others that arrive twice
	Delay     time.Duration // how long a packet takes
	Jitter    time.Duration // up to so much longer, so that packets overtake each other
	Seed      uint64        // another seed meets other packets
}

// arrivals returns how long it takes each copy of packet n of a direction to
// arrive: none, one or two of them.
func (f *Faults) arrivals(direction, n uint64) []time.Duration {
	dice := rand.New(rand.NewPCG(f.Seed<<32^direction, n))
	lost, twice := dice.Float64() < f.Loss, dice.Float64() < f.Duplicate
	late := func() time.Duration { return f.Delay + time.Duration(dice.Float64()*float64(f.Jitter)) }
	switch {
	case lost:
		return nil
	case twice:
		return []time.Duration{late(), late()}
	}
	return []time.Duration{late()}
}

// Counts are numbers of packets.
type Counts struct {
	Sent       int
	Lost       int
	Duplicated int
	Reordered  int // copies that overtook others
}

// A network is what a Switch and a Relay have in common.
type network struct {
	mu     sync.Mutex
	faults Faults
	counts Counts
}

// SetFaults says what happens to packets that are sent from now on.
func (n *network) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f
}

// Counts tells what has become of the packets so far.
func (n *network) Counts() Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts
}

// A path is one direction between two sockets.
type path struct {
	direction uint64 // differs between the paths of a network
	sent      uint64 // guarded by network.mu
}

// send puts p on its way to a queue. The caller has the lock.
func (n *network) send(along *path, p packet, to *queue) {
	arrivals := n.faults.arrivals(along.direction, along.sent)
	along.sent++
	n.counts.Sent++
	switch len(arrivals) {
	case 0:
		n.counts.Lost++
	case 2:
		n.counts.Duplicated++
	}
	now := time.Now()
	for _, late := range arrivals {
		p.due = now.Add(late)
		if !to.push(p) {
			n.counts.Reordered++
		}
	}
}
