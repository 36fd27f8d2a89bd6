package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/names/shelf"
	"github.com/iosrun/iosrun/policy"
)

func newPolicy() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "List and show mirroring policies",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPolicyList(), newPolicyShow())
	return c
}

func newPolicyList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the shipped policies",
		Example: "  iosrun policy list\n  iosrun policy list --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := policy.Shipped()
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(c, all)
			}
			t := newListing(c, "POLICY", "DURABILITY", "WHAT IT DOES")
			for _, p := range all {
				t.add(p.Name, p.Durability, p.Summary)
			}
			return t.render()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func newPolicyShow() *cobra.Command {
	var asJSON, rehearse bool
	c := &cobra.Command{
		Use:   "show POLICY",
		Short: "Show a shipped policy or check a policy file",
		Long: `show prints a policy and checks it: its modules are found, checked against the policy's
grants and settings, and compiled, as for a run. Nothing of them runs, unless
--rehearse starts them and calls their hooks with made-up requests. Findings about a file
go to standard error; the exit code is 1 when the policy would be refused.`,
		Example:           "  iosrun policy show sync > mine.yaml\n  iosrun policy show ./mine.yaml --rehearse",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completePolicies,
		RunE: func(c *cobra.Command, args []string) error {
			p, err := policy.Load(args[0])
			if err != nil {
				return usage(err)
			}
			if asJSON {
				err = writeJSON(c, p)
			} else {
				var text []byte
				if text, err = yaml.Marshal(p); err == nil {
					_, err = c.OutOrStdout().Write(text)
				}
			}
			if err != nil {
				return err
			}
			return checkPolicy(c, p, rehearse)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&rehearse, "rehearse", false, "also start the modules and rehearse them on canned frames, which runs them")
	addLoaderFlags(c)
	return c
}

// checkPolicy loads a policy as a run does. Without rehearse it stops before any
// code of its modules runs, with rehearse before I/O begins.
func checkPolicy(c *cobra.Command, p *policy.Policy, rehearse bool) error {
	log, err := logger(c)
	if err != nil {
		return err
	}
	l, end, err := openLoader(c, log)
	if err != nil {
		return err
	}
	defer end()
	r, err := l.Prepare(c.Context(), p)
	if err != nil {
		return err
	}
	found := "accepted; not tried: the start of its modules and their answers to canned frames, which --rehearse runs"
	if rehearse {
		found = "accepted and rehearsed"
		if err := r.Try(c.Context(), experiment.Default().Seed, false); err != nil {
			return err
		}
	}
	if p.Source != shelf.BuiltIn {
		fmt.Fprintf(c.ErrOrStderr(), "policy %s: %s\n", p.Name, found)
	}
	return nil
}

// completePolicies offers the shipped policies to the shell, and files.
func completePolicies(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, _ := policy.Shipped() // after an error there is nothing to offer
	var names []string
	for _, p := range all {
		names = append(names, p.Name+"\t"+p.Summary)
	}
	return names, cobra.ShellCompDirectiveDefault
}

func writeJSON(c *cobra.Command, v any) error {
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(v)
}
