//go:build unix

package activation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/strata-go/strata/attr"
	"github.com/strata-go/strata/internal/adopt"
	"github.com/strata-go/strata/internal/sockattr"
	"github.com/strata-go/strata/stream"
	"github.com/strata-go/strata/unix"
)

// ready is what a process says to the notification socket, sd_notify(3).
const ready = "READY=1"

// Ready tells whoever started this process that it serves: systemd, for a
// unit of Type=notify, or [HandOver]. It is nil when nobody asked.
func Ready(ctx context.Context) error {
	name := os.Getenv(notifySocket)
	if name == "" {
		return nil
	}
	c, err := unix.DialPacket(ctx, name, nil)
	if err != nil {
		return fmt.Errorf("activation: %w", err)
	}
	if err := c.Send(ctx, unix.Packet{Data: []byte(ready)}); err != nil {
		return errors.Join(fmt.Errorf("activation: %w", err), c.Close())
	}
	return c.Close()
}

// A Handed is a listener to hand over.
type Handed struct {
	// Name is what the successor knows it by, without control characters and
	// colons.
	Name string

	// Listener is any layer over listening sockets, or a socket itself: one
	// whose attributes have tcp.RawConn. Each of several, as tcp.Listen opens
	// for the addresses of a name, is handed over under the Name, in order.
	Listener attr.Provider
}

// A Successor is a process that has taken over.
type Successor struct {
	ended chan struct{}
	err   error // once ended
}

// Wait waits until the process has ended and returns what exec.Cmd.Wait did.
// Nobody has to wait.
func (s *Successor) Wait(ctx context.Context) error {
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return stream.ContextError(ctx)
	}
}

// HandOver starts cmd, which must not have been started, with listeners, and
// waits until it calls [Ready] or says the same in its own way. Stop accepting
// then, for example by the end of listener.Serve's context. A successor that
// ends before, or is not ready when ctx is done, is killed and waited for, and
// that is the error: this process then goes on as if nothing had been.
//
// The listeners stay this process's too. Connections that the kernel has made
// and nobody accepted belong to both, so none is lost when the context of
// listener.Serve ends. What is in preparation then, such as a TLS handshake, has
// a second left. To let it take as long as it may at other times, close the
// socket's own listener instead: Serve goes on with what that had accepted, and
// returns net.ErrClosed.
//
// The file of a Unix socket stays from then on, whoever closes the socket. One
// that the last successor left is for unix.ListenConfig.ReplaceStale.
//
// The process is started by way of /bin/sh, since systemd's protocol wants
// its number in its environment. ExtraFiles of cmd must be empty.
func HandOver(ctx context.Context, cmd *exec.Cmd, listeners ...Handed) (*Successor, error) {
	if cmd == nil {
		return nil, errors.New("activation: HandOver: nil cmd")
	}
	if err := errors.Join(stream.ContextError(ctx), cmd.Err); err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	if len(cmd.ExtraFiles) > 0 {
		return nil, errors.New("activation: HandOver: cmd has ExtraFiles")
	}
	dir, err := os.MkdirTemp("", "activation") // which no other user may enter
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	defer os.RemoveAll(dir)
	notify, err := unix.ListenPacket(ctx, filepath.Join(dir, "notify"), nil)
	if err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	defer notify.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := start(cmd, filepath.Join(dir, "notify"), listeners, cancel)
	if err != nil {
		return nil, err
	}
	if err := waitReady(ctx, notify); err != nil {
		_ = cmd.Process.Kill() // it may have ended
		<-s.ended
		return nil, fmt.Errorf("activation: successor not ready: %w", err)
	}
	keepFiles(listeners)
	return s, nil
}

// keepFiles has the files of Unix sockets stay when this process closes them.
func keepFiles(listeners []Handed) {
	for _, l := range listeners {
		for keep, err := range sockattr.KeepFile.All(l.Listener) {
			if err == nil {
				keep()
			}
		}
	}
}

// start calls ended with why the process ended, should it.
func start(cmd *exec.Cmd, notify string, listeners []Handed, ended context.CancelCauseFunc) (*Successor, error) {
	files, names, err := duplicates(listeners)
	defer func() {
		for _, f := range files {
			_ = f.Close() // the process has its own
		}
	}()
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Environ(), notifySocket+"="+notify,
		fmt.Sprintf("%s=%d", listenFDs, len(files)), listenFDNames+"="+strings.Join(names, ":"))
	cmd.ExtraFiles = files
	const script = listenPID + `=$$; export ` + listenPID + `; exec "$0" "$@"`
	cmd.Args = append([]string{"sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("activation: %w", err)
	}
	s := &Successor{ended: make(chan struct{})}
	go func() { // ends with the process
		s.err = cmd.Wait()
		if s.err != nil {
			ended(fmt.Errorf("process ended: %w", s.err))
		} else {
			ended(errors.New("process ended"))
		}
		close(s.ended)
	}()
	return s, nil
}

// duplicates returns descriptors of its own for all of listeners, also those
// that it has with an error.
func duplicates(listeners []Handed) ([]*os.File, []string, error) {
	var (
		files []*os.File
		names []string
	)
	for _, l := range listeners {
		if strings.ContainsFunc(l.Name, func(r rune) bool { return r < ' ' || r == ':' || r == 0x7f }) {
			return files, nil, fmt.Errorf("activation: name %q", l.Name)
		}
		fs, err := duplicatesOf(l.Listener)
		files, names = append(files, fs...), append(names, slices.Repeat([]string{l.Name}, len(fs))...)
		if err != nil {
			return files, nil, fmt.Errorf("activation: listener %s: %w", l.Name, err)
		}
	}
	return files, names, nil
}

// duplicatesOf returns a descriptor for each socket of a listener.
func duplicatesOf(ln attr.Provider) (files []*os.File, err error) {
	for raw, err := range sockattr.RawConn.All(ln) {
		var f *os.File
		if err == nil {
			f, err = adopt.Duplicate(raw)
		}
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		_, err = sockattr.RawConn.Get(ln) // which says that there is none
	}
	return files, err
}

func waitReady(ctx context.Context, notify *unix.PacketConn) error {
	for {
		p, err := notify.Receive(ctx)
		if err != nil {
			return err
		}
		for line := range bytes.Lines(p.Data) {
			if string(bytes.TrimRight(line, "\n")) == ready {
				return nil
			}
		}
	}
}
