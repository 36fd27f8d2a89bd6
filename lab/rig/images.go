package rig

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/lab/description"
)

// ErrUnlike says that a mirror's image has another device type or size than its
// primary's.
var ErrUnlike = errors.New("a mirror is like its primary")

// openImages opens the images of the volumes and takes their geometry instead of the
// model's. With images there is only one pair.
func (r *Rig) openImages() error {
	only, d := &r.Pairs[0], r.Description
	err := r.openImage(only.At(0), d.Primary.Image)
	for i := range d.Mirrors {
		if err == nil {
			err = r.openImage(only.At(i+1), d.Mirrors[i].Image)
		}
	}
	return err
}

func (r *Rig) openImage(v *Volume, d *description.Image) error {
	if d == nil {
		return nil
	}
	opened, err := image.Open(d.Path, d.Mode, image.Options{Shadows: d.Shadows, CacheBytes: d.CacheBytes, NoSync: r.noSync, IgnoreOpened: d.IgnoreOpened})
	if err != nil {
		return err
	}
	switch o := opened.(type) {
	case *image.CKD:
		v.CKD = o
	case *image.FBA:
		v.FBA = o
	}
	g := opened.Geometry()
	if have := r.Geometry; r.imaged != "" && (have.Type != g.Type || have.Tracks() != g.Tracks() || have.Blocks != g.Blocks) {
		return fmt.Errorf("%s is a %s of %d tracks, %s a %s of %d: %w", r.imaged, have.Name, have.Tracks(), d.Path, g.Name, g.Tracks(), ErrUnlike)
	}
	if r.imaged == "" {
		r.Geometry, r.imaged = g, d.Path
	}
	return nil
}

// closeVolumes writes the volumes' changes to their files.
func (r *Rig) closeVolumes() error {
	var errs []error
	for i := range r.Pairs {
		for place := range r.Pairs[i].volumes {
			errs = append(errs, r.Pairs[i].volumes[place].close())
		}
	}
	return errors.Join(errs...)
}
