package volume

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// CreateOptions describes the volume to make.
type CreateOptions struct {
	// Device is the device type, with or without model: "3390", "3390-3", "9336-20".
	Device string
	// Cylinders is the number of cylinders of a CKD volume; 0 stands for the model's
	// own number.
	Cylinders int
	// Alternates adds the model's alternate cylinders when Cylinders is 0.
	Alternates bool
	// Blocks is the number of blocks of 512 bytes of an FBA volume; 0 stands for the
	// model's own number.
	Blocks int64
	// Content describes the label and the formatting.
	Content image.Content
	// Image holds the options for the volume's files.
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
