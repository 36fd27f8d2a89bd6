package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/lab/volume"
)

func newVolumeShadow() *cobra.Command {
	c := &cobra.Command{
		Use:   "shadow",
		Short: "Make shadow files, and merge them into the file below",
		Long: fmt.Sprintf(`A shadow file lies on an image and takes all changes, so that the image stays as it is.
Another one may lie on it, up to %d. The other commands take them as --shadow, the
topmost last; Hercules finds them by name, with a digit for their place: sf=mvsres_*.shadow
means mvsres_1.shadow, mvsres_2.shadow and so on. Removing the topmost shadow file undoes
the changes in it, merging it makes them part of the file below.`, image.MaximumShadows),
		Example: `  iosrun volume shadow create mvsres.cckd mvsres_1.shadow
  iosrun volume info mvsres.cckd --shadow mvsres_1.shadow
  iosrun volume shadow merge mvsres.cckd mvsres_1.shadow`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newVolumeShadowCreate(), newVolumeShadowMerge())
	return c
}

func newVolumeShadowCreate() *cobra.Command {
	c := &cobra.Command{
		Use:   "create IMAGE [SHADOW...] NEW",
		Short: "Make an empty shadow file",
		Long: `create makes the empty shadow file NEW, which lies on IMAGE and the shadow files SHADOW
that lie on it already, the topmost last. IMAGE and SHADOW stay as they are. A raw FBA image
cannot have shadow files; Hercules 3 reads none on a plain CKD image.`,
		Example: `  iosrun volume shadow create mvsres.cckd mvsres_1.shadow
  iosrun volume shadow create mvsres.cckd mvsres_1.shadow mvsres_2.shadow --compression bzip2`,
		Args: cobra.RangeArgs(2, 1+image.MaximumShadows),
		RunE: func(c *cobra.Command, args []string) error {
			f := c.Flags()
			o := image.CreateOptions{Format: image.FormatCCKD}
			name, _ := f.GetString("compression")
			var err error
			if o.Compression, err = compression(name); err != nil {
				return err
			}
			o.Level, _ = f.GetInt("level")
			o.Wide, _ = f.GetBool("wide")
			o.Replace, _ = f.GetBool("force")
			o.IgnoreOpened, _ = f.GetBool(ignoreOpened)
			o.NoSync, _ = f.GetBool("no-sync")
			o.Temporary = interruptionOf(c).temp
			path := args[len(args)-1]
			if err := owns(c, "the files below the new one", image.Files(args[0], args[1:len(args)-1])...); err != nil {
				return err
			}
			if err := changes(c, "the new shadow file", path); err != nil {
				return err
			}
			i, err := volume.CreateShadow(path, args[0], args[1:len(args)-1], o)
			if err != nil {
				return volumeError(err)
			}
			return printResult(c, i)
		},
	}
	f := c.Flags()
	addCompressionFlags(c)
	f.Bool("wide", false, "use 64-bit offsets, as a file above one with such offsets always does")
	f.Bool("force", false, "replace a file that exists")
	addIgnoreOpened(c)
	f.Bool("no-sync", false, "do not wait until the new file is durable")
	addOutputFlags(f, false)
	return c
}

func newVolumeShadowMerge() *cobra.Command {
	var all, keep, noSync, ignore bool
	c := &cobra.Command{
		Use:   "merge IMAGE SHADOW...",
		Short: "Merge the topmost shadow file into the file below",
		Long: `merge writes the content of the topmost shadow file to the file below it, the
next shadow file or IMAGE, and removes it. SHADOW are the shadow files, the topmost last. All
of it is checked before anything is written; if merge is interrupted, the
volume with its shadow files has the same content as before, and merge can be run again (with
--ignore-opened after a kill, because the file that took the changes was not closed).`,
		Example: `  iosrun volume shadow merge mvsres.cckd mvsres_1.shadow
  iosrun volume shadow merge mvsres.cckd mvsres_1.shadow mvsres_2.shadow --all`,
		Args: cobra.RangeArgs(2, 1+image.MaximumShadows),
		RunE: func(c *cobra.Command, args []string) error {
			if err := changes(c, "the image", image.Files(args[0], nil)...); err != nil {
				return err
			}
			if err := changes(c, "a shadow file", args[1:]...); err != nil {
				return err
			}
			progress, finish := volumeProgress(c)
			device, _ := c.Flags().GetString("device")
			m, err := volume.MergeShadows(args[0], args[1:], all, image.MergeOptions{Device: device, Keep: keep, NoSync: noSync, IgnoreOpened: ignore, Progress: progress})
			finish()
			if err != nil {
				return volumeError(err)
			}
			return printResult(c, m)
		},
	}
	f := c.Flags()
	f.BoolVar(&all, "all", false, "merge all of them, the topmost first, into IMAGE")
	f.BoolVar(&keep, "keep", false, "do not remove the shadow file")
	f.BoolVar(&noSync, "no-sync", false, "do not wait until the changes are durable")
	f.BoolVar(&ignore, ignoreOpened, false, "merge although one of the files was not closed (OPENED bit), or another program has it open")
	f.BoolVar(&ignore, "force", false, "")
	_ = f.MarkDeprecated("force", "want --"+ignoreOpened)
	addDeviceFlag(c)
	addOutputFlags(f, true)
	return c
}
