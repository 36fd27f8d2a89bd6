package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/host/wasm"
	"github.com/iosrun/iosrun/policy/catalog"
)

func newPlugin() *cobra.Command {
	c := &cobra.Command{
		Use:   "plugin",
		Short: "List, inspect and build detour modules",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPluginList(), newPluginInspect(), newPluginBuild())
	return c
}

func newPluginList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the shipped modules and whether they are built",
		Example: "  iosrun plugin list\n  iosrun plugin list --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cat := catalogOf(c)
			entries := cat.List()
			if asJSON {
				return writeJSON(c, entries)
			}
			t := newListing(c, "MODULE", "BUILT", "VERSION", "SUMMARY")
			missing := false
			for _, e := range entries {
				row := []any{e.Name, "no", "", ""}
				if e.Built {
					row[1] = "yes"
					m, err := cat.Module(c.Context(), e.Name)
					switch {
					case err != nil:
						row[3] = err.Error()
					case m.Manifest == nil:
						row[3] = m.ManifestErr.Error()
					default:
						row[2], row[3] = m.Manifest.Version, m.Manifest.Summary
					}
				}
				missing = missing || !e.Built
				t.add(row...)
			}
			if err := t.render(); err != nil {
				return err
			}
			if missing {
				fmt.Fprintf(c.OutOrStdout(), "\nModules are looked for in %s; \"iosrun plugin build --shipped SOURCE\" builds them there.\n", cat.Dir)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// inspection is the JSON of plugin inspect.
type inspection struct {
	File     string        `json:"file"`
	SHA256   string        `json:"sha256"`
	Bytes    int           `json:"bytes"`
	Manifest *abi.Manifest `json:"manifest"`
	Accepted bool          `json:"accepted"`
	// Rehearsed says that the module's start and its hooks were tried, on made-up
	// frames.
	Rehearsed bool           `json:"rehearsed"`
	Findings  []findingEntry `json:"findings"`
}

type findingEntry struct {
	Severity string `json:"severity"`
	Offset   int    `json:"offset"`
	Text     string `json:"text"`
}

func newPluginInspect() *cobra.Command {
	var asJSON, rehearse bool
	var grants []string
	c := &cobra.Command{
		Use:   "inspect MODULE",
		Short: "Describe a module and report whether it would be accepted; nothing of it runs",
		Long: `inspect reads a module (a shipped one by name, a .wasm file, or a folder of Go
source, which is built first), checks it against the detour ABI and compiles it, as a
policy does that loads it, but makes no instance. Nothing of the
module runs, except with --rehearse, which tries its start and calls its hooks with
made-up requests. The exit code is 1 when the module would
be refused.

Without --grant the module gets all capabilities that it asks for.`,
		Example: "  iosrun plugin inspect frontend/standard\n  iosrun plugin inspect ./theirs.wasm --grant mirror,flag --rehearse",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			log, err := logger(c)
			if err != nil {
				return err
			}
			l, end, err := openLoader(c, log)
			if err != nil {
				return err
			}
			defer end()
			m, r, err := l.Inspect(c.Context(), args[0], grants, rehearse)
			if err != nil {
				return usage(err)
			}
			if asJSON {
				i := inspection{
					File: args[0], SHA256: m.Hash(), Bytes: m.Size, Manifest: m.Manifest, Accepted: r.Err() == nil, Rehearsed: rehearse && r.Err() == nil,
				}
				for _, f := range r.Findings {
					i.Findings = append(i.Findings, findingEntry{f.Severity.String(), f.Offset, f.Text})
				}
				if err := writeJSON(c, i); err != nil {
					return err
				}
			} else {
				printModule(c.OutOrStdout(), m, r, rehearse)
			}
			return r.Err()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&rehearse, "rehearse", false, "also start the module and rehearse it on canned frames, which runs it")
	addLoaderFlags(c)
	c.Flags().StringSliceVar(&grants, "grant", nil, "capabilities that a policy would grant: "+strings.Join(abi.CapabilityNames[:], ", "))
	return c
}

func printModule(w io.Writer, m *host.Module, r *host.Report, rehearsed bool) {
	fmt.Fprintf(w, "sha256    %s\nsize      %d bytes\n", m.Hash(), m.Size)
	if n := m.Manifest; n != nil {
		fmt.Fprintf(w, "name      %s %s\nabi       %s\nhooks     %s\nwants     %s\n", n.Name, n.Version, n.ABI, strings.Join(n.Hooks, ", "), strings.Join(n.Capabilities, ", "))
		if n.Summary != "" {
			fmt.Fprintf(w, "summary   %s\n", n.Summary)
		}
		for _, s := range n.Settings {
			value := fmt.Sprintf("%d to %d, default %d", s.Min, s.Max, s.Default)
			if len(s.Names) != 0 {
				value = fmt.Sprintf("%s; default %s", strings.Join(s.Names, " | "), s.Names[s.Default])
			}
			fmt.Fprintf(w, "setting   %s: %s (%s)\n", s.Name, s.Summary, value)
		}
	}
	fmt.Fprintf(w, "\n%s", r)
	switch {
	case r.Err() != nil:
		fmt.Fprintln(w, "refused")
	case rehearsed:
		fmt.Fprintln(w, "accepted and rehearsed")
	default:
		fmt.Fprintln(w, "accepted; not tried: its start and its answers to canned frames, which --rehearse runs")
	}
}

func newPluginBuild() *cobra.Command {
	var output string
	var shipped, archive string
	c := &cobra.Command{
		Use:   "build FOLDER | build --shipped SOURCE",
		Short: "Build a detour from a folder of Go source",
		Long: `build compiles a folder with a main package and a manifest.json to a module,
with the Go toolchain, gives its memory a maximum and puts the manifest into it.
The result is kept by content: an unchanged folder is not compiled again.

With --shipped it builds all shipped modules from the project's source tree: into
the folder of --plugin-dir, or into an archive of modules (--archive), which the
program carries when it is built with it.`,
		Example: "  iosrun plugin build ./my-detour -o my-detour.wasm\n  iosrun plugin build --shipped . --plugin-dir ./modules",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cat := catalogOf(c)
			if shipped != "" {
				if len(args) != 0 || output != "" {
					return usage(errors.New("--shipped takes neither a folder nor --output"))
				}
				switch {
				case archive != "":
					return buildArchive(c, cat, shipped, archive)
				case cat.Dir == "":
					return usage(errors.New("--shipped builds into a folder (--plugin-dir) or an archive (--archive): name one"))
				}
				for _, n := range catalog.Shipped() {
					if err := buildTo(c, cat, filepath.Join(shipped, catalog.SourceFolder(n)), cat.File(n)); err != nil {
						return err
					}
				}
				return nil
			}
			if archive != "" {
				return usage(errors.New("--archive goes with --shipped"))
			}
			if len(args) == 0 {
				return usage(errors.New("names no folder"))
			}
			if output == "" {
				path, err := cat.Build(c.Context(), args[0])
				if err != nil {
					return unbuilt(err)
				}
				fmt.Fprintln(c.OutOrStdout(), path)
				return nil
			}
			if standardOutput(output) {
				output, filesOf(c).standard = "-", c.OutOrStdout()
			}
			return buildTo(c, cat, args[0], output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "file to write, - for standard output (default: the path in the cache is printed)")
	c.Flags().StringVar(&shipped, "shipped", "", "root of the project's source tree: build every shipped module")
	c.Flags().StringVar(&archive, "archive", "", "archive to put the shipped modules into; one that has them already is left as it is")
	return c
}

// unbuilt turns the error about a folder from which no module can be built into a
// usage error; other errors of a build stay as they are.
func unbuilt(err error) error {
	if errors.Is(err, build.ErrSource) || errors.Is(err, build.ErrNoToolchain) {
		return usage(err)
	}
	return err
}

// buildArchive builds the shipped modules from a source tree into an archive.
func buildArchive(c *cobra.Command, cat *catalog.Catalog, source, to string) error {
	if err := writes(c, "the archive", to); err != nil {
		return err
	}
	written, err := cat.BuildArchive(c.Context(), source, to)
	if err == nil && written {
		fmt.Fprintln(c.OutOrStdout(), to)
	}
	return unbuilt(err)
}

// buildTo builds a folder and copies the module to a file.
func buildTo(c *cobra.Command, cat *catalog.Catalog, folder, to string) error {
	if to != "-" {
		if err := writes(c, "the built module", to); err != nil {
			return err
		}
	}
	path, err := cat.Build(c.Context(), folder)
	if err != nil {
		return unbuilt(err)
	}
	code, err := files.ReadAll(path, "module", wasm.MaxSize)
	if err != nil {
		return err
	}
	if to != "-" {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
	}
	err = writeOutput(c, to, func(w io.Writer) error {
		_, err := w.Write(code)
		return err
	})
	if err == nil && to != "-" {
		fmt.Fprintln(c.OutOrStdout(), to)
	}
	return err
}

// catalogOf returns the catalog that the command's flags and the environment name.
func catalogOf(c *cobra.Command) *catalog.Catalog {
	dir, _ := c.Flags().GetString("plugin-dir")
	if dir == "" {
		dir = os.Getenv("IOSRUN_PLUGIN_DIR")
	}
	return &catalog.Catalog{Dir: dir, Uses: &filesOf(c).Uses}
}
