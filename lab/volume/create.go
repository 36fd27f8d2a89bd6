package volume

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// CreateOptions says what volume to make.
type CreateOptions struct {
	// Device is the type, with or without model: "3390", "3390-3", "9336-20".
	Device string
	// Cylinders of a CKD volume; 0 is as many as the model has.
	Cylinders int
	// Alternates adds the model's alternate cylinders where Cylinders is 0.
	Alternates bool
	// Blocks of an FBA volume, of 512 bytes; 0 is as many as the model has.
	Blocks int64
	// Content is the label and the formatting.
	Content image.Content
	// Image is how the volume is kept in files.
	Image image.CreateOptions
}

// Create makes a volume whose image is at path.
func Create(path string, o CreateOptions) error {
	g, err := o.geometry()
	if err != nil {
		return err
	}
	return image.Create(path, g, o.Content, o.Image)
}

func (o *CreateOptions) geometry() (*media.Geometry, error) {
	g, err := media.Lookup(o.Device)
	if err != nil {
		return nil, err
	}
	if g.FBA() {
		if o.Cylinders != 0 || o.Alternates {
			return nil, fmt.Errorf("%s: has blocks, not cylinders", g.Name)
		}
		if o.Blocks == 0 {
			return g, nil
		}
		return g.ResizeBlocks(o.Blocks)
	}
	if o.Blocks != 0 {
		return nil, fmt.Errorf("%s: has cylinders, not blocks", g.Name)
	}
	n := o.Cylinders
	switch {
	case n == 0 && !o.Alternates:
		return g, nil
	case n == 0:
		n = g.Cylinders + g.Alternates
	}
	return g.Resize(n)
}
