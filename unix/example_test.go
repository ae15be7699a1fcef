package unix_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/strata-go/strata/unix"
)

func Example() {
	if err := passFile(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// motd: welcome
	// the same user: true
}

// passFile sends an open file to a server that could not open it itself.
func passFile(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "socket")
	ln, err := unix.Listen(ctx, name, &unix.ListenConfig{ReplaceStale: true})
	if err != nil {
		return err
	}
	defer ln.Close()
	client, err := unix.Dial(ctx, name, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	server, err := ln.Accept(ctx)
	if err != nil {
		return err
	}
	defer server.Close()

	path := filepath.Join(dir, "motd")
	if err := os.WriteFile(path, []byte("welcome"), 0o600); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := client.SendFiles(ctx, []byte("motd"), f); err != nil {
		return err
	}

	buf := make([]byte, 64)
	n, files, err := server.ReceiveFiles(ctx, buf, 1)
	if err != nil {
		return err
	}
	defer files[0].Close()
	content := make([]byte, 7)
	if _, err := files[0].ReadAt(content, 0); err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", buf[:n], content)

	cred, _ := unix.PeerCred.Lookup(server)
	fmt.Println("the same user:", cred.UID == os.Getuid())
	return nil
}

func ExampleListenPacket() {
	if err := exchangePackets(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: ping
}

func exchangePackets(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := unix.ListenPacket(ctx, filepath.Join(dir, "socket"), nil)
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := unix.DialPacket(ctx, filepath.Join(dir, "socket"), nil)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Send(ctx, unix.Packet{Data: []byte("ping")}); err != nil {
		return err
	}
	p, err := server.Receive(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", p.Data)
	return nil
}
