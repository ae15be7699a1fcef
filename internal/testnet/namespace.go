package testnet

import (
	"errors"
	"os"
)

// ErrUnavailable is the error of machines on which there are no namespaces for
// tests.
var ErrUnavailable = errors.New("no network namespaces for tests on this machine")

// insideEnv tells a program that it is in namespaces of its own.
const insideEnv = "STRATA_TESTNET"

// Inside reports whether this program was started by [Run].
func Inside() bool { return os.Getenv(insideEnv) != "" }
