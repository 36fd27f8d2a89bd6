package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/report"
)

const traceHelp = `
Settings come from the defaults, then the experiment file (--experiment), then the
environment (IOSRUN_WORKLOAD_TRACE is workload.trace; "__" stands for "-"), then the flags.

At the end of every run it is checked that each I/O completed exactly once and did not
fail, that no completion came earlier than the policy's declared durability allows, that
primary and mirrors are equal except for marked tracks, that every read has returned the data of
the last acknowledged write (or of one under way), that no acknowledged write is lost,
that nothing is pending, that every fault and swap happened before the last request ended, that synchronisations ended well,
and that no detour was passed over. Failed requests are in no latency and no rate; with
--expect-failures they fail no check, nor do lost writes with --expect-lost. With --strict one does for each intent that the
host refused and each call of a detour that gave no answer. The exit code is 1 when a
check does not hold, 2 when what was asked for cannot be tried. A signal ends the run
with what there is, marked as interrupted and without checks: the exit code is 130.

With --observe an independent observer watches the media and the channel, not the
host's account: at each completion, whether the write is where the policy promises; when
nothing is under way, whether each track that differs is marked; all along, how many
writes and bytes a mirror lacks, and for how long. Each becomes a check, which fails when
the figures of the run say otherwise. It keeps about a kilobyte for each write that a
mirror lacks.`

func newRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run [POLICY]",
		Short: "Run one policy on a workload",
		Long:  "run plays a workload against one policy (sync, if none is named) and prints its costs.\n" + traceHelp,
		Example: `  iosrun run sync
  iosrun run ./mine.yaml --trace disk.vscsi.gz --speed 4
  iosrun run sync --generate --gen-rate 5000 --gen-reads 0.3 --km 100
  iosrun run sync --swap 30s=constant-copy --swap 60s=sync --json run.json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completePolicies,
		RunE: func(c *cobra.Command, args []string) error {
			return play(c, func(cfg *experiment.Config) error { return onePolicy(c, cfg, args...) })
		},
	}
	addRunFlags(c)
	return c
}

func newCompare() *cobra.Command {
	c := &cobra.Command{
		Use:   "compare [POLICY...]",
		Short: "Compare policies on the same workload",
		Long: `compare plays the same workload against each policy, each on a machine of its own,
and prints the costs of each. Differences are from the first policy, I/O by I/O.
Without arguments it is the demonstration: a recorded database workload, a 3390
volume, its mirror 50 km away, and the policies sync, constant-copy and read-select.
` + traceHelp,
		Example: `  iosrun compare
  iosrun compare none sync --km 200 --json result.json
  iosrun compare sync constant-copy --trace disk.csv.gz --skip-bad 10
  iosrun compare --experiment far.yaml`,
		ValidArgsFunction: completePolicies,
		RunE: func(c *cobra.Command, args []string) error {
			return play(c, func(cfg *experiment.Config) error {
				switch {
				case len(args) != 0:
					cfg.Policies = args
				case cfg.Policies == nil:
					cfg.Policies = experiment.Default().Policies
				}
				return nil
			})
		},
	}
	addRunFlags(c)
	return c
}

func addRunFlags(c *cobra.Command) {
	addExperimentFlags(c.Flags())
	c.Flags().String("json", "", "file to write the result to as JSON (- is standard output; the table then goes to standard error)")
	c.Flags().Bool("observe", false, "add an independent observer that watches the media and the channel, and compare its findings with the figures; takes two to four times as long")
	addLoaderFlags(c)
	c.Flags().BoolP("quiet", "q", false, "show no progress")
	_ = c.RegisterFlagCompletionFunc("link", cobra.FixedCompletions(dasd.LinkNames(), cobra.ShellCompDirectiveNoFileComp))
}

// play runs the policies that choose puts into the settings, and prints the report.
func play(c *cobra.Command, choose func(*experiment.Config) error) error {
	begun := time.Now()
	cfg, err := configOf(c)
	if err != nil {
		return err
	}
	if err := choose(cfg); err != nil {
		return err
	}
	x, err := cfg.Parse()
	if err != nil {
		return usage(err)
	}
	log, err := logger(c)
	if err != nil {
		return err
	}
	if err := usage(x.Uses(&filesOf(c).Uses)); err != nil {
		return err
	}
	if err := unopened(c, x.Changed()...); err != nil {
		return err
	}
	result, err := output(c, "json")
	if err != nil {
		return err
	}
	defer x.Close()
	if err := x.CheckWorkload(); err != nil {
		return usage(err)
	}
	if err := x.CheckImages(); err != nil {
		return usage(err)
	}
	ctx := c.Context()
	loader, end, err := openLoader(c, log)
	if err != nil {
		return err
	}
	defer end()
	plan, err := experiment.PrepareParsed(ctx, x, loader)
	if err != nil {
		return usage(err)
	}
	results, err := runAll(ctx, c, plan, log)
	interruptionOf(c).conclude()
	if err != nil {
		return played(err)
	}
	return errors.Join(conclude(c, cfg, results, result, time.Since(begun)), plan.Changed())
}

// played turns the error about a workload without a read or a write into a usage
// error; other errors of a run stay as they are.
func played(err error) error {
	if errors.Is(err, experiment.ErrNothingPlayed) {
		return usage(err)
	}
	return err
}

// runAll runs the plan's policies side by side. After a signal it returns the
// results so far, nil for a policy without one, and an error only when there is no
// result at all.
func runAll(ctx context.Context, c *cobra.Command, plan *experiment.Plan, log hclog.Logger) ([]*experiment.Result, error) {
	bar := newBar(c, len(plan.Policies))
	defer bar.finish()
	results := make([]*experiment.Result, len(plan.Policies))
	errs := make([]error, len(plan.Policies))
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	observe, _ := c.Flags().GetBool("observe")
	var wg sync.WaitGroup
	var running atomic.Int64
	running.Store(int64(len(plan.Policies)))
	slots := make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)) // see catchSignals
	for i := range plan.Policies {
		wg.Go(func() {
			heed := sync.OnceFunc(func() {
				if running.Add(-1) == 0 && outer.Err() != nil {
					interruptionOf(c).heed()
				}
			})
			defer heed()
			slots <- struct{}{}
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] != nil {
				return
			}
			o := experiment.Options{Observe: observe, Log: log.Named(plan.Policies[i].Policy.Name), Progress: bar.part(i), Stopped: heed}
			if results[i], errs[i] = plan.Run(ctx, i, o); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	if first == nil || outer.Err() == nil || !errors.Is(first, context.Canceled) {
		return results, first
	}
	if !slices.ContainsFunc(results, func(r *experiment.Result) bool { return r != nil }) {
		return nil, first
	}
	return results, nil
}

// conclude writes the result to the output file, prints it, and returns an error
// when a check did not hold, or was not made because the run was interrupted.
func conclude(c *cobra.Command, cfg *experiment.Config, results []*experiment.Result, output string, took time.Duration) error {
	var runs []report.Run
	var without []string
	interrupted := false
	for i, r := range results {
		if r == nil {
			without = append(without, cfg.Policies[i])
			continue
		}
		run := r.Report
		interrupted = interrupted || run.Interrupted
		if first := results[0]; i != 0 && first != nil && !first.Report.Interrupted && !run.Interrupted {
			v, err := experiment.Versus(first, r, cfg.Seed)
			if err != nil {
				return err
			}
			run.Versus = v
		}
		runs = append(runs, run)
	}
	if output != "" { // first, because printing may block when nobody reads it
		if err := writeOutput(c, output, func(w io.Writer) error { return report.WriteJSON(w, runs, without...) }); err != nil {
			return err
		}
	}
	w := c.OutOrStdout()
	fmt.Fprintln(w, cfg.Describe())
	if err := report.WriteTable(w, runs, report.TableOptions{Width: terminalWidth(w)}); err != nil {
		return err
	}
	if len(without) != 0 {
		fmt.Fprintf(w, "not begun: %s\n", strings.Join(without, ", "))
	}
	fmt.Fprintf(w, "took %.1f s\n", took.Seconds())
	var bad []string
	for i := range runs {
		for _, k := range runs[i].Checks {
			if k.Failed() {
				bad = append(bad, fmt.Sprintf("%s: %s: %s", runs[i].Policy, k.Name, k.Detail))
			}
		}
	}
	switch {
	case len(bad) != 0:
		return fmt.Errorf("checks that do not hold: %s", strings.Join(bad, "; "))
	case interrupted || len(without) != 0:
		return errPartial
	}
	return nil
}

// errPartial says that a signal ended a run before its end.
var errPartial = errors.New("the figures are of the part that was played, and no check was made")

// bar shows the progress of all runs together on a terminal.
type bar struct {
	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	parts []float64
}

// barUnits are the units of progress of one run.
const barUnits = 1000

func newBar(c *cobra.Command, runs int) *bar {
	b := &bar{parts: make([]float64, runs)}
	quiet, _ := c.Flags().GetBool("quiet")
	f, ok := c.ErrOrStderr().(*os.File)
	if quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return b
	}
	b.bar = progressbar.NewOptions(runs*barUnits, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("running"),
		progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(40))
	return b
}

func (b *bar) part(i int) func(float64, string) {
	if b.bar == nil {
		return nil
	}
	return func(share float64, copying string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.parts[i] = share
		sum := 0.0
		for _, p := range b.parts {
			sum += p
		}
		if copying == "" {
			copying = "running"
		}
		b.bar.Describe(copying)
		_ = b.bar.Set(int(sum * barUnits))
	}
}

func (b *bar) finish() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
