package testnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	sysunix "golang.org/x/sys/unix"
)

// Run runs this program again with other arguments, in a network and with
// mounts of its own, and waits for it. Nothing outside changes. The error is
// ErrUnavailable if it could not be started like that, and an *exec.ExitError
// if it failed.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	// Root needs no user namespace, and may be forbidden one; others need it.
	flags := uintptr(sysunix.CLONE_NEWNET | sysunix.CLONE_NEWNS)
	err := start(ctx, flags, args, stdout, stderr)
	if _, ran := errors.AsType[*exec.ExitError](err); err == nil || ran {
		return err
	}
	err = start(ctx, flags|sysunix.CLONE_NEWUSER, args, stdout, stderr)
	if _, ran := errors.AsType[*exec.ExitError](err); err == nil || ran {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func start(ctx context.Context, flags uintptr, args []string, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if flags&sysunix.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd.Run()
}

// configure makes the network of the namespace, and puts files in the place of
// the system's, by their paths. A blackhole is an address, or an address and a protocol of
// which it drops everything.
func configure(addrs, routes, blackholes []string, files map[string]string) error {
	var rules strings.Builder
	rules.WriteString("table inet testnet {\nchain input {\ntype filter hook input priority 0;\n")
	commands := []string{"link set lo up"}
	for _, a := range addrs {
		commands = append(commands, "addr add "+a+" dev lo")
	}
	for _, r := range routes {
		commands = append(commands, "route add "+r)
	}
	for _, b := range blackholes {
		family := "ip"
		if strings.Contains(b, ":") {
			family = "ip6"
		}
		addr, protocol, one := strings.Cut(b, " ")
		if one {
			protocol = "meta l4proto " + protocol
		}
		fmt.Fprintf(&rules, "%s daddr %s %s drop\n", family, addr, protocol)
	}
	rules.WriteString("}\n}\n")
	if err := pipe(strings.Join(commands, "\n"), "ip", "-batch", "-"); err != nil {
		return err
	}
	if err := pipe(rules.String(), "nft", "-f", "-"); err != nil {
		return err
	}
	if err := sysunix.Mount("", "/", "", sysunix.MS_REC|sysunix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("%w: private mounts: %w", ErrUnavailable, err)
	}
	for path, text := range files {
		if err := mountOver(path, text); err != nil {
			return err
		}
	}
	return nil
}

// pipe runs a program. That the machine lacks or forbids it is
// ErrUnavailable; what else goes wrong is a mistake here.
func pipe(input, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	forbidden := bytes.Contains(out, []byte("not permitted")) || bytes.Contains(out, []byte("not supported"))
	if forbidden || errors.Is(err, exec.ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
}

// mountOver puts text in the place of a file, for this namespace.
func mountOver(path, text string) error {
	f, err := os.CreateTemp("", "testnet")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // the mount keeps it
	if _, err := f.WriteString(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if err := sysunix.Mount(f.Name(), path, "", sysunix.MS_BIND, ""); err != nil {
		return fmt.Errorf("%w: mount over %s: %w", ErrUnavailable, path, err)
	}
	return nil
}
