package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/internal/testpki"
	"github.com/strata-go/strata/memory"
	"github.com/strata-go/strata/structured"
	"github.com/strata-go/strata/text"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDemoIsAnsweredAndToldOfTheEnd(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Equal(t, "HELLO\ngoing down\n", out.String())
}

func TestServesWithTheCertificateInTheFilesUntilItIsStopped(t *testing.T) {
	ca, err := testpki.New(time.Now())
	require.NoError(t, err)
	pair, err := ca.Issue(testpki.Server)
	require.NoError(t, err)
	cert, key, err := testpki.WritePEM(t.TempDir(), "server", pair)
	require.NoError(t, err)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	logged, log := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- run(ctx, []string{"-addr", "127.0.0.1:0", "-cert", cert, "-key", key}, log)
		log.Close()
	}()
	lines := bufio.NewReader(logged)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	_, addr, found := strings.Cut(strings.TrimSpace(first), "addr=")
	require.True(t, found, first)

	rest := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(lines)
		rest <- string(all)
	}()
	var out bytes.Buffer
	require.NoError(t, ask(t.Context(), &out, addr, ca.Pool(), stop))
	assert.Equal(t, "HELLO\ngoing down\n", out.String())
	require.NoError(t, <-served)
	assert.Contains(t, <-rest, `msg=connected peer=127.0.0.1:`)
}

func TestAClientThatSaysNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memory.Pipe(nil)
		left := make(chan error, 1)
		go func() { left <- answer(t.Context(), b) }()
		start := time.Now()

		<-time.After(patience - time.Second)
		s := text.New(a, nil)
		require.NoError(t, s.Send(t.Context(), "hello\n"))
		got, err := s.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "HELLO\n", got)

		_, timedOut := (<-left).(*structured.TimeoutError)
		assert.True(t, timedOut)
		assert.Equal(t, 2*patience-time.Second, time.Since(start))
		require.NoError(t, s.Close())
		require.NoError(t, b.Close())
	})
}
