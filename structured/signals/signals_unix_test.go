//go:build unix

package signals_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/structured/signals"
)

// childVar names, in the environment of a child, what it has to do instead of
// running tests.
const childVar = "STRATA_SIGNALS_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childVar); role != "" {
		children[role]()
		return
	}
	goleak.VerifyTestMain(m)
}

// send sends a signal to this process.
func send(sig syscall.Signal) {
	if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
		panic(err)
	}
}

func open(t *testing.T, kinds ...os.Signal) *signals.Receiver {
	t.Helper()
	r := signals.Open(kinds...)
	t.Cleanup(func() { r.Close() })
	return r
}

func TestSignalsAreReceivedOneAfterTheOther(t *testing.T) {
	r := open(t, syscall.SIGUSR1, syscall.SIGUSR2)
	for _, want := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGUSR1} {
		send(want)
		got, err := r.Receive(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestSignalSentBeforeReceiveIsNotLost(t *testing.T) {
	r := open(t, syscall.SIGUSR1)
	send(syscall.SIGUSR1)
	send(syscall.SIGUSR1)
	_, err := r.Receive(t.Context())
	require.NoError(t, err)
}

func TestNoKindIsLostInAStormOfAnother(t *testing.T) {
	r := open(t, syscall.SIGUSR1, syscall.SIGHUP)
	ctx, stop := context.WithCancel(t.Context())
	stormed := make(chan struct{})
	go func() {
		defer close(stormed)
		for range 100_000 {
			send(syscall.SIGUSR1)
		}
	}()
	got := make(map[os.Signal]int)
	received := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		for sig, err := range stream.Items(ctx, r) {
			if err != nil {
				done <- err
				return
			}
			if got[sig]++; sig == syscall.SIGHUP {
				received <- struct{}{}
			}
		}
	}()
	const hangups = 100
	for range hangups {
		send(syscall.SIGHUP)
		<-received
	}
	<-stormed
	stop()
	assert.ErrorIs(t, <-done, context.Canceled)
	assert.Equal(t, hangups, got[syscall.SIGHUP])
	assert.Positive(t, got[syscall.SIGUSR1])
}

func TestEveryReceiverGetsTheSignal(t *testing.T) {
	a, b := open(t, syscall.SIGUSR1), open(t, syscall.SIGUSR1, syscall.SIGUSR1)
	send(syscall.SIGUSR1)
	for _, r := range []*signals.Receiver{a, b} {
		_, err := r.Receive(t.Context())
		require.NoError(t, err)
	}
}

func TestCanceledReceiveTakesNoSignal(t *testing.T) {
	r := open(t, syscall.SIGUSR1)
	send(syscall.SIGUSR1)
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	_, err := r.Receive(ctx)
	assert.ErrorIs(t, err, reason)
	_, err = r.Receive(t.Context())
	assert.NoError(t, err)
}

func TestCloseWakesReceiveAndStays(t *testing.T) {
	r := signals.Open(syscall.SIGUSR1)
	done := make(chan error, 1)
	go func() {
		_, err := r.Receive(context.Background())
		done <- err
	}()
	require.NoError(t, r.Close())
	assert.ErrorIs(t, <-done, net.ErrClosed)
	require.NoError(t, r.Close(), "again")
	_, err := r.Receive(t.Context())
	assert.ErrorIs(t, err, net.ErrClosed)
	assert.Nil(t, r.Attributes())
}

func TestPendingSignalIsNotRaisedAgainWhileAnotherReceiverHasIt(t *testing.T) {
	a, b := signals.Open(syscall.SIGUSR1), open(t, syscall.SIGUSR1)
	send(syscall.SIGUSR1)
	_, err := b.Receive(t.Context())
	require.NoError(t, err)
	require.NoError(t, a.Close())
	send(syscall.SIGUSR1) // the next one that b gets is this, and the last
	_, err = b.Receive(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = b.Receive(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestOpenRefusesWhatCannotBeReceived(t *testing.T) {
	assert.PanicsWithValue(t, "signals: Open: no signals: name those to receive", func() { signals.Open() })
	assert.PanicsWithValue(t, "signals: Open: killed: nobody can receive this signal", func() {
		signals.Open(syscall.SIGTERM, syscall.SIGKILL)
	})
}

func TestScopeIsCanceledByTheSignalAndTellsWhich(t *testing.T) {
	var cause error
	err := signals.Scope(t.Context(), func(ctx context.Context) error {
		send(syscall.SIGTERM)
		<-ctx.Done()
		cause = context.Cause(ctx)
		return stream.ContextError(ctx)
	}, nil)
	for _, err := range []error{err, cause} {
		sig, ok := errors.AsType[*signals.Error](err)
		require.True(t, ok)
		assert.Equal(t, syscall.SIGTERM, sig.Signal)
	}
	assert.ErrorIs(t, err, context.Canceled)
	assert.EqualError(t, cause, "received signal: terminated")
}

func TestScopeWithoutASignalReturnsWhatItsFunctionReturns(t *testing.T) {
	want := errors.New("own")
	assert.Same(t, want, signals.Scope(t.Context(), func(context.Context) error { return want }, nil))
	assert.NoError(t, signals.Scope(t.Context(), func(context.Context) error { return nil }, nil))
}

func TestScopeHandsItsOwnCancellationOn(t *testing.T) {
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := signals.Scope(ctx, func(ctx context.Context) error {
		cancel(reason)
		<-ctx.Done()
		return context.Cause(ctx)
	}, nil)
	assert.ErrorIs(t, err, reason)
}

func TestFurtherSignalsGoToAgain(t *testing.T) {
	var again atomic.Int32
	heard := make(chan struct{})
	err := signals.Scope(t.Context(), func(ctx context.Context) error {
		send(syscall.SIGUSR1)
		<-ctx.Done()
		for range 3 {
			send(syscall.SIGUSR1)
			<-heard
		}
		return nil
	}, &signals.Config{
		Signals: []os.Signal{syscall.SIGUSR1},
		Again:   func(os.Signal) { again.Add(1); heard <- struct{}{} },
	})
	require.NoError(t, err)
	assert.EqualValues(t, 3, again.Load())
}

func TestScopeRefusesNil(t *testing.T) {
	assert.PanicsWithValue(t, "signals: Scope: nil f", func() { _ = signals.Scope(t.Context(), nil, nil) })
	var none context.Context
	assert.PanicsWithValue(t, "signals: Scope: nil ctx", func() {
		_ = signals.Scope(none, func(context.Context) error { return nil }, nil)
	})
}

// children are programs of their own, since what they test may end them.
var children = map[string]func(){
	"restored": func() {
		signals.Open(syscall.SIGTERM).Close()
		send(syscall.SIGTERM)
		select {}
	},
	"pending": func() {
		// The runtime hands signals out one after the other, each to all who
		// want it: when the second has come, r has the first.
		r := signals.Open(syscall.SIGTERM)
		later := make(chan os.Signal, 1)
		signal.Notify(later, syscall.SIGTERM, syscall.SIGUSR1)
		send(syscall.SIGTERM)
		<-later
		send(syscall.SIGUSR1)
		<-later
		signal.Stop(later)
		r.Close()
		select {}
	},
	"second": func() {
		_ = signals.Scope(context.Background(), func(ctx context.Context) error {
			send(syscall.SIGINT)
			<-ctx.Done()
			fmt.Println("shutting down")
			send(syscall.SIGINT)
			select {}
		}, nil)
	},
	"panic": func() {
		func() {
			defer func() { fmt.Println(recover()) }()
			_ = signals.Scope(context.Background(), func(context.Context) error { panic("boom") }, nil)
		}()
		send(syscall.SIGTERM)
		select {}
	},
	"control": func() { // of these tests: a signal that a receiver holds kills nobody
		r := signals.Open(syscall.SIGTERM)
		send(syscall.SIGTERM)
		_, _ = r.Receive(context.Background())
		fmt.Println("alive")
	},
}

func runChild(t *testing.T, role string) (out string, status syscall.WaitStatus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+role)
	printed, _ := cmd.Output()
	return strings.TrimSpace(string(printed)), cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestSignalsHaveTheirUsualEffectAgainAfterClose(t *testing.T) {
	_, status := runChild(t, "restored")
	assert.Equal(t, syscall.SIGTERM, status.Signal())
}

func TestSignalThatNobodyReceivedIsNotSwallowedByClose(t *testing.T) {
	_, status := runChild(t, "pending")
	assert.Equal(t, syscall.SIGTERM, status.Signal())
}

func TestSecondSignalEndsAProgramThatShutsDown(t *testing.T) {
	out, status := runChild(t, "second")
	assert.Equal(t, "shutting down", out)
	assert.Equal(t, syscall.SIGINT, status.Signal())
}

func TestPanicPassesThroughAScopeThatLetsGoOfItsSignals(t *testing.T) {
	out, status := runChild(t, "panic")
	assert.Equal(t, "boom", out)
	assert.Equal(t, syscall.SIGTERM, status.Signal())
}

func TestReceivedSignalEndsNobody(t *testing.T) {
	out, status := runChild(t, "control")
	assert.Equal(t, "alive", out)
	assert.Zero(t, status.ExitStatus())
}
