//go:build unix && !linux

package adopt

import (
	"errors"

	sysunix "golang.org/x/sys/unix"
)

// familyOf goes by the address, of which there is one in every state.
func familyOf(fd int) (int, error) {
	addr, err := sysunix.Getsockname(fd)
	if errors.Is(err, sysunix.EAFNOSUPPORT) {
		return sysunix.AF_UNSPEC, nil // nothing that x/sys knows
	}
	if err != nil {
		return 0, err
	}
	switch addr.(type) {
	case *sysunix.SockaddrInet4:
		return sysunix.AF_INET, nil
	case *sysunix.SockaddrInet6:
		return sysunix.AF_INET6, nil
	case *sysunix.SockaddrUnix:
		return sysunix.AF_UNIX, nil
	}
	return sysunix.AF_UNSPEC, nil
}

// foreignProtocol finds none: not all of these systems tell.
func foreignProtocol(int) string { return "" }

func familyName(int) string { return "foreign" }
