package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/lab/experiment"
)

// A flag or a key that would have no effect is an error here: if it were ignored
// silently the figures would belong to another experiment.

// onePolicy chooses the policy of a command that runs one: the named one, else the
// one that the settings list, else sync.
func onePolicy(c *cobra.Command, cfg *experiment.Config, named ...string) error {
	switch {
	case len(named) != 0:
		cfg.Policies = named
	case cfg.Policies == nil:
		cfg.Policies = []string{"sync"}
	case len(cfg.Policies) > 1:
		compare := "iosrun compare"
		if path, _ := c.Flags().GetString("experiment"); path != "" {
			compare += " --experiment " + path
		}
		return usage(fmt.Errorf("policies: the settings list %d (%s), and %s runs one: want %q for all of them, or the name of one",
			len(cfg.Policies), strings.Join(cfg.Policies, ", "), c.CommandPath(), compare))
	}
	return nil
}

// generatorOnly and traceOnly are the flags that describe made-up requests, and
// a trace.
var (
	generatorOnly = []string{"gen-count", "gen-rate", "gen-reads", "gen-skew", "gen-pattern", "gen-bytes"}
	traceOnly     = []string{"trace", "format", "skip-bad", "time-unit", "trace-device"}
)

// checkFlags returns an error about a flag that has no effect because another one is
// given or missing.
func checkFlags(f *pflag.FlagSet) error {
	made, _ := f.GetBool("generate")
	idle, want := generatorOnly, "only with --generate, which makes requests up"
	if made {
		idle, want = traceOnly, "is about a trace, and --generate makes requests up in place of one: want one or the other"
	}
	for _, name := range idle {
		if f.Changed(name) {
			return usage(fmt.Errorf("--%s: %s", name, want))
		}
	}
	if n, _ := f.GetInt("mirrors"); f.Changed("mirrors") && (n < 1 || n > abi.MaxMirrors) {
		return usage(fmt.Errorf("--mirrors %d: want 1 to %d", n, abi.MaxMirrors))
	}
	return nil
}

// noExperiment returns an error when a flag that describes an experiment, or one of
// the others, is given to a command that plays scenarios. A scenario describes its
// own machine and I/O.
func noExperiment(c *cobra.Command, others ...string) error {
	experiments := pflag.NewFlagSet("", pflag.ContinueOnError)
	addExperimentFlags(experiments)
	var found error
	c.Flags().Visit(func(f *pflag.Flag) {
		if found == nil && (experiments.Lookup(f.Name) != nil || slices.Contains(others, f.Name)) {
			found = usage(fmt.Errorf("--%s: describes a workload, and a scenario describes its own machine and I/O: want one or the other", f.Name))
		}
	})
	return found
}
