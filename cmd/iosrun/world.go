package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/iosrun/iosrun/lab/world"
	"github.com/iosrun/iosrun/policy/catalog"
)

// maxWorlds is the largest number of worlds of one command.
const maxWorlds = 1_000_000

func newWorld() *cobra.Command {
	c := &cobra.Command{
		Use:   "world",
		Short: "Make worlds from seeds and run every check on them",
		Long: `world makes a small machine and its I/O from a seed: pairs of
volumes over links of several kinds, a shipped policy, requests and channel programs of
every class that go to the same few tracks, faults, swaps and synchronisations. It plays
it with every end-of-run check and with the independent observer, and prints a
line for each seed with a failed check, with the command that replays it.
At the end it counts the parts of the worlds. Equal seeds make equal worlds.

--show prints a world as a scenario instead: "iosrun trace FILE" plays one, step by
step. --shrink prints each world that failed as the smallest scenario that still fails.

The exit code is 1 when a check failed in a world.`,
		Example: `  iosrun world --seed 7
  iosrun world --count 200
  iosrun world --seed 1000 --count 200 --json
  iosrun world --seed 7 --show > world.yaml && iosrun trace ./world.yaml --all
  iosrun world --seed 7 --shrink`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              runWorld,
	}
	f := c.Flags()
	f.Uint64("seed", 0, "seed of the first world")
	f.Int("count", 1, "number of worlds, made from this seed and the following ones")
	f.Bool("show", false, "print the worlds as scenarios, and play none")
	f.Bool("shrink", false, "print each world that fails as the smallest scenario that fails in the same way")
	f.Bool("unordered", false, "let channel programs that write overlap other writes under way, which no access method puts in order")
	f.Bool("json", false, "print JSON")
	addLoaderFlags(c)
	for _, name := range []string{"seed", "count"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return c
}

// worlds holds the options and the counts of the command.
type worlds struct {
	c         *cobra.Command
	loader    *catalog.Loader
	first     uint64
	count     int
	limits    world.Limits
	shrinks   bool
	asJSON    bool
	summary   world.Summary
	progress  io.Writer // nil for none
	displayed time.Time
}

func runWorld(c *cobra.Command, _ []string) error {
	w := &worlds{c: c, limits: world.DefaultLimits()}
	w.first, _ = c.Flags().GetUint64("seed")
	w.count, _ = c.Flags().GetInt("count")
	w.shrinks, _ = c.Flags().GetBool("shrink")
	w.asJSON, _ = c.Flags().GetBool("json")
	w.limits.Unordered, _ = c.Flags().GetBool("unordered")
	if w.count < 1 || w.count > maxWorlds {
		return usage(fmt.Errorf("--count %d: want 1 to %d worlds", w.count, maxWorlds))
	}
	if w.first > math.MaxUint64-uint64(w.count-1) {
		return usage(fmt.Errorf("--seed %d with --count %d: the last seed is above %d", w.first, w.count, uint64(math.MaxUint64)))
	}
	if w.shrinks && w.asJSON {
		return usage(fmt.Errorf("--shrink prints scenarios: want no --json beside it"))
	}
	if show, _ := c.Flags().GetBool("show"); show {
		return w.show()
	}
	log, err := logger(c)
	if err != nil {
		return err
	}
	l, end, err := openLoader(c, log)
	if err != nil {
		return err
	}
	defer end()
	w.loader = l
	if f, ok := c.ErrOrStderr().(*os.File); ok && w.count > 1 && term.IsTerminal(int(f.Fd())) {
		w.progress = f
	}
	if err := world.Each(c.Context(), l, w.first, w.count, runtime.NumCPU(), w.limits, w.played); err != nil {
		return err
	}
	return w.conclude()
}

// show prints the worlds as scenarios.
func (w *worlds) show() error {
	for i := range w.count {
		text, err := world.New(w.first+uint64(i), w.limits).Text()
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w.c.OutOrStdout(), "---")
		}
		if _, err := w.c.OutOrStdout().Write(text); err != nil {
			return err
		}
	}
	return nil
}

// progressInterval is the time between two updates of the progress.
const progressInterval = 200 * time.Millisecond

// played counts and prints the result of a world.
func (w *worlds) played(made *world.World, r *world.Result) error {
	w.summary.Add(r)
	if w.progress != nil && (time.Since(w.displayed) > progressInterval || w.summary.Worlds == w.count) {
		w.displayed = time.Now()
		fmt.Fprintf(w.progress, "\r%d of %d worlds, %d failed\x1b[K", w.summary.Worlds, w.count, len(w.summary.Failed))
		if w.summary.Worlds == w.count {
			fmt.Fprintln(w.progress)
		}
	}
	if len(r.Wrong) == 0 || w.asJSON {
		return nil
	}
	if w.progress != nil {
		fmt.Fprint(w.progress, "\r\x1b[K")
	}
	if _, err := fmt.Fprintf(w.c.OutOrStdout(), "seed %d FAILED: %s; %s\n", r.Seed, strings.Join(r.Wrong, "; "), w.again(r.Seed)); err != nil {
		return err
	}
	if w.shrinks {
		return w.shrink(made, r)
	}
	return nil
}

// again returns the command line that replays a seed.
func (w *worlds) again(seed uint64) string {
	text := fmt.Sprintf("iosrun world --seed %d", seed)
	if w.limits.Unordered {
		text += " --unordered"
	}
	return text
}

// shrink prints the smallest scenario that it finds with the first failure of the
// world.
func (w *worlds) shrink(made *world.World, r *world.Result) error {
	small, runs, err := world.Shrink(w.c.Context(), w.loader, made, r)
	if err != nil {
		return err
	}
	text, err := small.Text()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.c.OutOrStdout(), "# %d of %d actions, found in %d runs\n%s", len(small.Scenario.Play), len(made.Scenario.Play), runs, text)
	return err
}

// conclude prints the summary.
func (w *worlds) conclude() error {
	s := &w.summary
	if w.asJSON {
		if err := writeJSON(w.c, s); err != nil {
			return err
		}
	} else if err := w.list(); err != nil {
		return err
	}
	if n := len(s.Failed); n != 0 {
		return fmt.Errorf("%d of %d worlds failed, the first: %s", n, s.Worlds, w.again(s.Failed[0].Seed))
	}
	return nil
}

func (w *worlds) list() error {
	s := &w.summary
	l := newListing(w.c, "GROUP", "COUNT", "WHAT THE WORLDS HAD", "WHAT CAME OF IT")
	for _, r := range s.Rows() {
		l.add(r.Group, r.Count, r.Name, r.Outcome)
	}
	if err := l.render(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w.c.OutOrStdout(), "%d worlds, %d failed\n", s.Worlds, len(s.Failed))
	return err
}
