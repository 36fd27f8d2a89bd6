package image

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/emulator/media"
)

// Formatting names the initial content of the tracks or blocks of a new volume.
type Formatting uint8

// The formattings. They are those of Hercules' dasdinit: the same parameters give
// the same bytes in a plain image.
const (
	// Labelled volumes have IPL (initial program load) records and a volume label in
	// the first track, and only a record zero in the others; FBA volumes have the
	// label in block 1.
	Labelled Formatting = iota
	// Raw volumes have a record zero in every track, or zero blocks.
	Raw
	// Linux volumes are 3390s in the Linux formatter's compatible disk layout: a
	// label, a table of contents in the second track, and twelve records of 4096
	// bytes in each of the others.
	Linux
)

// Content describes the initial content of a new volume.
type Content struct {
	Formatting Formatting
	// Serial is the volume's serial number, one to six of A-Z, 0-9, $, # and @;
	// a Raw volume has none.
	Serial string
	// Owner is the owner's name, up to 14 characters; empty stands for DefaultOwner.
	Owner string
}

// DefaultOwner is the owner of a volume to which dasdinit gives no other.
const DefaultOwner = "HERCULES"

// The owner's field of a volume label, in characters.
const (
	ownerLength = 14
	ownerIndent = 4
)

func (c *Content) check(g *media.Geometry) error {
	switch c.Formatting {
	case Labelled, Linux:
	case Raw:
		if c.Serial != "" {
			return fmt.Errorf("volume serial %q: a raw volume has no label", c.Serial)
		}
	default:
		return fmt.Errorf("formatting %d is none of labelled (0), raw (1), linux (2)", c.Formatting)
	}
	if c.Formatting == Linux && g.Type != linuxType {
		return fmt.Errorf("%s: only a 3390 can be formatted for Linux", g.Name)
	}
	return nil
}

// Create makes a new volume of geometry g at path. Tracks of a compressed image
// that are not stored have the format NullLinux on a Linux volume, else NullEmpty;
// o.Null is ignored.
func Create(path string, g *media.Geometry, c Content, o CreateOptions) error {
	if err := c.check(g); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	o.Null = c.null(g)
	b, err := NewBuilder(path, g, o)
	if err != nil {
		return err
	}
	if err := c.fill(b); err != nil {
		b.Abort()
		return fmt.Errorf("%s: %w", path, err)
	}
	return b.Commit()
}

func (c *Content) null(g *media.Geometry) NullFormat {
	switch {
	case g.FBA():
		return NullEndOfFile
	case c.Formatting == Linux:
		return NullLinux
	}
	return NullEmpty
}

// progressStep is the number of tracks that are made between two calls of
// Progress.
const progressStep = 256

func (c *Content) fill(b *Builder) error {
	g := b.geometry
	if b.kind == kindFBA {
		if c.Formatting == Raw {
			return nil
		}
		m, err := newGroup(g)
		if err == nil {
			err = media.InitFBA(m, c.label())
		}
		if err != nil {
			return err
		}
		p := make([]byte, groupSize)
		if err := m.ReadBlocks(0, p[unitHeaderSize:][:m.Geometry().Blocks*media.BlockSize]); err != nil {
			return err
		}
		return b.Put(0, p)
	}
	p := make([]byte, 0, g.TrackSize)
	for n := range b.units {
		if f := b.options.Progress; f != nil && n%progressStep == 0 {
			if err := f(n, b.units); err != nil {
				return err
			}
		}
		p, err := c.appendTrack(p, n, g)
		if err != nil {
			return err
		}
		if err := b.Put(n, p); err != nil {
			return err
		}
	}
	return nil
}

// newGroup makes a medium for the first block group of a volume.
func newGroup(g *media.Geometry) (*media.MemoryFBA, error) {
	first, err := g.ResizeBlocks(min(g.Blocks, BlocksPerGroup))
	if err != nil {
		return nil, err
	}
	return media.NewMemoryFBA(first)
}

// appendTrack appends the image of track n of a new volume to p.
func (c *Content) appendTrack(p []byte, n int, g *media.Geometry) ([]byte, error) {
	switch {
	case n == 0 && c.Formatting != Raw:
		t, err := c.labelled(g)
		if err != nil {
			return nil, err
		}
		return t.AppendImage(p), nil
	case n == 1 && c.Formatting == Linux:
		return appendContents(p, g), nil
	}
	return c.null(g).appendNull(p, n/g.Heads, n%g.Heads), nil
}

// labelRecord is the number of the last record of a labelled track.
const labelRecord = 3

// labelled returns the first track of a labelled volume.
func (c *Content) labelled(g *media.Geometry) (*media.Track, error) {
	m, err := media.NewMemoryCKD(g, 0, 0)
	if err != nil {
		return nil, err
	}
	if err := media.InitCKD(m, c.label()); err != nil {
		return nil, err
	}
	t, err := m.Update(0)
	if err != nil || c.Formatting != Linux {
		return t, err
	}
	r, _, err := t.Record(labelRecord)
	for n := labelRecord + 1; n <= linuxRecords && err == nil; n++ {
		r, err = t.Append(g, r, media.Count{Number: uint8(n), DataLength: linuxLength})
	}
	return t, err
}

// label puts the owner at the place that dasdinit uses: behind four blanks while
// that leaves room.
func (c *Content) label() media.Label {
	l := media.Label{Serial: c.Serial, Owner: c.Owner}
	if l.Owner == "" {
		l.Owner = DefaultOwner
	}
	if len(l.Owner) <= ownerLength-ownerIndent {
		l.Owner = fmt.Sprintf("%*s%s", ownerIndent, "", l.Owner)
	}
	return l
}

// The table of contents of a Linux volume, in the second track: a format 4 label
// that describes the table, a format 5 label with the free space, and unused
// labels.
const (
	labelKey      = 44
	labelData     = 96
	contentLabels = 12
)

func appendContents(p []byte, g *media.Geometry) []byte {
	p = appendHome(p, 0, 1)
	for r := 1; r <= contentLabels; r++ {
		p = appendCount(p, 0, 1, r, labelKey, labelData)
		at := len(p)
		p = append(p, make([]byte, labelKey+labelData)...)
		key, data := p[at:at+labelKey], p[at+labelKey:]
		switch r {
		case 1:
			for i := range key {
				key[i] = 0x04
			}
			data[0] = 0xF4
			binary.BigEndian.PutUint16(data[6:], contentLabels-2) // unused labels
			data[15] = 1                                          // extents
			binary.BigEndian.PutUint16(data[18:], uint16(g.Cylinders))
			binary.BigEndian.PutUint16(data[20:], uint16(g.Heads))
			binary.BigEndian.PutUint16(data[22:], uint16(g.TrackLength))
			data[27] = 0x30 // device flags
			data[30] = contentLabels
			data[61] = 0x01 // extent on a track boundary, from cylinder 0 head 1 to the same
			data[66], data[70] = 1, 1
		case 2:
			for i := range 4 {
				key[i] = 0x05
			}
			// One free extent: from track 2 on, whole cylinders, and tracks.
			binary.BigEndian.PutUint16(key[4:], 2)
			binary.BigEndian.PutUint16(key[6:], uint16(g.Cylinders-1))
			key[8] = byte(g.Heads - 2)
			data[0] = 0xF5
		}
	}
	return appendEnd(p)
}
