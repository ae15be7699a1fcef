//go:build !linux

package sockopt

import (
	"errors"
	"fmt"
)

func unsupported(what string) error { return fmt.Errorf("%s: %w", what, errors.ErrUnsupported) }
