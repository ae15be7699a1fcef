//go:build unix

package activation_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strata-go/strata/listener"
	"github.com/strata-go/strata/listener/activation"
	"github.com/strata-go/strata/stream"
)

// generation is the variable with the number of a server that serveGeneration
// makes.
const generation = "STRATA_ACTIVATION_GENERATION"

// serveGeneration serves what it was started with until it reads a byte, at
// which it hands everything over to the next generation, or the end. Input and
// output are those of all generations; the youngest reads.
func serveGeneration() error {
	number, err := strconv.Atoi(os.Getenv(generation))
	if err != nil {
		return err
	}
	handed, err := inherited()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, len(handed))
	for _, h := range handed {
		go func() { // ends with ctx; waited for below
			ln := h.Listener.(stream.Listener[stream.ByteStream])
			served <- listener.Serve(ctx, ln, greet[stream.ByteStream](strconv.Itoa(number)), nil)
		}()
	}
	err = activation.Ready(ctx)
	if _, end := io.ReadFull(os.Stdin, make([]byte, 1)); end == nil {
		next := nextGeneration(number + 1)
		next.Stdin, next.Stdout = os.Stdin, os.Stdout
		_, failed := activation.HandOver(ctx, next, handed...)
		err = errors.Join(err, failed)
	}
	stop()
	for range handed {
		err = errors.Join(err, <-served)
	}
	fmt.Printf("generation %d: %v\n", number, err)
	return err
}

// nextGeneration is this program as the server of that number.
func nextGeneration(number int) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=generation", generation+"="+strconv.Itoa(number))
	cmd.Stderr = os.Stderr
	return cmd
}

func TestGenerationsOfSuccessorsLoseNoConnection(t *testing.T) {
	const generations = 3
	ctx := soon(t)
	input, orders, err := os.Pipe()
	require.NoError(t, err)
	defer orders.Close()
	ends, output, err := os.Pipe()
	require.NoError(t, err)
	defer ends.Close()

	old := startOld(ctx, t)
	c := load(ctx, t, old)
	c.waitFor(t, "old", 20)
	first := nextGeneration(1)
	first.Stdin, first.Stdout = input, output
	_, err = activation.HandOver(ctx, first, old.handed...)
	require.NoError(t, errors.Join(err, input.Close(), output.Close()))
	old.end(t)
	c.waitFor(t, "1", 20)
	for number := 2; number <= generations; number++ {
		_, err := orders.Write([]byte{'n'})
		require.NoError(t, err)
		c.waitFor(t, strconv.Itoa(number), 20)
	}
	served := c.end()
	t.Log("served:", served)
	assert.Len(t, served, 1+generations)
	assert.FileExists(t, old.path, "which none of them removed")

	require.NoError(t, orders.Close())
	said, err := io.ReadAll(ends) // until the last has ended
	require.NoError(t, err)
	var want []string
	for number := 1; number <= generations; number++ {
		want = append(want, fmt.Sprintf("generation %d: <nil>", number))
	}
	assert.ElementsMatch(t, want, strings.Split(strings.TrimSpace(string(said)), "\n"))
}
