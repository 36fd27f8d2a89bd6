package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/channelcase"
)

func newChannel() *cobra.Command {
	c := &cobra.Command{
		Use:   "channel",
		Short: "Run channel programs that are given in hexadecimal",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newChannelRun())
	return c
}

func newChannelRun() *cobra.Command {
	var check, asJSON, write bool
	var cases []string
	var volumes []string
	c := &cobra.Command{
		Use:   "run CASES.json",
		Short: "Run cases and show the answers of the channel subsystem",
		Long: `run executes the channel programs of a file of cases (- is standard input) and prints
the answers of the channel subsystem: condition codes, subchannel status, sense bytes,
storage and tracks afterwards. With --check they are compared with each case's expectation.

The file is a JSON object. "volumes" names, by suite, the volume of its cases as the
command that makes it: "dasdinit [-lfs] [-a] [-r] NAME TYPE SERIAL [SIZE]"; it is made in
memory. "cases" is an array; the cases of a suite run by "order" on one volume, each after
a system reset. A case has

  id, suite, order, name
  mem     main storage before the start: bytes by address (size: 4 MiB; all in hexadecimal)
  cpa     channel-program address
  orb1    second word of the ORB (default 0080ff00: CCWs of format 1)
  ops     operations (default ssch, wait, sense): see below
  csense  concurrent sense on
  dump    storage to show: [["address", length], ...]
  tracks  tracks to show: [[cylinder, head], ...]
  ignore  parts of expect that do not matter
  expect  cc, irb (of which scsw counts), sense, schib, interruption, dump, tracks

Operations:
` + operationHelp() + `
An absent part of expect is not compared. An expectation that holds a known deviation of
Hercules from the manual (docs/channel.md) is named and does not count as differing. A case that does not end, or of which a track
cannot be shown, is reported; the others run all the same. The exit code is 1 when a case
differs or does not end, 2 when the command cannot be tried as it was given.`,
		Example: `  iosrun channel run cases.json
  iosrun channel run cases.json --check
  iosrun channel run cases.json --case A01 --json
  iosrun channel run cases.json --check --volume a=mine.dsk`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ignore, _ := c.Flags().GetBool(ignoreOpened)
			o := channelcase.Options{Cases: cases, Write: write, IgnoreOpened: ignore, Images: make(map[string]string)}
			for _, v := range volumes {
				suite, path, ok := strings.Cut(v, "=")
				if !ok || suite == "" || path == "" {
					return usage(fmt.Errorf("volume %q: want SUITE=FILE", v))
				}
				tried, err := files.OpenFile(path, "image", os.O_RDONLY)
				if err == nil {
					err = tried.Close()
				}
				if err != nil {
					return usage(fmt.Errorf("volume %s: %w", suite, err))
				}
				if write {
					err := changes(c, "volume of suite "+suite, image.Files(path, nil)...)
					if err != nil {
						return err
					}
				} else if err := reads(c, "volume of suite "+suite, image.Files(path, nil)...); err != nil {
					return err
				}
				o.Images[suite] = path
			}
			if write && len(volumes) == 0 {
				return usage(errors.New("--write is of use only with --volume"))
			}
			if args[0] != "-" {
				if err := reads(c, "the cases", args[0]); err != nil {
					return err
				}
			} else if f, ok := c.InOrStdin().(*os.File); ok {
				if err := usage(filesOf(c).Stream(f, "standard input", false)); err != nil {
					return err
				}
			}
			f, err := readCases(c, args[0])
			if err != nil {
				return usage(err)
			}
			if err := f.CheckOptions(o); err != nil {
				return usage(fmt.Errorf("%s: %w", args[0], err))
			}
			return runCases(c, f, o, check, asJSON)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "compare with the cases' expectations, and print only the differences")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringArrayVar(&cases, "case", nil, "show this case only; those before it in its suite run too")
	c.Flags().StringArrayVar(&volumes, "volume", nil, "use an image file as a suite's volume: SUITE=FILE; the file stays as it is")
	c.Flags().BoolVar(&write, "write", false, "let the cases change the files named with --volume")
	addIgnoreOpened(c)
	return c
}

// operationHelp lists the operations, one a line.
func operationHelp() string {
	var b strings.Builder
	for _, o := range channelcase.Operations() {
		fmt.Fprintf(&b, "  %-14s %s\n", o[0], o[1])
	}
	return b.String()
}

func readCases(c *cobra.Command, path string) (*channelcase.File, error) {
	var text []byte
	var err error
	if path == "-" {
		path = "standard input"
		text, err = files.ReadAllFrom(c.InOrStdin(), path, "cases", channelcase.MaxFileBytes)
	} else {
		text, err = files.ReadAll(path, "cases", channelcase.MaxFileBytes)
	}
	if err != nil {
		return nil, err
	}
	f, err := channelcase.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// caseOutput is the JSON of a case.
type caseOutput struct {
	ID      string              `json:"id"`
	Suite   string              `json:"suite"`
	Name    string              `json:"name,omitempty"`
	Outcome channelcase.Outcome `json:"outcome"`
	// Error is the reason why the case did not end or cannot be shown in full.
	Error string `json:"error,omitempty"`
	// Deviation names the known deviation of Hercules that the differences come from.
	Deviation string `json:"deviation,omitempty"`
	// Differences is set only with --check.
	Differences []channelcase.Difference `json:"differences,omitempty"`
}

func runCases(c *cobra.Command, f *channelcase.File, o channelcase.Options, check, asJSON bool) error {
	w := c.OutOrStdout()
	var all []caseOutput
	ran, differ, failed, deviate, idle := 0, 0, 0, 0, 0
	err := f.Run(c.Context(), o, func(r channelcase.Result) error {
		ran++
		out := caseOutput{ID: r.Case.ID, Suite: r.Case.Suite, Name: r.Case.Name, Outcome: r.Outcome}
		if r.Err != nil {
			failed++
			out.Error = r.Err.Error()
			if !asJSON {
				fmt.Fprintf(c.ErrOrStderr(), "iosrun: %v\n", r.Err)
			}
		} else if check {
			out.Differences = r.Case.Check(&r.Outcome)
			if !r.Case.Expects() {
				idle++
			}
		}
		var known *channelcase.Deviation
		if len(out.Differences) != 0 {
			if known = r.Case.Deviation(&r.Outcome); known != nil {
				deviate++
				out.Deviation = known.Name
			} else {
				differ++
			}
		}
		switch {
		case asJSON:
			all = append(all, out)
		case !check:
			return writeCase(w, r.Case, &r.Outcome)
		case known != nil:
			_, err := fmt.Fprintf(w, "%s: deviates from Hercules as documented: %s: %s\n", out.ID, known.Name, known.Source)
			return err
		default:
			for _, d := range out.Differences {
				if _, err := fmt.Fprintf(w, "%s: %v\n", out.ID, d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	var did *channelcase.CaseError
	if err != nil && !errors.As(err, &did) {
		return err
	}
	if asJSON {
		if err := writeJSON(c, all); err != nil {
			return err
		}
	} else if check {
		fmt.Fprintf(w, "%d cases, %d differ", ran, differ)
		if deviate != 0 {
			fmt.Fprintf(w, ", %d deviate from Hercules as documented", deviate)
		}
		if failed != 0 {
			fmt.Fprintf(w, ", %d cannot be compared", failed)
		}
		if idle != 0 {
			fmt.Fprintf(w, ", %d expect nothing", idle)
		}
		fmt.Fprintln(w)
	}
	switch {
	case failed != 0 && differ != 0:
		return fmt.Errorf("%d of %d cases differ from their expectations, %d did not end or cannot be shown", differ, ran, failed)
	case failed != 0:
		return fmt.Errorf("%d of %d cases did not come to their end or cannot be shown", failed, ran)
	case check && idle == ran:
		return fmt.Errorf("nothing was checked: none of %d cases expects anything", ran)
	}
	if differ != 0 {
		return fmt.Errorf("%d of %d cases differ from their expectations", differ, ran)
	}
	return nil
}

// hexLine is the number of bytes of storage or of a record that a line shows.
const hexLine = 32

// writeCase writes an outcome for people.
func writeCase(w io.Writer, c *channelcase.Case, o *channelcase.Outcome) error {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-8s %s\n", what, fmt.Sprintf(format, args...))
	}
	bytes := func(what, text string) {
		for at := 0; at < len(text) || at == 0; at += 2 * hexLine {
			line(what, "%s", text[at:min(len(text), at+2*hexLine)])
			what = ""
		}
	}
	title := c.ID
	if c.Name != "" && c.Name != c.ID {
		title += ": " + strings.TrimSpace(strings.TrimPrefix(c.Name, c.ID))
	}
	fmt.Fprintln(&b, title)
	line("cc", "%s", strings.Join(o.CC, " "))
	for _, i := range o.IRB {
		line("scsw", "%s  at %s, unit %s, channel %s, residual %d, %s", i.SCSW, i.CCWAddress, i.UnitStatus, i.ChannelStatus, i.Residual, i.Status)
		if i.ECW != "" {
			bytes("ecw", i.ECW)
		}
	}
	for _, x := range []struct{ what, text string }{{"sense", o.Sense}, {"schib", o.SCHIB}, {"code", o.Interruption}} {
		if x.text != "" {
			bytes(x.what, x.text)
		}
	}
	for _, d := range c.Dump {
		bytes(d.Address, o.Dump[d.Address])
	}
	shown := make([]string, 0, len(c.Tracks))
	for _, t := range c.Tracks {
		at := t.String()
		if slices.Contains(shown, at) {
			continue
		}
		shown = append(shown, at)
		k := o.Tracks[at]
		line(at, "home address %s, end mark at %d", k.HA, k.Used)
		for _, r := range k.Records {
			line("  count", "%s", r.Count)
			if r.Key != "" {
				bytes("  key", r.Key)
			}
			if r.Data != "" {
				bytes("  data", r.Data)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
