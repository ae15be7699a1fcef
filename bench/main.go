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
// quartiles, the noise floor (how far from 1 the quartiles of theirs against
// theirs are in the same rounds), allocations per operation on all goroutines,
// and the target where one is set: the ratio, or the time, to stay under. On a
// shared machine the times mean little and the ratio much. Cases of memory show
// bytes of heap, and how many more of them ours may hold.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
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
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	match, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	selected := slices.DeleteFunc(slices.Clone(cases), func(c benchCase) bool { return !match.MatchString(c.Name) })
	if len(selected) == 0 {
		return fmt.Errorf("no case matches %q", *pattern)
	}
	if *list {
		for _, c := range selected {
			fmt.Fprintln(out, c.Name)
		}
		return nil
	}
	much := fullEffort
	if *quick {
		much = quickEffort
	}
	show := printText
	if *asJSON {
		show = printJSON
	} else {
		printHeader(out)
	}
	return measureAll(ctx, selected, much, func(r result) error { return show(out, r) })
}

func measureAll(ctx context.Context, cases []benchCase, much effort, show func(result) error) error {
	for _, c := range cases {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r, err := c.measure(much)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := show(r); err != nil {
			return err
		}
	}
	return nil
}

// nameWidth is the room for names.
const nameWidth = 36

func printHeader(w io.Writer) {
	fmt.Fprintf(w, "%-*s %10s %10s  %-24s  %-8s %7s   %-7s %s\n",
		nameWidth, "case", "ours ns", "theirs ns", " ratio [quartiles]", "noise", "allocs", "theirs", "target")
}

func printText(w io.Writer, r result) error {
	if r.OursBytes > 0 {
		_, err := fmt.Fprintf(w, "%-*s %8.0f B %8.0f B  %6.3f  %s\n", nameWidth, r.Name, r.OursBytes, r.TheirsBytes, r.OursBytes/r.TheirsBytes, r.verdict())
		return err
	}
	_, err := fmt.Fprintf(w, "%-*s %10.1f %10.1f  %6.3f [%.3f .. %.3f]  %-8s %7.2f / %-7.2f %s\n",
		nameWidth, r.Name, r.OursNS, r.TheirsNS, r.Ratio, r.RatioQ1, r.RatioQ3,
		fmt.Sprintf("+-%.3f", r.Noise), r.OursAllocs, r.TheirsAllocs, r.verdict())
	return err
}

// verdict tells the target and whether it is met.
func (r result) verdict() string {
	target := "-"
	switch {
	case r.MaxExtra > 0:
		target = fmt.Sprintf("+%.0f B", r.MaxExtra)
	case r.Target > 0:
		target = fmt.Sprintf("%.2f", r.Target)
	case r.targetNS > 0:
		target = fmt.Sprintf("%.0f ns", r.targetNS)
	}
	if r.Target > 0 && r.Ratio > r.Target || r.targetNS > 0 && r.OursNS > r.targetNS {
		target += " OVER"
	}
	if r.MaxExtra > 0 && r.OursBytes > r.TheirsBytes+r.MaxExtra {
		target += " OVER"
	}
	if r.AllocFree && r.OursAllocs > r.TheirsAllocs+allocTolerance {
		target += " ALLOCATES"
	}
	return target
}

func printJSON(w io.Writer, r result) error { return json.NewEncoder(w).Encode(r) }
