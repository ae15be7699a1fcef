package structured

import "errors"

// ErrBusy reports that somebody else is doing what only one caller may do at
// a time: a second Receive on a stream, a second Accept, a [Guard] entered
// twice. The first caller is unharmed, and the second may try again once the
// first is done.
var ErrBusy = errors.New("resource busy: another call is in progress")
