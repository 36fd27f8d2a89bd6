package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/trace/steps"
)

// stepsLimit is how many requests of a workload are played where nothing else is
// said: enough for every step that a plain workload takes.
const stepsLimit = 2000

func newSteps() *cobra.Command {
	c := &cobra.Command{
		Use:   "steps [POLICY]",
		Short: "Show how often each step of the method is taken",
		Long: fmt.Sprintf(`steps prints the table of the method's steps and how often each was taken, by the
component that the table names, in a run of one policy (sync, if none is named) on a
workload: the first %d requests of it, unless --limit says otherwise. With --scenarios
it plays the project's scenarios instead, which together take every step.

The exit code is 1 when a check of the run, or what a scenario expects, does not hold,
or when the scenarios together have not taken every step.`, stepsLimit),
		Example: `  iosrun steps
  iosrun steps --scenarios --missing
  iosrun steps read-select --limit 10000 --json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completePolicies,
		RunE:              runSteps,
	}
	addExperimentFlags(c.Flags())
	c.Flags().Bool("scenarios", false, "play the project's scenarios")
	c.Flags().Bool("missing", false, "list only the steps that were never taken")
	c.Flags().Bool("json", false, "print JSON")
	return c
}

// stepCount is a row of the table of steps with how often it was taken.
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
	var counter steps.Counter
	var failed error
	if suite {
		failed, err = playScenarios(c, log, &counter)
	} else {
		failed, err = playCounted(c, log, args, &counter)
	}
	if err != nil {
		return err
	}
	if err := printSteps(c, &counter); err != nil {
		return err
	}
	return failed
}

// playScenarios plays every scenario of the project. The first error is what did
// not come as expected.
func playScenarios(c *cobra.Command, log hclog.Logger, counter *steps.Counter) (failed, err error) {
	l, end, err := openLoader(c, log)
	if err != nil {
		return nil, err
	}
	defer end()
	if !c.Flags().Changed("log-level") {
		log = hclog.NewNullLogger() // faults are what the scenarios are about
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
		counter.Add(r.Steps)
	}
	rows, err := steps.Table()
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if counter.Count(r) == 0 {
			all = append(all, fmt.Errorf("step %s was taken by no scenario: %s", r.Name, r.What))
		}
	}
	return errors.Join(all...), nil
}

// playCounted plays a workload.
func playCounted(c *cobra.Command, log hclog.Logger, args []string, counter *steps.Counter) (failed, err error) {
	x, err := workloadOf(c, args)
	if err != nil {
		return nil, err
	}
	if !c.Flags().Changed("limit") && x.Traffic.Limit == 0 {
		x.Traffic.Limit = stepsLimit
	}
	return playOne(c, log, x, experiment.Options{Log: log, Steps: counter})
}

// workloadOf is the experiment of a command that runs one policy.
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

// playOne runs the experiment's policy. The first error is a check that does not
// hold.
func playOne(c *cobra.Command, log hclog.Logger, x *description.Experiment, o experiment.Options) (failed, err error) {
	defer x.Close()
	l, end, err := openLoader(c, log)
	if err != nil {
		return nil, err
	}
	defer end()
	plan, err := experiment.PrepareParsed(c.Context(), x, l)
	if err != nil {
		return nil, usage(err)
	}
	o.Stopped = interruptionOf(c).heed
	r, err := plan.Run(c.Context(), 0, o)
	if err != nil {
		return nil, played(err)
	}
	for _, k := range r.Report.Checks {
		if k.Failed() {
			failed = errors.Join(failed, fmt.Errorf("check that does not hold: %s: %s", k.Name, k.Detail))
		}
	}
	return errors.Join(failed, plan.Changed()), nil
}

func printSteps(c *cobra.Command, counter *steps.Counter) error {
	rows, err := steps.Table()
	if err != nil {
		return err
	}
	missing, _ := c.Flags().GetBool("missing")
	list := []stepCount{}
	for _, r := range rows {
		if n := counter.Count(r); n == 0 || !missing {
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
