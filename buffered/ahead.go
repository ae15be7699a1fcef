package buffered

// ahead is how many bytes to ask the wrapped stream for at a time. It doubles
// while the stream fills whatever room it is given, since then there is more,
// and each call to the stream costs far more than a byte; and it is halved
// when the stream fills less than a quarter.
type ahead struct{ now, least, most int }

func (a *ahead) learn(received, room int) {
	switch {
	case received == room && room >= a.now/2:
		a.now = min(2*a.now, a.most)
	case received < a.now/4:
		a.now = max(a.now/2, a.least)
	}
}
