// Command bench compares this module with what one would use instead: both
// sides run interleaved in one process, in many short rounds, and what counts
// is the median of the ratios within the rounds.
//
//	go -C bench run .                 # every case
//	go -C bench run . -run 'tls/'     # some
//	go -C bench run . -quick          # every case within five minutes
//	go -C bench run . -json           # one object a line
//
// Each line shows ours and theirs in ns per operation, the ratio with its
// quartiles, the noise floor (the quartiles of theirs against theirs in the
// same rounds), allocations per operation, and the ratio to stay under where
// one is set. On a shared machine the times mean little and the ratio much.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	pattern := flags.String("run", "", "run the cases whose name matches `regexp`")
	quick := flags.Bool("quick", false, "fewer and shorter rounds: every case within five minutes in all")
	asJSON := flags.Bool("json", false, "print one JSON object a line")
	list := flags.Bool("list", false, "print the names of the cases and exit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	match, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	effort := effort{rounds: 101, round: 10 * time.Millisecond}
	if *quick {
		effort.rounds, effort.round = 31, 5*time.Millisecond
	}
	show := printText
	if *asJSON {
		show = printJSON
	} else if !*list {
		printHeader(out)
	}
	for _, c := range cases {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !match.MatchString(c.Name):
			continue
		case *list:
			fmt.Fprintln(out, c.Name)
			continue
		}
		r, err := c.measure(effort)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := show(out, r); err != nil {
			return err
		}
	}
	return nil
}

func printHeader(w io.Writer) {
	fmt.Fprintf(w, "%-36s %10s %10s  %-24s %-13s %-13s %s\n",
		"case", "ours ns", "theirs ns", "ratio [quartiles]", "noise", "allocs", "target")
}

func printText(w io.Writer, r result) error {
	target := "-"
	if r.Target > 0 {
		target = fmt.Sprintf("%.2f", r.Target)
		if r.Ratio > r.Target {
			target += " OVER"
		}
	}
	if r.AllocFree && r.OursAllocs > r.TheirsAllocs+allocTolerance {
		target += " ALLOCATES"
	}
	_, err := fmt.Fprintf(w, "%-36s %10.1f %10.1f  %5.3f [%5.3f .. %5.3f]   %-13s %5.2f / %5.2f %s\n",
		r.Name, r.OursNS, r.TheirsNS, r.Ratio, r.RatioQ1, r.RatioQ3,
		fmt.Sprintf("+-%.3f", r.Noise), r.OursAllocs, r.TheirsAllocs, target)
	return err
}

func printJSON(w io.Writer, r result) error { return json.NewEncoder(w).Encode(r) }
