//go:build unix

package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/structured/process"
)

// three writes its input to its output, and a complaint to the other one.
const three = "cat; echo complaint >&2"

func TestFilesForAllThree(t *testing.T) {
	census(t)
	name := func(of string) string { return filepath.Join(t.TempDir(), of) }
	in, out, errs := name("in"), name("out"), name("errs")
	require.NoError(t, os.WriteFile(in, []byte("from a file\n"), 0o600))
	cmd := sh(three)
	for _, s := range []struct {
		stdio *process.Stdio
		path  string
		flag  int
	}{{&cmd.Stdin, in, os.O_RDONLY}, {&cmd.Stdout, out, os.O_WRONLY | os.O_CREATE}, {&cmd.Stderr, errs, os.O_WRONLY | os.O_CREATE}} {
		f, err := os.OpenFile(s.path, s.flag, 0o600)
		require.NoError(t, err)
		defer f.Close()
		*s.stdio = process.File(f)
	}
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Nil(t, result.Stdout)
	assert.Nil(t, result.Stderr)
	assert.Equal(t, "from a file\n", contents(t, out))
	assert.Equal(t, "complaint\n", contents(t, errs))

	p := open(t, cmd)
	assert.Nil(t, p.Stdin())
	assert.Nil(t, p.Stdout())
	assert.Nil(t, p.Stderr())
	wait(t, p)
}

func TestInheritForAllThree(t *testing.T) {
	dir := t.TempDir()
	own := []**os.File{&os.Stdin, &os.Stdout, &os.Stderr}
	for i, f := range own {
		before := *f
		defer func() { *f = before }()
		path := filepath.Join(dir, string(rune('0'+i)))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		file, err := os.OpenFile(path, os.O_RDWR, 0o600)
		require.NoError(t, err)
		defer file.Close()
		*f = file
	}
	_, err := os.Stdin.WriteAt([]byte("inherited\n"), 0)
	require.NoError(t, err)

	cmd := sh(three)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = process.Inherit, process.Inherit, process.Inherit
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Nil(t, result.Stdout)
	assert.Equal(t, "inherited\n", contents(t, filepath.Join(dir, "1")))
	assert.Equal(t, "complaint\n", contents(t, filepath.Join(dir, "2")))
}

func TestDiscardForAllThree(t *testing.T) {
	cmd := sh(three)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = process.Discard, process.Discard, process.Discard
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Nil(t, result.Stdout)
	assert.Nil(t, result.Stderr)
}

func TestStderrToStdoutKeepsTheOrder(t *testing.T) {
	cmd := sh("echo 1; echo 2 >&2; echo 3; echo 4 >&2")
	cmd.Stderr = process.ToStdout
	result, err := process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Equal(t, "1\n2\n3\n4\n", string(result.Stdout))
	assert.Nil(t, result.Stderr)

	p := open(t, cmd)
	assert.Nil(t, p.Stderr())
	assert.Equal(t, "1\n2\n3\n4\n", rest(t, p.Stdout()))

	cmd.Stdout = process.Discard
	result, err = process.Run(t.Context(), cmd)
	require.NoError(t, err)
	assert.Nil(t, result.Stdout)
}

func TestFileOfNilPanics(t *testing.T) {
	assert.PanicsWithValue(t, "process: File: nil f: use Discard for none", func() { process.File(nil) })
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}
