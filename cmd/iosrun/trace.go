package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/names/shelf"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/trace/steps"
)

func newTrace() *cobra.Command {
	c := &cobra.Command{
		Use:   "trace [SCENARIO]",
		Short: "Show the steps of one I/O",
		Long: `trace plays a scenario, by name or from a file, and prints the steps of one of its I/Os:
virtual time, the component, the step of the method and what happens. Without a
scenario it plays a workload up to the I/O that --io names. --list lists the project's
scenarios. Events of a mirror that belong to no I/O, such as a synchronisation, are
printed with an I/O while that is under way. With --states it also shows each
change of state: of the request, of the host's account of it on each leg (0 is the
primary, the others are the mirrors), of mirror I/Os, labels, copies and risks.

The exit code is 1 when a check of the run, or an expectation of the scenario, does not hold.`,
		Example: `  iosrun trace write
  iosrun trace standing-chain --io 2 --svg joined.svg
  iosrun trace ./mine.yaml --all --json
  iosrun trace mirror-gone --states
  iosrun trace --policy constant-copy --io 100`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE:              runTrace,
	}
	addExperimentFlags(c.Flags())
	c.Flags().Int("io", 1, "which I/O, from 1 in the order in which the application asks for them")
	c.Flags().Bool("all", false, "every I/O of the scenario")
	c.Flags().Bool("states", false, "show changes of state, too")
	c.Flags().Bool("list", false, "list the project's scenarios")
	c.Flags().String("policy", "sync", "policy that the workload is played against, where the experiment lists none")
	c.Flags().Bool("json", false, "print JSON")
	c.Flags().String("svg", "", "file to draw the way to, as a sequence diagram with a lane a component (- is standard output; the table then goes to standard error)")
	_ = c.RegisterFlagCompletionFunc("policy", completePolicies)
	return c
}

func completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, n := range scenario.Names() {
		if s, err := scenario.Load(n); err == nil {
			names = append(names, n+"\t"+s.Summary)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// traced is the JSON of the steps of an I/O.
type traced struct {
	Title  string        `json:"title"`
	IO     int           `json:"io,omitempty"` // 0: all
	Events []steps.Event `json:"events"`
}

func runTrace(c *cobra.Command, args []string) error {
	if list, _ := c.Flags().GetBool("list"); list {
		return listScenarios(c)
	}
	log, err := logger(c)
	if err != nil {
		return err
	}
	k, _ := c.Flags().GetInt("io")
	all, _ := c.Flags().GetBool("all")
	if len(args) != 0 {
		if err := noExperiment(c, "policy"); err != nil {
			return err
		}
	}
	if k < 1 {
		return usage(fmt.Errorf("trace: I/O %d: want 1 or more", k))
	}
	drawing, err := output(c, "svg")
	if err != nil {
		return err
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON && drawing == "-" {
		return usage(errors.New("--json and --svg - both go to standard output: want a file for --svg"))
	}
	states, _ := c.Flags().GetBool("states")
	way := &steps.Way{All: all, States: states}
	var title string
	var failed error
	switch {
	case len(args) != 0:
		title, failed, err = traceScenario(c, log, args[0], k, way)
	case all:
		return usage(fmt.Errorf("trace: --all is for scenarios: want --io for a workload"))
	default:
		title, failed, err = traceWorkload(c, log, k, way)
	}
	if err != nil {
		return err
	}
	if all {
		k = 0
	}
	return errors.Join(printWay(c, title, k, drawing, way), failed)
}

func traceScenario(c *cobra.Command, log hclog.Logger, name string, k int, way *steps.Way) (title string, failed, err error) {
	s, err := scenario.Load(name)
	if err != nil {
		return "", nil, usage(err)
	}
	if s.Source != shelf.BuiltIn {
		if err := reads(c, "the scenario", s.Source); err != nil {
			return "", nil, err
		}
	}
	if n := s.IOs(); k > n {
		return "", nil, usage(fmt.Errorf("scenario %s: I/O %d: it asks for %d", s.Name, k, n))
	}
	l, end, err := openLoader(c, log)
	if err != nil {
		return "", nil, err
	}
	defer end()
	failed, err = followScenario(c.Context(), s, l, log, k, way)
	return s.Name + ": " + s.Summary, failed, err
}

// followScenario plays a scenario and follows the I/O number k. failed is what did
// not come as the scenario expects.
func followScenario(ctx context.Context, s *scenario.Scenario, l *catalog.Loader, log hclog.Logger, k int, way *steps.Way) (failed, err error) {
	r, err := s.Run(ctx, l, scenario.Options{Log: log, Steps: way, Identified: func(number int, io uint64) {
		if number == k {
			way.Follow(io)
		}
	}})
	if err == nil && len(r.Wrong) != 0 {
		failed = fmt.Errorf("scenario %s: %s", s.Name, strings.Join(r.Wrong, "; "))
	}
	return failed, err
}

func traceWorkload(c *cobra.Command, log hclog.Logger, k int, way *steps.Way) (title string, failed, err error) {
	var named []string
	if name, _ := c.Flags().GetString("policy"); c.Flags().Changed("policy") {
		named = append(named, name)
	}
	x, err := workloadOf(c, named)
	if err != nil {
		return "", nil, err
	}
	if n := x.Traffic.Limit; n != 0 && n < int64(k) {
		return "", nil, usage(fmt.Errorf("trace: I/O %d: the workload is limited to %d", k, n))
	}
	x.Traffic.Limit = int64(k)
	_, failed, err = playOne(c, log, x, experiment.Options{Log: log, Steps: way, Identified: func(number int64, io uint64) {
		if number == int64(k-1) {
			way.Follow(io)
		}
	}})
	return fmt.Sprintf("I/O %d against %s", k, x.Policies[0]), failed, err
}

func printWay(c *cobra.Command, title string, k int, drawing string, way *steps.Way) error {
	events, err := way.Events()
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("trace: the workload ends before I/O %d", k)
	}
	if drawing != "" {
		if err := writeOutput(c, drawing, func(w io.Writer) error { return steps.WriteSVG(w, title, events) }); err != nil {
			return err
		}
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return writeJSON(c, traced{title, k, events})
	}
	fmt.Fprintln(c.OutOrStdout(), title)
	t := newListing(c, "VIRTUAL TIME", "WHO", "STEP", "WHAT HAPPENS")
	if k == 0 { // several I/Os
		t = newListing(c, "VIRTUAL TIME", "I/O", "WHO", "STEP", "WHAT HAPPENS")
	}
	for _, e := range events {
		if k == 0 {
			t.add(steps.Microseconds(e.At), e.IO, e.Who, e.Step, e.What)
		} else {
			t.add(steps.Microseconds(e.At), e.Who, e.Step, e.What)
		}
	}
	if err := t.render(); err != nil {
		return err
	}
	if way.Missed {
		fmt.Fprintf(c.OutOrStdout(), "only the first %d events are shown\n", steps.MaxEvents)
	}
	return nil
}

func listScenarios(c *cobra.Command) error {
	type entry struct {
		Name    string `json:"name"`
		Summary string `json:"summary"`
		IOs     int    `json:"ios"`
	}
	var all []entry
	for _, n := range scenario.Names() {
		s, err := scenario.Load(n)
		if err != nil {
			return err
		}
		all = append(all, entry{s.Name, s.Summary, s.IOs()})
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return writeJSON(c, all)
	}
	t := newListing(c, "SCENARIO", "I/OS", "WHAT IT SHOWS")
	for _, e := range all {
		t.add(e.Name, e.IOs, e.Summary)
	}
	return t.render()
}
