package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/lab/policy"
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
			var all []*policy.Policy
			for _, n := range policy.Names() {
				p, err := policy.Load(n)
				if err != nil {
					return err
				}
				all = append(all, p)
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
	var asJSON bool
	c := &cobra.Command{
		Use:               "show POLICY",
		Short:             "Show a shipped policy or check a policy file",
		Example:           "  iosrun policy show sync > mine.yaml\n  iosrun policy show ./mine.yaml --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completePolicies,
		RunE: func(c *cobra.Command, args []string) error {
			p, err := policy.Load(args[0])
			if err != nil {
				return usage(err)
			}
			if asJSON {
				return writeJSON(c, p)
			}
			text, err := yaml.Marshal(p)
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// completePolicies offers the shipped policies to the shell, and files.
func completePolicies(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, n := range policy.Names() {
		if p, err := policy.Load(n); err == nil {
			names = append(names, n+"\t"+p.Summary)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

func writeJSON(c *cobra.Command, v any) error {
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(v)
}
