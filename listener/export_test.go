package listener

// The errors of the system that tests make up.
var (
	Passing       = passing
	DiedInBacklog = diedInBacklog
)

// NameOf is how a DrainError names a stream.
var NameOf = nameOf
