package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/volume"
)

func newVolume() *cobra.Command {
	c := &cobra.Command{
		Use:   "volume",
		Short: "Make, show, check, copy, compare and mirror volumes in image files",
		Long: `The images are those of the Hercules emulator: plain CKD, also split over several files
(named by the first one); compressed CKD and compressed FBA with zlib or bzip2, with
shadow files; raw FBA. The format of an image is found from its content.

An image is changed by one program at a time and read by none meanwhile; a second command
is refused, with the name of the program. A compressed image that was not closed, as
its OPENED bit shows, is refused for writing: check it with verify and give --ignore-opened.
A file is the same under all its names, and never both read and written to.

Exit codes: 0 it worked; 1 a volume has errors, or volumes differ; 2 it could
not be tried: a wrong argument, a missing file, an existing one without --force.`,
		Example: `  iosrun volume create work01.dsk 3390-3 WORK01
  iosrun volume list mvsres.cckd
  iosrun volume copy mvsres.cckd mvsres.dsk
  iosrun volume compare mvsres.cckd mvsres.dsk
  iosrun volume mirror mvsres.dsk mirror.dsk`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newVolumeCreate(), newVolumeInfo(), newVolumeList(), newVolumeVerify(), newVolumeCopy(), newVolumeCompare(), newVolumeMirror(), newVolumeShadow())
	return c
}

// volumeError turns an error about a request that could not be tried into a usage
// error; errors found in a volume stay as they are.
func volumeError(err error) error {
	var path *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, image.ErrExists):
		return usage(fmt.Errorf("%w; --force replaces it", err))
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return usage(err)
	case errors.Is(err, files.ErrChanged):
		return err
	case errors.As(err, &path), errors.Is(err, image.ErrDamaged), errors.Is(err, image.ErrFull), errors.Is(err, volume.ErrNoContents),
		errors.Is(err, media.ErrTrack), errors.Is(err, context.Canceled), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return usage(err)
}

// text is a result that prints itself when --json is not given.
type text interface{ WriteText(io.Writer) error }

func printResult(c *cobra.Command, r text) error {
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return writeJSON(c, r)
	}
	return r.WriteText(c.OutOrStdout())
}

// volumeProgress returns the progress display of one command, which stops the
// command after a signal, and a function that ends the display.
func volumeProgress(c *cobra.Command) (volume.Progress, func()) {
	b := newBar(c, 1)
	show := b.part(0)
	return func(done, total int) error {
		if show != nil && total > 0 {
			show(float64(done)/float64(total), "")
		}
		err := c.Context().Err()
		if err != nil {
			interruptionOf(c).heed()
		}
		return err
	}, b.finish
}

func addOutputFlags(f *pflag.FlagSet, long bool) {
	f.Bool("json", false, "print JSON")
	if long {
		f.BoolP("quiet", "q", false, "show no progress")
	}
}

// addImageFlags adds the flags for opening an image.
func addImageFlags(c *cobra.Command) {
	c.Flags().StringArray("shadow", nil, "shadow file that lies on the image; repeat it in order, the topmost last")
	addDeviceFlag(c)
}

func addDeviceFlag(c *cobra.Command) {
	c.Flags().String("device", "", "device type where the file does not tell: FBA images of a size that no device has")
	_ = c.RegisterFlagCompletionFunc("device", completeDevices(func(g *media.Geometry) bool { return g.FBA() }))
}

// completeDevices completes the names of the device types that are wanted.
func completeDevices(want func(*media.Geometry) bool) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var names []cobra.Completion
		for _, g := range media.Models() {
			if want(g) {
				names = append(names, g.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFiles completes the first n arguments as files and offers nothing for
// further ones.
func completeFiles(n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) < n {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

func imageOptions(f *pflag.FlagSet) image.Options {
	var o image.Options
	o.Shadows, _ = f.GetStringArray("shadow")
	o.Device, _ = f.GetString("device")
	return o
}

// addFormatFlags adds the flags for the file format of a new image.
func addFormatFlags(c *cobra.Command) {
	f := c.Flags()
	addFormatFlag(c)
	addCompressionFlags(c)
	f.Bool("wide", false, "use 64-bit offsets, which Hercules 4 reads and Hercules 3 does not")
	f.Int64("split-bytes", 0, "largest size in bytes of a file of a plain CKD image (0: one file)")
	f.Bool("force", false, "replace files that exist")
	addIgnoreOpened(c)
	f.Bool("no-sync", false, "do not wait until the new files are durable: faster, but a crash soon after can damage them")
}

func addFormatFlag(c *cobra.Command) {
	c.Flags().String("format", "", "of a new image: ckd, cckd (compressed), fba or cfba (default: the plain one of the device)")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"ckd", "cckd", "fba", "cfba"}, cobra.ShellCompDirectiveNoFileComp))
}

func addCompressionFlags(c *cobra.Command) {
	c.Flags().String("compression", "", "of compressed files: zlib, bzip2 or none (default zlib)")
	c.Flags().Int("level", 0, "of the compression, 1 to 9 (0: its default)")
	_ = c.RegisterFlagCompletionFunc("compression", cobra.FixedCompletions([]string{"zlib", "bzip2", "none"}, cobra.ShellCompDirectiveNoFileComp))
}

// compression returns the compression that the flag --compression names.
func compression(name string) (image.Compression, error) {
	switch name {
	case "", "zlib":
		return image.Zlib, nil
	case "bzip2":
		return image.Bzip2, nil
	case "none":
		return image.None, nil
	}
	return 0, usage(fmt.Errorf("compression %q: want zlib, bzip2 or none", name))
}

func formatOptions(c *cobra.Command) (image.CreateOptions, error) {
	f := c.Flags()
	var o image.CreateOptions
	format, _ := f.GetString("format")
	o.Format = image.Format(format)
	o.Level, _ = f.GetInt("level")
	o.Wide, _ = f.GetBool("wide")
	o.SplitBytes, _ = f.GetInt64("split-bytes")
	o.Replace, _ = f.GetBool("force")
	o.IgnoreOpened, _ = f.GetBool(ignoreOpened)
	o.NoSync, _ = f.GetBool("no-sync")
	o.Temporary = interruptionOf(c).temp
	name, _ := f.GetString("compression")
	if name == "" && !o.Format.Compressed() {
		return o, nil
	}
	var err error
	o.Compression, err = compression(name)
	return o, err
}

func newVolumeCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create FILE TYPE [SERIAL]",
		Short: "Make and initialise a volume",
		Long: `create makes a volume of a device type, such as 3390-3, 3380 or 9336-20, with IPL records
and a label that names SERIAL. With --raw there is no label, and no SERIAL. The same
parameters give the same bytes as Hercules' dasdinit in a plain image.`,
		Example: `  iosrun volume create work01.dsk 3390-3 WORK01
  iosrun volume create small.cckd 3390 SMALL1 --cylinders 100 --format cckd
  iosrun volume create linux.dsk 3390-3 LX0001 --linux
  iosrun volume create fba.img 9336-20 FBA001`,
		Args: cobra.RangeArgs(2, 3),
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return completeDevices(func(*media.Geometry) bool { return true })(c, args, word)
			}
			return completeFiles(1)(c, args, word)
		},
		RunE: func(c *cobra.Command, args []string) error {
			f := c.Flags()
			o := volume.CreateOptions{Device: args[1]}
			var err error
			if o.Image, err = formatOptions(c); err != nil {
				return err
			}
			o.Cylinders, _ = f.GetInt("cylinders")
			o.Alternates, _ = f.GetBool("alternates")
			o.Blocks, _ = f.GetInt64("blocks")
			o.Content.Owner, _ = f.GetString("owner")
			raw, _ := f.GetBool("raw")
			linux, _ := f.GetBool("linux")
			switch {
			case raw && linux:
				return usage(errors.New("--raw and --linux exclude each other"))
			case raw && len(args) == 3:
				return usage(fmt.Errorf("serial %s: a raw volume has no label", args[2]))
			case !raw && len(args) == 2:
				return usage(errors.New("no serial number: want create FILE TYPE SERIAL, or --raw for a volume without label"))
			case raw:
				o.Content.Formatting = image.Raw
			case linux:
				o.Content.Formatting = image.Linux
			}
			if !raw {
				o.Content.Serial = args[2]
			}
			if err := changes(c, "the new image", image.NewFiles(args[0], o.Image)...); err != nil {
				return err
			}
			progress, finish := volumeProgress(c)
			o.Image.Progress = progress
			err = volume.Create(args[0], o)
			finish()
			if err != nil {
				return volumeError(err)
			}
			return describe(c, args[0], image.Options{})
		},
	}
	f := c.Flags()
	f.Int("cylinders", 0, "number of cylinders (0: the model's own)")
	f.Int64("blocks", 0, "number of blocks of 512 bytes of an FBA device (0: the model's own)")
	f.Bool("alternates", false, "add the model's alternate cylinders")
	f.String("owner", "", "owner that the label names, up to 14 characters")
	f.Bool("raw", false, "no label: empty tracks or blocks")
	f.Bool("linux", false, "a 3390 as Linux formats it: twelve records of 4096 bytes a track")
	addFormatFlags(c)
	addOutputFlags(f, true)
	return c
}

func describe(c *cobra.Command, path string, o image.Options) error {
	i, err := volume.Inspect(path, o)
	if i == nil {
		return volumeError(err)
	}
	return errors.Join(printResult(c, i), volumeError(err))
}

func newVolumeInfo() *cobra.Command {
	c := &cobra.Command{
		Use:     "info FILE",
		Short:   "Show a volume's label, geometry and format",
		Example: "  iosrun volume info mvsres.cckd\n  iosrun volume info mvsres.cckd --shadow mvsres_1.shadow --json",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeFiles(1),
		RunE: func(c *cobra.Command, args []string) error {
			o := imageOptions(c.Flags())
			if err := reads(c, "the volume", image.Files(args[0], o.Shadows)...); err != nil {
				return err
			}
			return describe(c, args[0], o)
		},
	}
	addImageFlags(c)
	addOutputFlags(c.Flags(), false)
	return c
}

func newVolumeList() *cobra.Command {
	var members bool
	c := &cobra.Command{
		Use:     "list FILE",
		Short:   "List the data sets of a volume's table of contents",
		Long:    "list prints the data sets that the table of contents (VTOC) of a CKD volume describes.\nThe exit code is 1 when there is none.",
		Example: "  iosrun volume list mvsres.cckd\n  iosrun volume list mvsres.cckd --members --json",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeFiles(1),
		RunE: func(c *cobra.Command, args []string) error {
			o := imageOptions(c.Flags())
			if err := reads(c, "the volume", image.Files(args[0], o.Shadows)...); err != nil {
				return err
			}
			l, err := volume.List(args[0], members, o)
			if err != nil {
				return volumeError(err)
			}
			return printResult(c, l)
		},
	}
	addImageFlags(c)
	c.Flags().BoolVar(&members, "members", false, "list the members of partitioned data sets too")
	addOutputFlags(c.Flags(), false)
	return c
}

func newVolumeVerify() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Check every track of volumes",
		Long: `verify checks headers, lookup tables and free space, and then that every track can be
read and fits the device's tracks. The exit code is 1 when a
volume has errors.`,
		Example: "  iosrun volume verify mvsres.cckd\n  iosrun volume verify *.dsk --json\n  iosrun volume verify mvsres.cckd --shadow mvsres_1.shadow",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var reports []*volume.Report
			var bad []string
			asJSON, _ := c.Flags().GetBool("json")
			o := imageOptions(c.Flags())
			if len(o.Shadows) > 0 && len(args) > 1 {
				return usage(errors.New("shadow files lie on one image: want one FILE beside --shadow"))
			}
			for _, path := range args {
				if err := reads(c, "a volume", image.Files(path, o.Shadows)...); err != nil {
					return err
				}
				progress, finish := volumeProgress(c)
				r, err := volume.Verify(path, volume.VerifyOptions{Image: o, Limit: limit, Progress: progress})
				finish()
				if err != nil {
					return volumeError(err)
				}
				if !r.Sound() {
					bad = append(bad, path)
				}
				reports = append(reports, r)
				if !asJSON {
					if err := r.WriteText(c.OutOrStdout()); err != nil {
						return err
					}
				}
			}
			if asJSON {
				if err := writeJSON(c, reports); err != nil {
					return err
				}
			}
			if bad != nil {
				return fmt.Errorf("not sound: %s", strings.Join(bad, ", "))
			}
			return nil
		},
	}
	addImageFlags(c)
	addOutputFlags(c.Flags(), true)
	c.Flags().IntVar(&limit, "limit", 0, fmt.Sprintf("findings that are shown of a volume; all are counted (0: %d)", volume.DefaultFindings))
	return c
}

func newVolumeCopy() *cobra.Command {
	var workers int
	c := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy a volume, to another format if need be",
		Long: `copy makes a new image TO of the volume FROM. Tracks are checked on the way. Nothing is
left under the name TO unless all of it worked. The new files are durable when copy ends,
unless --no-sync leaves that to the operating system, as cp does.`,
		Example: `  iosrun volume copy mvsres.cckd mvsres.dsk
  iosrun volume copy mvsres.dsk mvsres.cckd --format cckd --compression bzip2
  iosrun volume copy mvsres.cckd flat.cckd --shadow mvsres_1.shadow --format cckd`,
		Args: cobra.ExactArgs(2),

		ValidArgsFunction: completeFiles(2),
		RunE: func(c *cobra.Command, args []string) error {
			target, err := formatOptions(c)
			if err != nil {
				return err
			}
			source := imageOptions(c.Flags())
			if err := owns(c, "the volume to copy", image.Files(args[0], source.Shadows)...); err != nil {
				return err
			}
			if err := changes(c, "the copy", image.NewFiles(args[1], target)...); err != nil {
				return err
			}
			progress, finish := volumeProgress(c)
			r, err := volume.Copy(args[0], args[1], volume.CopyOptions{Source: source, Target: target, Workers: workers, Progress: progress})
			finish()
			if err != nil {
				return volumeError(err)
			}
			return printResult(c, r)
		},
	}
	addImageFlags(c)
	addFormatFlags(c)
	addOutputFlags(c.Flags(), true)
	c.Flags().IntVar(&workers, "workers", 0, "goroutines that compress (0: one for each processor)")
	return c
}

func newVolumeCompare() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "compare FIRST SECOND",
		Short: "Compare two volumes track by track",
		Long: `compare compares two volumes, in whatever formats, and shows of each track that differs
the first difference. The exit code is 1 when they differ.`,
		Example: "  iosrun volume compare mvsres.dsk mirror.dsk\n  iosrun volume compare mvsres.cckd mvsres.dsk --limit 5 --json",
		Args:    cobra.ExactArgs(2),

		ValidArgsFunction: completeFiles(2),
		RunE: func(c *cobra.Command, args []string) error {
			f := c.Flags()
			first, second := imageOptions(f), imageOptions(f)
			second.Shadows, _ = f.GetStringArray("second-shadow")
			for k, o := range []image.Options{first, second} {
				if err := reads(c, "a volume to compare", image.Files(args[k], o.Shadows)...); err != nil {
					return err
				}
			}
			progress, finish := volumeProgress(c)
			r, err := volume.Compare(args[0], args[1], volume.CompareOptions{First: first, Second: second, Limit: limit, Progress: progress})
			finish()
			if err != nil {
				return volumeError(err)
			}
			if err := printResult(c, r); err != nil {
				return err
			}
			if !r.Equal() {
				return errors.New("the volumes differ")
			}
			return nil
		},
	}
	addImageFlags(c)
	addOutputFlags(c.Flags(), true)
	c.Flags().StringArray("second-shadow", nil, "shadow file that lies on the second image")
	c.Flags().IntVar(&limit, "limit", 0, fmt.Sprintf("differences that are shown; all are counted (0: %d)", volume.DefaultFindings))
	return c
}
