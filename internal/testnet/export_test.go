package testnet

import "time"

// Arrivals are the fates of the first n packets of a direction.
func (f Faults) Arrivals(direction uint64, n int) [][]time.Duration {
	var all [][]time.Duration
	for i := range n {
		all = append(all, f.arrivals(direction, uint64(i)))
	}
	return all
}
