package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/files"
)

// imageModes are how an image file may be used, by the name that settings have.
var imageModes = []struct {
	name string
	mode media.Mode
}{
	{"copy-on-write", media.CopyOnWrite}, // what empty stands for
	{"read-write", media.ReadWrite},
	{"read-only", media.ReadOnly},
}

// ImageModes are the names of the modes in which an image file may be used.
func ImageModes() []string {
	var names []string
	for _, m := range imageModes {
		names = append(names, m.name)
	}
	return names
}

func (p *Place) imageMode() (media.Mode, error) {
	for _, m := range imageModes {
		if p.ImageMode == m.name || p.ImageMode == "" {
			return m.mode, nil
		}
	}
	return 0, fmt.Errorf("image mode %q: want one of %v", p.ImageMode, ImageModes())
}

// ErrUnlike says that a mirror's image is not of its primary's device type and
// size.
var ErrUnlike = errors.New("a mirror is like its primary")

// images tells whether a volume is in a file. Then the mirrors do not begin as
// the primary is.
func (c *Config) images() bool {
	return c.Primary.Image != "" || slices.ContainsFunc(c.places(), func(p Place) bool { return p.Image != "" })
}

// checkImages reports what is wrong with the images of the volumes together.
func (c *Config) checkImages() error {
	if c.images() && c.pairs() > 1 {
		return fmt.Errorf("%d pairs with volumes in image files: an image is one volume: want one pair", c.pairs())
	}
	for _, p := range append([]Place{c.Primary}, c.places()...) {
		if p.Image == "" {
			if len(p.Shadows) > 0 {
				return fmt.Errorf("shadow file %s: no image is named that it lies on", p.Shadows[0])
			}
			continue
		}
		m, err := p.imageMode()
		switch {
		case err != nil:
			return err
		case m == media.ReadWrite && len(c.Policies) > 1:
			return fmt.Errorf("image %s: would be written to by %d policies at once: want one policy, or copy-on-write", p.Image, len(c.Policies))
		}
	}
	if err := c.Uses(&files.Uses{}); err != nil {
		return err
	}
	if m, _ := c.Primary.imageMode(); c.Primary.Image != "" && m == media.ReadOnly && c.Workload.Cylinders > 0 {
		return fmt.Errorf("image %s: is read-only, so that no cylinders can be formatted for the workload", c.Primary.Image)
	}
	return nil
}

// Uses tells u of the trace and of the files of the volumes, and gives its
// refusal: no file is part of two volumes, under whatever names, even where
// neither is written to.
func (c *Config) Uses(u *files.Uses) error {
	if t := c.Workload.file(); t != "" {
		if err := u.Reads(t, "the trace"); err != nil {
			return err
		}
	}
	for i, p := range append([]Place{c.Primary}, c.places()...) {
		if p.Image == "" {
			continue
		}
		volume := "of the primary"
		if i > 0 {
			volume = fmt.Sprintf("of mirror %d", i)
		}
		mode, err := p.imageMode()
		if err != nil {
			return err
		}
		all := image.Files(p.Image, p.Shadows)
		base := len(all) - len(p.Shadows)
		for k, path := range all {
			what := "image " + volume
			if k >= base {
				what = "shadow file " + volume
			}
			use := u.Owns
			if mode == media.ReadWrite && (k == len(all)-1 || len(p.Shadows) == 0) {
				use = u.Writes
			}
			if err := use(path, what); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkIdle reports a setting of image files where there are none.
func (c *Config) checkIdle() *setting {
	if c.images() {
		return nil
	}
	for i, p := range append([]Place{c.Primary, c.Mirror}, c.Mirrors...) {
		switch {
		case p.ImageMode != "":
			return &setting{c.placeKey(i) + ".image-mode", fmt.Errorf("image mode %s: no volume is in an image file", p.ImageMode)}
		case p.ImageCache != 0:
			return &setting{c.placeKey(i) + ".image-cache", fmt.Errorf("image cache of %d bytes: no volume is in an image file", p.ImageCache)}
		}
	}
	return nil
}

// Changed lists the files of the volumes that are written to.
func (c *Config) Changed() []string {
	var all []string
	for _, p := range append([]Place{c.Primary}, c.places()...) {
		if mode, err := p.imageMode(); p.Image == "" || err != nil || mode != media.ReadWrite || p.IgnoreOpened {
			continue
		}
		if n := len(p.Shadows); n > 0 {
			all = append(all, p.Shadows[n-1])
			continue
		}
		all = append(all, image.Files(p.Image, nil)...)
	}
	return all
}

// takesBlocks reports why no workload can be played on a device. Control units
// before the 3880 have neither define extent nor locate record, with which the
// channel programs of the block access method begin.
func takesBlocks(g *media.Geometry) error {
	switch {
	case g.FBA():
	case g.Formula == media.FormulaGap, g.Formula == media.FormulaLast:
		return fmt.Errorf("workload on a %s: its control unit knows no define extent and locate record, which the block access method reads and writes with: want a 3375, 3380, 3390 or 9345, or a device of blocks", g.Name)
	case g.RecordsPerTrack(0, program.BlockSize) == 0:
		return fmt.Errorf("workload on a %s: its tracks take no record of %d bytes, which the block access method reads and writes", g.Name, program.BlockSize)
	}
	return nil
}

// CheckImages opens the image files and closes them again, so that what is wrong
// with them, or with their device type or the model for a workload, is known
// before anything runs.
func (c *Config) CheckImages() error {
	if !c.images() {
		g, err := c.geometry()
		if err != nil {
			return err
		}
		return takesBlocks(g)
	}
	for _, p := range append([]Place{c.Primary}, c.places()...) {
		if p.Image == "" {
			continue
		}
		v, err := image.Open(p.Image, media.ReadOnly, image.Options{Shadows: p.Shadows})
		if err != nil {
			return err
		}
		err = takesBlocks(v.Geometry())
		if err == nil {
			_, err = c.Workload.layout(v.Geometry())
		}
		if err := errors.Join(err, v.Close()); err != nil {
			return fmt.Errorf("image %s: %w", p.Image, err)
		}
	}
	return nil
}

// openImages opens the images of the volumes and finds their geometry, which is
// in the place of the model's.
func (r *run) openImages() error {
	c := r.config
	only := &r.storage.pairs[0] // checkImages has seen to that
	err := r.openImage(&only.primary, &c.Primary)
	for i, p := range c.places() {
		if err == nil {
			err = r.openImage(&only.mirrors[i], &p)
		}
	}
	return err
}

func (r *run) openImage(v *volume, p *Place) error {
	if p.Image == "" {
		return nil
	}
	mode, err := p.imageMode()
	if err != nil {
		return err
	}
	opened, err := image.Open(p.Image, mode, image.Options{Shadows: p.Shadows, CacheBytes: p.ImageCache, NoSync: r.opts.NoSync, IgnoreOpened: p.IgnoreOpened})
	if err != nil {
		return err
	}
	switch o := opened.(type) {
	case *image.CKD:
		v.ckd = o
	case *image.FBA:
		v.fba = o
	}
	g := opened.Geometry()
	if have := r.storage.geometry; r.storage.imaged != "" && (have.Type != g.Type || have.Tracks() != g.Tracks() || have.Blocks != g.Blocks) {
		return fmt.Errorf("%s is a %s of %d tracks, %s a %s of %d: %w", r.storage.imaged, have.Name, have.Tracks(), p.Image, g.Name, g.Tracks(), ErrUnlike)
	}
	if r.storage.imaged == "" {
		r.storage.geometry, r.storage.imaged = g, p.Image
	}
	return nil
}

// format makes the cylinders that the workload has for itself ready for the
// block access method.
func (r *run) format() error {
	w := &r.config.Workload
	v := &r.storage.pairs[0].primary
	if w.Cylinders == 0 {
		return nil
	}
	g := r.storage.geometry
	if r.config.Primary.Image == "" { // in memory: formatted all over
		return nil
	}
	if _, err := w.layout(g); err != nil {
		return err
	}
	records := g.RecordsPerTrack(0, program.BlockSize)
	first := w.firstCylinder()
	for n := first * g.Heads; n < (first+w.Cylinders)*g.Heads; n++ {
		t, err := v.ckd.Update(n)
		if err != nil {
			return err
		}
		if err := t.Format(g, records, program.BlockSize); err != nil {
			return err
		}
	}
	return nil
}

// synchroniseAll makes every mirror identical to the primary, one after the
// other, before the workload begins.
func (r *run) synchroniseAll(ctx context.Context) error {
	for i := range r.storage.pairs[0].mirrors {
		done, failed := false, error(nil)
		err := r.makeIdentical(1, i+1, mirror.SyncOptions{Full: true, Whole: true, Streams: r.opts.Streams, Done: func(err error) { done, failed = true, err }})
		if err == nil {
			err = r.loop(ctx)
		}
		if err == nil {
			err = failed
		}
		if err == nil && !done {
			err = errors.New("has not ended")
		}
		if err != nil {
			return fmt.Errorf("synchronisation of mirror %d: %w", i+1, err)
		}
	}
	r.begin = r.m.Clock.Now()
	return nil
}

// later is a time of the workload on the machine's clock, on which the mirrors
// have been synchronised first.
func (r *run) later(t machine.Time) machine.Time { return r.begin + t }

// close writes the volumes' changes to their files.
func (s *storage) close() error {
	var errs []error
	for i := range s.pairs {
		errs = append(errs, s.pairs[i].primary.close())
		for j := range s.pairs[i].mirrors {
			errs = append(errs, s.pairs[i].mirrors[j].close())
		}
	}
	return errors.Join(errs...)
}

func (v *volume) close() error {
	switch {
	case v.ckd != nil:
		return v.ckd.Close()
	case v.fba != nil:
		return v.fba.Close()
	}
	return nil
}
