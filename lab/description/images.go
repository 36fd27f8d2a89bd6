package description

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// imageModes lists the modes in which an image file may be used, with their names in
// settings.
var imageModes = []struct {
	name string
	mode media.Mode
}{
	{"copy-on-write", media.CopyOnWrite}, // the default
	{"read-write", media.ReadWrite},
	{"read-only", media.ReadOnly},
}

// ImageModes returns the names of the modes in which an image file may be used.
func ImageModes() []string {
	var names []string
	for _, m := range imageModes {
		names = append(names, m.name)
	}
	return names
}

// image describes the file of the place's volume; nil stands for memory.
func (p *Place) image() (*Image, error) {
	if p.Image == "" {
		if len(p.Shadows) > 0 {
			return nil, fmt.Errorf("shadow file %s: no image is named that it lies on", p.Shadows[0])
		}
		return nil, nil
	}
	for _, m := range imageModes {
		if p.ImageMode == m.name || p.ImageMode == "" {
			return &Image{Path: p.Image, Shadows: p.Shadows, Mode: m.mode, CacheBytes: p.ImageCache, IgnoreOpened: p.IgnoreOpened}, nil
		}
	}
	return nil, fmt.Errorf("image mode %q: want one of %v", p.ImageMode, ImageModes())
}

// inFiles reports whether a volume is in a file.
func (c *Config) inFiles() bool {
	for _, p := range append([]Place{c.Primary}, c.places()...) {
		if p.Image != "" {
			return true
		}
	}
	return false
}

// parseImages describes the files of the volumes, and returns an error when they do
// not fit together.
func (c *Config) parseImages(x *Experiment) error {
	if c.inFiles() && c.pairs() > 1 {
		return fmt.Errorf("%d pairs with volumes in image files: an image is one volume: want one pair", c.pairs())
	}
	volumes := x.Machine.volumes()
	for i, p := range append([]Place{c.Primary}, c.places()...) {
		m, err := p.image()
		switch {
		case err != nil:
			return err
		case m != nil && m.Mode == media.ReadWrite && len(c.Policies) > 1:
			return fmt.Errorf("image %s: would be written to by %d policies at once: want one policy, or copy-on-write", m.Path, len(c.Policies))
		}
		volumes[i].Image = m
	}
	if err := x.Uses(&files.Uses{}); err != nil {
		return err
	}
	if m := x.Machine.Primary.Image; m != nil && m.Mode == media.ReadOnly && c.Workload.Cylinders > 0 {
		return fmt.Errorf("image %s: is read-only, so that no cylinders can be formatted for the workload", m.Path)
	}
	return nil
}

// checkIdle reports a setting of image files when there are none.
func (c *Config) checkIdle() *setting {
	if c.inFiles() {
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

// Uses adds the trace and the files of the volumes to u, and returns its refusal: no
// file may be part of two volumes, under any names, even when neither is written to.
func (x *Experiment) Uses(u *files.Uses) error {
	if t := x.Traffic.File(); t != "" {
		if err := u.Reads(t, "the trace"); err != nil {
			return err
		}
	}
	for i, v := range x.Machine.volumes() {
		m := v.Image
		if m == nil {
			continue
		}
		volume := "of the primary"
		if i > 0 {
			volume = fmt.Sprintf("of mirror %d", i)
		}
		all := image.Files(m.Path, m.Shadows)
		base := len(all) - len(m.Shadows)
		for k, path := range all {
			what := "image " + volume
			if k >= base {
				what = "shadow file " + volume
			}
			use := u.Owns
			if m.Mode == media.ReadWrite && (k == len(all)-1 || len(m.Shadows) == 0) {
				use = u.Writes
			}
			if err := use(path, what); err != nil {
				return err
			}
		}
	}
	return nil
}

// Changed lists the files of the volumes that are written to, except for those with
// IgnoreOpened.
func (x *Experiment) Changed() []string {
	var all []string
	for _, v := range x.Machine.volumes() {
		m := v.Image
		if m == nil || m.Mode != media.ReadWrite || m.IgnoreOpened {
			continue
		}
		if n := len(m.Shadows); n > 0 {
			all = append(all, m.Shadows[n-1])
			continue
		}
		all = append(all, image.Files(m.Path, nil)...)
	}
	return all
}

// CheckImages opens the image files and closes them again. So errors in them, or a
// device type or model that cannot be used for a workload, are found before anything
// runs.
func (x *Experiment) CheckImages() error {
	if !x.Machine.InFiles() {
		return TakesBlocks(x.Machine.Geometry)
	}
	for _, v := range x.Machine.volumes() {
		if v.Image == nil {
			continue
		}
		opened, err := image.Open(v.Image.Path, media.ReadOnly, image.Options{Shadows: v.Image.Shadows})
		if err != nil {
			return err
		}
		err = TakesBlocks(opened.Geometry())
		if err == nil {
			_, err = x.Extent.Layout(opened.Geometry())
		}
		if err := errors.Join(err, opened.Close()); err != nil {
			return fmt.Errorf("image %s: %w", v.Image.Path, err)
		}
	}
	return nil
}
