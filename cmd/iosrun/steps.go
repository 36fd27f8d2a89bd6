package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/trace/steps"
)

// stepsLimit is the number of requests of a workload that are played by default:
// enough for every step that a plain workload takes.
const stepsLimit = 2000

func newSteps() *cobra.Command {
	c := &cobra.Command{
		Use:   "steps [POLICY]",
		Short: "Count the steps of the method that a run takes",
		Long: fmt.Sprintf(`steps prints the table of the method's steps and the number of times that each was taken, by the
component that the table names, in a run of one policy (sync, if none is named) on a
workload: its first %d requests, unless --limit gives another number. With --scenarios
it plays the project's scenarios instead, which together take every step.

With --states it prints the tables of states instead: each possible change of state
of a request, of the host's account of it on each leg (the primary or a
mirror), of mirror I/Os, labels, copies and risks, with the number of times and the reason.

The exit code is 1 when a check of the run, or an expectation of a scenario, does not hold,
or when the scenarios together have not taken every step.`, stepsLimit),
		Example: `  iosrun steps
  iosrun steps --scenarios --missing
  iosrun steps read-select --limit 10000 --json
  iosrun steps --scenarios --states`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completePolicies,
		RunE:              runSteps,
	}
	addExperimentFlags(c.Flags())
	c.Flags().Bool("scenarios", false, "play the project's scenarios")
	c.Flags().Bool("states", false, "print the tables of states")
	c.Flags().Bool("missing", false, "list only the steps that were never taken, or the changes of state never made")
	c.Flags().Bool("json", false, "print JSON")
	return c
}

// stepCount is a row of the table of steps with the number of times that the step
// was taken.
type stepCount struct {
	steps.Row
	Taken uint64 `json:"taken"`
}

func runSteps(c *cobra.Command, args []string) error {
	log, err := logger(c)
	if err != nil {
		return err
	}
	suite, _ := c.Flags().GetBool("scenarios")
	if suite && len(args) != 0 {
		return usage(fmt.Errorf("steps: the scenarios name their policies: want no %q beside --scenarios", args[0]))
	}
	if suite {
		if err := noExperiment(c); err != nil {
			return err
		}
	}
	var all counted
	var failed error
	if suite {
		failed, err = playScenarios(c, log, &all)
	} else {
		failed, err = playCounted(c, log, args, &all)
	}
	if err != nil {
		return err
	}
	show := printSteps
	if states, _ := c.Flags().GetBool("states"); states {
		show = printStates
	}
	if err := show(c, &all); err != nil {
		return err
	}
	return failed
}

// counted sums up one run or several.
type counted struct {
	steps       steps.Counter
	transitions []intercept.Transition
}

func (n *counted) add(all []intercept.Transition) {
	if n.transitions == nil {
		n.transitions = slices.Clone(all)
		return
	}
	for i := range all {
		n.transitions[i].Taken += all[i].Taken
	}
}

// playScenarios plays every scenario of the project. failed says which expectations
// were not met.
func playScenarios(c *cobra.Command, log hclog.Logger, n *counted) (failed, err error) {
	l, end, err := openLoader(c, log)
	if err != nil {
		return nil, err
	}
	defer end()
	if !c.Flags().Changed("log-level") {
		log = hclog.NewNullLogger() // faults are expected in scenarios
	}
	var all []error
	for _, name := range scenario.Names() {
		s, err := scenario.Load(name)
		if err != nil {
			return nil, err
		}
		r, err := s.Run(c.Context(), l, scenario.Options{Log: log})
		if err != nil {
			return nil, err
		}
		if len(r.Wrong) != 0 {
			all = append(all, fmt.Errorf("scenario %s: %s", name, strings.Join(r.Wrong, "; ")))
		}
		n.steps.Add(r.Steps)
		n.add(r.Run.Transitions)
	}
	rows, err := steps.Table()
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if n.steps.Count(r) == 0 {
			all = append(all, fmt.Errorf("step %s was taken by no scenario: %s", r.Name, r.What))
		}
	}
	return errors.Join(all...), nil
}

// playCounted plays a workload.
func playCounted(c *cobra.Command, log hclog.Logger, args []string, n *counted) (failed, err error) {
	x, err := workloadOf(c, args)
	if err != nil {
		return nil, err
	}
	if !c.Flags().Changed("limit") && x.Traffic.Limit == 0 {
		x.Traffic.Limit = stepsLimit
	}
	r, failed, err := playOne(c, log, x, experiment.Options{Log: log, Steps: &n.steps})
	if err != nil {
		return nil, err
	}
	n.add(r.Transitions)
	return failed, nil
}

// workloadOf returns the experiment of a command that runs one policy.
func workloadOf(c *cobra.Command, args []string) (*description.Experiment, error) {
	cfg, err := configOf(c)
	if err != nil {
		return nil, err
	}
	if err := onePolicy(c, cfg, args...); err != nil {
		return nil, err
	}
	x, err := cfg.Parse()
	if err != nil {
		return nil, usage(err)
	}
	if err := usage(x.Uses(&filesOf(c).Uses)); err != nil {
		return nil, err
	}
	if err := unopened(c, x.Changed()...); err != nil {
		return nil, err
	}
	return x, usage(x.CheckWorkload())
}

// playOne runs the experiment's policy. failed is the error about a check that does
// not hold.
func playOne(c *cobra.Command, log hclog.Logger, x *description.Experiment, o experiment.Options) (r *experiment.Result, failed, err error) {
	defer x.Close()
	l, end, err := openLoader(c, log)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	plan, err := experiment.PrepareParsed(c.Context(), x, l)
	if err != nil {
		return nil, nil, usage(err)
	}
	o.Stopped = interruptionOf(c).heed
	r, err = plan.Run(c.Context(), 0, o)
	if err != nil {
		return nil, nil, played(err)
	}
	for _, k := range r.Report.Checks {
		if k.Failed() {
			failed = errors.Join(failed, fmt.Errorf("check that does not hold: %s: %s", k.Name, k.Detail))
		}
	}
	return r, errors.Join(failed, plan.Changed()), nil
}

func printSteps(c *cobra.Command, all *counted) error {
	rows, err := steps.Table()
	if err != nil {
		return err
	}
	missing, _ := c.Flags().GetBool("missing")
	list := []stepCount{}
	for _, r := range rows {
		if n := all.steps.Count(r); n == 0 || !missing {
			list = append(list, stepCount{r, n})
		}
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return writeJSON(c, list)
	}
	if len(list) == 0 {
		return nil
	}
	t := newListing(c, "STEP", "FIGURE", "TAKEN", "BY", "WHAT HAPPENS")
	for _, r := range list {
		t.add(r.Name, r.Figure, r.Taken, r.Actor, r.What)
	}
	return t.render()
}

func printStates(c *cobra.Command, all *counted) error {
	missing, _ := c.Flags().GetBool("missing")
	list := []intercept.Transition{}
	for _, t := range all.transitions {
		if t.Taken == 0 || !missing {
			list = append(list, t)
		}
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return writeJSON(c, list)
	}
	if len(list) == 0 {
		return nil
	}
	l := newListing(c, "OF", "FROM", "TO", "MADE", "WHEN")
	for _, t := range list {
		l.add(t.Of, t.From, t.To, t.Taken, t.When)
	}
	return l.render()
}
