package attr

import "errors"

// ErrNotFound is what a getter returns, unwrapped, to say "not me": the
// search goes on with the next layer. Callers of [Key.Get] test for it with
// errors.Is.
var ErrNotFound = errors.New("attribute not found")

// A NotFoundError reports that no layer has a value for a key. It is
// [ErrNotFound].
type NotFoundError struct {
	Name string // the key's name
}

func (e *NotFoundError) Error() string {
	if e.Name == "" {
		return "attr: no layer has the zero Key"
	}
	return "attr: no layer has " + e.Name
}

// Is reports whether target is [ErrNotFound].
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }
