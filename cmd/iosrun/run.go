package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/report"
)

const traceHelp = `
Settings come from the defaults, then the experiment file (--experiment), then the
environment (IOSRUN_WORKLOAD_TRACE is workload.trace; "__" stands for "-"), then the flags.

At the end of every run it is checked that each I/O completed exactly once and did not
fail, that no completion came earlier than the policy's declared durability allows, that
primary and mirrors are equal but for what is marked, that nothing is pending, that every
fault and swap happened before the last request ended, that synchronisations ended well,
and that no detour was passed over. Failed requests are in no latency and no rate; with
--expect-failures they fail no check. With --strict one does for each intent that the
host refused and each call of a detour that gave no answer. The exit code is 1 when a
check does not hold, 2 when what was asked for cannot be tried.`

func newRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run [POLICY]",
		Short: "Run one policy on a workload",
		Long:  "run plays a workload against one policy (sync, if none is named) and prints what it cost.\n" + traceHelp,
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
and prints what each costs. Differences are against the first policy, I/O by I/O.
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
	c.Flags().Bool("no-cache", false, "do not keep compiled modules on disk")
	c.Flags().BoolP("quiet", "q", false, "show no progress")
	_ = c.RegisterFlagCompletionFunc("link", cobra.FixedCompletions([]string{"escon", "ficon", "ficon-2", "ficon-4", "ficon-8", "ficon-16", "ficon-32"}, cobra.ShellCompDirectiveNoFileComp))
}

// play runs the policies that choose puts into the settings, and reports.
func play(c *cobra.Command, choose func(*experiment.Config) error) error {
	begun := time.Now()
	cfg, err := settings(c)
	if err != nil {
		return err
	}
	if err := choose(cfg); err != nil {
		return err
	}
	if err := cfg.Check(); err != nil {
		return usage(err)
	}
	log, err := logger(c)
	if err != nil {
		return err
	}
	if err := usage(cfg.Uses(&filesOf(c).Uses)); err != nil {
		return err
	}
	result, err := output(c, "json")
	if err != nil {
		return err
	}
	if err := cfg.CheckWorkload(); err != nil {
		return usage(err)
	}
	if err := cfg.CheckImages(); err != nil {
		return usage(err)
	}
	ctx := c.Context()
	loader, end, err := openLoader(c, log)
	if err != nil {
		return err
	}
	defer end()
	plan, err := experiment.Prepare(ctx, *cfg, loader)
	if err != nil {
		return usage(err)
	}
	results, err := runAll(ctx, c, plan, log)
	if err != nil {
		return played(err)
	}
	return errors.Join(conclude(c, cfg, results, result, time.Since(begun)), plan.Changed())
}

// played tells a workload without a read or a write, which could not be tried,
// from what went wrong in a run.
func played(err error) error {
	if errors.Is(err, experiment.ErrNothingPlayed) {
		return usage(err)
	}
	return err
}

// runAll runs the plan's policies side by side.
func runAll(ctx context.Context, c *cobra.Command, plan *experiment.Plan, log hclog.Logger) ([]*experiment.Result, error) {
	bar := newBar(c, len(plan.Policies))
	defer bar.finish()
	results := make([]*experiment.Result, len(plan.Policies))
	errs := make([]error, len(plan.Policies))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range plan.Policies {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			o := experiment.Options{Log: log.Named(plan.Policies[i].Policy.Name), Progress: bar.part(i)}
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
	return results, first
}

// conclude prints the result, writes it where it was asked for, and fails when a
// check did not hold.
func conclude(c *cobra.Command, cfg *experiment.Config, results []*experiment.Result, output string, took time.Duration) error {
	runs := make([]report.Run, len(results))
	for i, r := range results {
		runs[i] = r.Report
		if i == 0 {
			continue
		}
		v, err := experiment.Versus(results[0], r, cfg.Seed)
		if err != nil {
			return err
		}
		runs[i].Versus = v
	}
	w := c.OutOrStdout()
	fmt.Fprintln(w, cfg.Describe())
	if err := report.WriteTable(w, runs, report.TableOptions{Width: terminalWidth(w)}); err != nil {
		return err
	}
	if output != "" {
		if err := writeOutput(c, output, func(w io.Writer) error { return report.WriteJSON(w, runs) }); err != nil {
			return err
		}
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
	if len(bad) != 0 {
		return fmt.Errorf("checks that do not hold: %s", strings.Join(bad, "; "))
	}
	return nil
}

// bar shows how far all runs together are, on a terminal.
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
