//go:build !linux

package unix

import (
	"errors"
	"os"
)

func (c *Conn) peerPidfd() (*os.File, error) { return nil, errors.ErrUnsupported }
