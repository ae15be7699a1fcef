// Command starttls is an SMTP server that offers STARTTLS and an
// opportunistic client for it, both in about the space that the protocol
// needs. Both print every attribute of the connection, layer by layer, before
// and after the upgrade.
//
// Without arguments it makes a certificate authority in memory and runs both
// ends over loopback:
//
//	go run ./examples/starttls
//
// The ends also run alone, against software of others:
//
//	go run ./examples/starttls serve -addr 127.0.0.1:2525 -cert server.pem -key server.key
//	go run ./examples/starttls connect -addr 127.0.0.1:2525 -ca ca.pem -name localhost
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/strata-go/strata/structured/signals"
)

func main() {
	err := signals.Scope(context.Background(), func(ctx context.Context) error {
		return run(ctx, os.Args[1:], os.Stdout)
	}, nil)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "starttls:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	command := "demo"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "demo":
		return demo(ctx, out)
	case "serve":
		return serveCommand(ctx, args, out)
	case "connect":
		return connectCommand(ctx, args, out)
	}
	return fmt.Errorf("unknown command %q: want serve, connect or nothing, and -h after either for its flags", command)
}

// parse parses flags that no other arguments follow.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(0))
	}
	return nil
}
