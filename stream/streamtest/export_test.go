package streamtest

// TakeCensus counts goroutines and descriptors, and returns what compares
// them with those of later.
func TakeCensus() (settle func() error) { return takeCensus().settle }
