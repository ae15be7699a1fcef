package testnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrUnavailable is the error of machines on which there are no namespaces for
// tests.
var ErrUnavailable = errors.New("no network namespaces for tests on this machine")

// insideEnv tells a program that it is in namespaces of its own.
const insideEnv = "STRATA_TESTNET"

// Inside reports whether this program was started by [Run].
func Inside() bool { return os.Getenv(insideEnv) != "" }

// RunTest runs one test of this program as [Run] does, and returns what it
// printed. The error is ErrUnavailable also if it skipped itself there, and not
// nil if it did not run at all.
func RunTest(ctx context.Context, name string) (output string, err error) {
	var out bytes.Buffer
	err = Run(ctx, []string{"-test.run=^" + name + "$", "-test.v", "-test.timeout=50s", "-test.parallel=64"}, &out, &out)
	output = out.String()
	switch {
	case err != nil:
	case strings.Contains(output, "--- SKIP: "+name):
		err = fmt.Errorf("%w, where %s skipped itself", ErrUnavailable, name)
	case !strings.Contains(output, "--- PASS: "+name):
		err = errors.New("no test of that name")
	}
	return output, err
}
