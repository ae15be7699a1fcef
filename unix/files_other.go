//go:build !unix

package unix

import (
	"context"
	"errors"
	"os"
)

func (c *Conn) sendFiles(context.Context, []byte, []*os.File) (int, error) {
	return 0, errors.ErrUnsupported
}

func (c *Conn) receiveFiles(context.Context, []byte, int) (int, []*os.File, error) {
	return 0, nil, errors.ErrUnsupported
}
