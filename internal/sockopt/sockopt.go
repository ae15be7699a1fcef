// Package sockopt sets those options of sockets for which package net has no
// method, or which it sets too late. What a system lacks is
// errors.ErrUnsupported, by name.
package sockopt

import (
	"errors"
	"syscall"
)

// Control calls f with the descriptor of raw and returns the error of either.
func Control(raw syscall.RawConn, f func(fd uintptr) error) error {
	var err error
	return errors.Join(raw.Control(func(fd uintptr) { err = f(fd) }), err)
}
