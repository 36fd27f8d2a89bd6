package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/offline"
	"github.com/iosrun/iosrun/lab/rig"
	"github.com/iosrun/iosrun/lab/volume"
)

func newVolumeMirror() *cobra.Command {
	var force, noSync bool
	var streams int
	var shadows, mirrorShadows []string
	c := &cobra.Command{
		Use:   "mirror PRIMARY MIRROR",
		Short: "Make a volume the mirror of another, track by track through the machine",
		Long: `mirror synchronises the volume MIRROR with the volume PRIMARY, from file to file, as the
mirror process of the emulated machine does: channel programs read each track of the
one and write it to the other. PRIMARY stays as it is. MIRROR is made if it does not exist;
an existing one of the same device type and size is overwritten with --force and stays
in its format. Shadow files that lie on PRIMARY are named with --shadow. With those of
MIRROR, in --mirror-shadow, the topmost one gets the writes.`,
		Example: `  iosrun volume mirror mvsres.dsk mirror.dsk
  iosrun volume mirror mvsres.dsk mirror.cckd --format cckd
  iosrun volume mirror mvsres.cckd old.dsk --force
  iosrun volume mirror mvsres.cckd mirror.dsk --shadow mvsres_1.shadow`,
		Args: cobra.ExactArgs(2),

		ValidArgsFunction: completeFiles(2),
		RunE: func(c *cobra.Command, args []string) error {
			primary, mirror := args[0], args[1]
			o, err := formatOptions(c)
			if err != nil {
				return err
			}
			if err := owns(c, "the primary", image.Files(primary, shadows)...); err != nil {
				return err
			}
			if err := changes(c, "the mirror", image.Files(mirror, mirrorShadows)...); err != nil {
				return err
			}
			progress, finish := volumeProgress(c)
			o.Progress = progress
			made, err := mirrorTarget(primary, mirror, image.Options{Shadows: shadows}, image.Options{Shadows: mirrorShadows}, force, o)
			finish()
			if err != nil {
				return volumeError(err)
			}
			if made {
				interruptionOf(c).temp(mirror)
			}
			b := newBar(c, 1)
			r, err := offline.Mirror(c.Context(), primary, mirror, offline.Options{
				Progress: b.part(0), Stopped: interruptionOf(c).heed, Streams: streams, NoSync: noSync, IgnoreOpened: o.IgnoreOpened, PrimaryShadows: shadows, MirrorShadows: mirrorShadows,
			})
			b.finish()
			if err != nil {
				if made {
					err = errors.Join(err, os.Remove(mirror))
				}
				if errors.Is(err, rig.ErrUnlike) {
					return usage(err)
				}
				if c.Context().Err() != nil {
					return err
				}
				err = errors.Join(err, unsound(c, primary, shadows))
				if bad := unsound(c, mirror, mirrorShadows); !made && bad != nil {
					err = fmt.Errorf("%w\n%w; a mirror with such tracks is made anew when its file is removed", err, bad)
				}
				return err
			}
			interruptionOf(c).keep(mirror)
			return printResult(c, r)
		},
	}
	f := c.Flags()
	addFormatFlag(c)
	addCompressionFlags(c)
	f.StringArrayVar(&shadows, "shadow", nil, "shadow file that lies on the primary; repeat it in order, the topmost last")
	f.StringArrayVar(&mirrorShadows, "mirror-shadow", nil, "shadow file that lies on the mirror")
	f.BoolVar(&force, "force", false, "overwrite an existing mirror")
	addIgnoreOpened(c)
	f.BoolVar(&noSync, "no-sync", false, "do not wait until the mirror is durable")
	f.IntVar(&streams, "streams", 0, "copies of tracks under way at once (0: the mirror process's default)")
	addOutputFlags(f, true)
	return c
}

// unsound returns an error about damage in a volume after a failed synchronisation,
// or nil when there is none.
func unsound(c *cobra.Command, path string, shadows []string) error {
	progress, finish := volumeProgress(c)
	r, err := volume.Verify(path, volume.VerifyOptions{Image: image.Options{Shadows: shadows}, Progress: progress})
	finish()
	if err != nil || len(r.Findings) == 0 {
		return nil // the synchronisation's own error is better
	}
	f := r.Findings[0]
	return fmt.Errorf("%d of the tracks are damaged, the first: cylinder %d head %d: %s", r.Damaged, f.Cylinder, f.Head, f.Text)
}

// mirrorTarget makes the image for a mirror unless it exists. It checks the files of
// both images before it writes anything.
func mirrorTarget(primary, mirror string, from, to image.Options, force bool, o image.CreateOptions) (made bool, err error) {
	g, err := geometryOf(primary, from)
	if err != nil {
		return false, err
	}
	if _, err := image.FirstFile(mirror); err == nil {
		switch {
		case !force:
			return false, fmt.Errorf("%s: %w", mirror, image.ErrExists)
		case o.Format != "" || o.Compression != image.None || o.Level != 0:
			return false, usage(fmt.Errorf("%s: is there and stays in its format: want no --format, --compression or --level", mirror))
		}
		_, err := geometryOf(mirror, to)
		return false, err
	}
	if len(to.Shadows) > 0 {
		return false, usage(fmt.Errorf("%s: is not there, so that the shadow file %s cannot lie on it", mirror, to.Shadows[0]))
	}
	o.NoSync = true
	return true, image.Create(mirror, g, image.Content{Formatting: image.Raw}, o)
}

func geometryOf(path string, o image.Options) (*media.Geometry, error) {
	v, err := image.Open(path, media.ReadOnly, o)
	if err != nil {
		return nil, err
	}
	return v.Geometry(), v.Close()
}
