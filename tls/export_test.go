package tls

// Cut passes pieces through the framing and returns the lengths of the
// records in them, complete ones only, and how far into the next they reach.
func Cut(pieces [][]byte) (records []int, passed int) {
	var f framing
	for _, piece := range pieces {
		for len(piece) > 0 {
			before := f.count
			n := f.advance(piece)
			piece = piece[n:]
			if f.count > before {
				records = append(records, f.size)
			}
		}
	}
	return records, f.passed
}
