package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/lab/settings"
	"github.com/spf13/pflag"

	"github.com/iosrun/iosrun/names/suggest"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // the command failed, or a check did not hold
	exitUsage   = 2 // the command cannot be tried as it was given
)

func main() {
	os.Exit(execute(catchSignals(context.Background(), os.Stderr), os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(withFiles(ctx, out, errOut))
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() == nil: // no signal
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "iosrun: interrupted")
		return exitInterrupted
	default:
		fmt.Fprintf(errOut, "iosrun: interrupted: %s\n", visible(err))
		return exitInterrupted
	}
	if standardErrorClashes(err) {
		w, done := beside()
		defer done()
		errOut = w
	}
	fmt.Fprintf(errOut, "iosrun: %s\n", visible(err))
	if text := advice(err); text != "" {
		fmt.Fprintln(errOut, text)
	}
	var usage usageError
	if !errors.As(err, &usage) && !untried(err) {
		return exitFailure
	}
	if usage.command != "" {
		fmt.Fprintf(errOut, "Try \"%s --help\".\n", usage.command)
	}
	return exitUsage
}

// visible returns an error's text without control and direction characters, except
// line ends and tabs. An error may contain text from elsewhere: names of files, keys
// of YAML, output of a compiler.
func visible(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		parts := strings.Split(line, "\t")
		for k := range parts {
			parts[k] = abi.Visible(parts[k])
		}
		lines[i] = strings.Join(parts, "\t")
	}
	return strings.Join(lines, "\n")
}

// usageError is an error in the command line or in the settings. If command is set
// the message refers to its help.
type usageError struct {
	error
	command string
}

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err, ""}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "iosrun",
		Short: "Run and compare mirroring policies on an emulated mainframe I/O supervisor",
		Long: `iosrun emulates a mainframe's I/O supervisor (IOS) and lets WebAssembly modules,
called detours, take control of its I/O process at three pointers: the DDTSIO
pointer, the return address of the SSCH call, and SRBEP. A policy is a set of
detours, which mirror the writes to a volume in one way or another.

Without arguments, "iosrun compare" plays a recorded database workload against
three policies and prints the costs of each.`,
		Example: `  iosrun compare
  iosrun compare sync constant-copy --trace disk.csv.gz --km 100
  iosrun run sync --swap 30s=constant-copy --json run.json
  iosrun policy show sync
  iosrun plugin inspect ./my-detour`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		Version:       version(),

		PersistentPreRunE: func(*cobra.Command, []string) error { return usage(settings.CheckVariables(os.Environ())) },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
			err = fmt.Errorf("%w%s", err, suggest.DidYouMean("--"+unknown.GetSpecifiedName(), flagNames(c)))
		}
		return usageError{err, c.CommandPath()}
	})
	root.PersistentFlags().String("plugin-dir", "", `folder of built modules that take the place of the shipped ones, which the program carries (IOSRUN_PLUGIN_DIR)`)
	root.PersistentFlags().String("log-level", "warn", "lowest level that is logged to standard error: trace, debug, info, warn, error or off (IOSRUN_LOG_LEVEL)")
	root.AddCommand(newRun(), newCompare(), newPolicy(), newPlugin(), newVolume(), newChannel(), newSteps(), newTrace(), newWorld())
	wrapArgs(root)
	return root
}

// flagNames returns the flags of a command as they are written.
func flagNames(c *cobra.Command) []string {
	var names []string
	for _, set := range []*pflag.FlagSet{c.Flags(), c.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	}
	return names
}

// wrapArgs makes an error in a command's arguments a usage error.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				var subs []string
				for _, sub := range c.Commands() {
					subs = append(subs, sub.Name())
				}
				if len(args) > 0 {
					err = fmt.Errorf("%w%s", err, suggest.DidYouMean(args[0], subs))
				}
				return usageError{err, c.CommandPath()}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}
