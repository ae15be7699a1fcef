//go:build !unix

package adopt

import (
	"errors"
	"fmt"
	"os"
)

func borrow[S any](uintptr, Want, func(*os.File) (S, error)) (none S, err error) {
	return none, fmt.Errorf("sockets from descriptors: %w", errors.ErrUnsupported)
}

func closeFD(uintptr) error { return errors.ErrUnsupported }
