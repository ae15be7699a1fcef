// Package peers runs real servers for tests: foreign software that our side of a
// protocol has to get along with.
//
// A function for each server writes its configuration into a directory of its own,
// starts it in the foreground on a free port of 127.0.0.1, waits until the port
// answers and has the end of the test stop it:
//
//	addr := peers.Dovecot(t, files).IMAP
//
// Where the server is not installed, or may not be started, the test skips and
// names the Debian package; with STRATA_PEERS=required in the environment it fails
// instead. [Command] runs a foreign client. The package does not import testing.
//
// Its own tests have the transports and package tls talk to those that are at home
// in several protocols: socat, ncat, proxies and AnyIO.
package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A TB is the part of testing.TB that this package needs.
type TB interface {
	Helper()
	Cleanup(func())
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Failed() bool
}

// Files are the certificates that servers use, in PEM.
type Files struct {
	CA, Cert, Key string
}

// startTimeout bounds how long a server may take to answer, and stopTimeout how long
// it has after SIGTERM.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// A process is a program to start.
type process struct {
	dir   string // its working directory and the place of its output
	argv  []string
	env   []string
	stdin *os.File // nil means none
	addr  string   // answers when the server is ready; empty if it does not tell
	ports []string // others that it listens on then
	says  string   // what it also prints then, if it does
}

// A Running is a program that was started. The end of the test stops it, if it has
// not ended by itself.
type Running struct {
	process
	ended chan struct{}
	err   error // once ended is closed
}

// Wait waits until r has ended by itself, successfully, and returns what it printed.
func (r *Running) Wait(tb TB) string {
	tb.Helper()
	select {
	case <-r.ended:
	case <-time.After(startTimeout):
		tb.Fatalf("peers: %s does not end: %s", r.argv[0], r.output())
	}
	if r.err != nil {
		tb.Fatalf("peers: %s: %v: %s", r.argv[0], r.err, r.output())
	}
	return r.output()
}

// Said returns what r has printed so far.
func (r *Running) Said() string { return r.output() }

// WaitFor waits until r has printed something.
func (r *Running) WaitFor(tb TB, what string) {
	tb.Helper()
	process{dir: r.dir, argv: r.argv, says: what}.wait(tb, r.ended)
}

// start runs p, and returns once it is ready.
func (p process) start(tb TB) *Running {
	tb.Helper()
	out, err := os.Create(filepath.Join(p.dir, "out"))
	if err != nil {
		tb.Fatalf("peers: %v", err)
	}
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, out
	if p.stdin != nil {
		cmd.Stdin = p.stdin // a nil *os.File would not be a nil Reader
	}
	cmd.Env = append(os.Environ(), p.env...)
	if err := cmd.Start(); err != nil {
		tb.Fatalf("peers: %v", err)
	}
	r := &Running{process: p, ended: make(chan struct{})}
	go func() { // ends with the program, which Cleanup sees to
		r.err = cmd.Wait()
		close(r.ended)
	}()
	tb.Cleanup(func() {
		p.stop(tb, cmd.Process, r.ended)
		_ = out.Close()
	})
	p.wait(tb, r.ended)
	return r
}

func (p process) stop(tb TB, process *os.Process, ended <-chan struct{}) {
	_ = process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		_ = process.Kill()
		<-ended
	}
	if tb.Failed() {
		tb.Logf("%s said:\n%s", p.argv[0], p.output())
	}
}

// wait returns once the server is ready.
func (p process) wait(tb TB, ended <-chan struct{}) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(startTimeout)
	for {
		if p.answers() && p.listens() && strings.Contains(p.output(), p.says) {
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			tb.Fatalf("peers: %s ended: %s", p.argv[0], p.output())
		case <-deadline:
			tb.Fatalf("peers: %s does not listen on %q and %q and say %q: %s", p.argv[0], p.addr, p.ports, p.says, p.output())
		}
	}
}

func (p process) answers() bool {
	if p.addr == "" {
		return true
	}
	conn, err := net.Dial("tcp", p.addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// listens asks the system for p.ports: a proxy that one connects to may go and
// connect further.
func (p process) listens() bool {
	sockets, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return true // not Linux: p.addr has to do
	}
	for _, port := range p.ports {
		n, _ := strconv.Atoi(port) // which ports made of a number
		const nobody, listening = "00000000:0000", "0A"
		if !strings.Contains(string(sockets), fmt.Sprintf(":%04X %s %s ", n, nobody, listening)) {
			return false
		}
	}
	return true
}

func (p process) output() string {
	var all strings.Builder
	for _, name := range []string{"out", "log"} {
		said, _ := os.ReadFile(filepath.Join(p.dir, name)) // not every server has a log
		all.Write(said)
	}
	return all.String()
}

// Program returns the path of a program, or skips the test.
func Program(tb TB, name, debianPackage string) string {
	tb.Helper()
	for _, place := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	missing(tb, name, debianPackage)
	return ""
}

// missing ends the test for lack of something that a Debian package has.
func missing(tb TB, what, debianPackage string) {
	tb.Helper()
	if os.Getenv("STRATA_PEERS") == "required" {
		tb.Fatalf("%s is not installed (Debian: %s)", what, debianPackage)
	}
	tb.Skipf("%s is not installed (Debian: %s)", what, debianPackage)
}

// Command runs a program with input, and returns all that it printed.
func Command(ctx context.Context, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// asRoot skips the test unless it runs as root, which servers want that change
// who they are.
func asRoot(tb TB, what string) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skipf("%s is started by root only", what)
	}
}

// directory makes one that other users may enter, with a path short enough for
// the sockets that servers make in it.
func directory(tb TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "peer")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		tb.Fatalf("peers: %v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// write writes a file of a configuration, in which %NAME% stands for values.
func write(tb TB, path, content string, values map[string]string) {
	tb.Helper()
	for name, value := range values {
		content = strings.ReplaceAll(content, "%"+name+"%", value)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatalf("peers: %v", err)
	}
}

// run runs a command that prepares a server.
func run(tb TB, name string, args ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if out, err := Command(ctx, "", name, args...); err != nil {
		tb.Fatalf("peers: %s: %v: %s", name, err, out)
	}
}

// ports returns n ports of 127.0.0.1 that were free a moment ago.
func ports(tb TB, n int) []string {
	tb.Helper()
	var free []string
	var all []net.Listener // closed at the end only, so that all of them differ
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatalf("peers: %v", err)
		}
		all = append(all, ln)
		free = append(free, fmt.Sprint(ln.Addr().(*net.TCPAddr).Port))
	}
	for _, ln := range all {
		_ = ln.Close()
	}
	return free
}

// FreePort returns a port of 127.0.0.1 that was free a moment ago, for servers that
// cannot choose one.
func FreePort(tb TB) string {
	tb.Helper()
	return ports(tb, 1)[0]
}

func local(port string) string { return net.JoinHostPort("127.0.0.1", port) }
