package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// CompareOptions holds the options of Compare.
type CompareOptions struct {
	First    image.Options
	Second   image.Options
	Limit    int // largest number of differences kept; 0 stands for DefaultFindings
	Progress Progress
}

// shownBytes is the number of bytes of each side that a difference shows.
const shownBytes = 16

// Difference is a place at which two volumes differ. Only the first one of each
// track, or of each block, is given.
type Difference struct {
	Cylinder int `json:"cylinder"`
	Head     int `json:"head"`
	// Record is the number in the record's count field, Ordinal its place on the
	// track, with 0 for record zero.
	Record  int   `json:"record"`
	Ordinal int   `json:"ordinal"`
	Block   int64 `json:"block,omitempty"` // number of the block on FBA volumes
	// Area is "home address", "count", "key", "data", "block", or "record" when
	// only one of the tracks has a record there.
	Area   string `json:"area"`
	Offset int    `json:"offset"` // in the area, in bytes
	// First and Second are bytes from Offset on, in hexadecimal; empty on the
	// side that has no record.
	First  string `json:"first"`
	Second string `json:"second"`
}

// Comparison is the outcome of a comparison.
type Comparison struct {
	First  string `json:"first"`
	Second string `json:"second"`
	// Shape describes the difference of the devices; it is empty when they are alike.
	// Volumes of different device types are not compared further; of volumes of
	// different sizes the common part is compared.
	Shape string `json:"shape,omitempty"`
	// Compared and Differing are numbers of tracks, or blocks.
	Compared    int64        `json:"compared"`
	Differing   int64        `json:"differing"`
	Differences []Difference `json:"differences,omitempty"`

	fba   bool
	limit int
}

// Equal reports whether the volumes have the same content.
func (c *Comparison) Equal() bool { return c.Shape == "" && c.Differing == 0 }

// Compare compares two volumes, in whatever formats, track by track or block by
// block.
func Compare(first, second string, o CompareOptions) (*Comparison, error) {
	a, err := image.Open(first, media.ReadOnly, sequential(o.First))
	if err != nil {
		return nil, err
	}
	b, err := image.Open(second, media.ReadOnly, sequential(o.Second))
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	c := &Comparison{First: first, Second: second, limit: o.Limit}
	if c.limit <= 0 {
		c.limit = DefaultFindings
	}
	c.Shape = shapes(a.Geometry(), b.Geometry())
	switch x := a.(type) {
	case *image.CKD:
		if y, ok := b.(*image.CKD); ok && x.Geometry().Type == y.Geometry().Type {
			err = c.tracks(x, y, o.Progress)
		}
	case *image.FBA:
		c.fba = true
		if y, ok := b.(*image.FBA); ok {
			err = c.blocks(x, y, o.Progress)
		}
	}
	return c, errors.Join(err, a.Close(), b.Close())
}

func shapes(a, b *media.Geometry) string {
	switch {
	case a.FBA() != b.FBA():
		return fmt.Sprintf("%s has %s, %s has %s", a.Name, parts(a), b.Name, parts(b))
	case a.FBA() && a.Blocks != b.Blocks:
		return fmt.Sprintf("%d blocks, %d blocks", a.Blocks, b.Blocks)
	case !a.FBA() && a.Type != b.Type:
		return fmt.Sprintf("a %s, a %s", a.Name, b.Name)
	case !a.FBA() && a.Cylinders != b.Cylinders:
		return fmt.Sprintf("%d cylinders, %d cylinders", a.Cylinders, b.Cylinders)
	}
	return ""
}

func parts(g *media.Geometry) string {
	if g.FBA() {
		return "blocks"
	}
	return "tracks"
}

func (c *Comparison) add(d Difference) {
	c.Differing++
	if len(c.Differences) < c.limit {
		c.Differences = append(c.Differences, d)
	}
}

func (c *Comparison) tracks(a, b *image.CKD, p Progress) error {
	total := min(a.Geometry().Tracks(), b.Geometry().Tracks())
	for n := range total {
		if err := p.step(n, total); err != nil {
			return err
		}
		x, err := a.Track(n)
		if err != nil {
			return err
		}
		y, err := b.Track(n)
		if err != nil {
			return err
		}
		c.Compared++
		if bytes.Equal(x.Image, y.Image) {
			continue
		}
		d, err := trackDifference(x, y)
		if err != nil {
			return err
		}
		d.Cylinder, d.Head = x.Cylinder, x.Head
		c.add(d)
	}
	return p.step(total, total)
}

// trackDifference finds the first difference of two tracks that have one.
func trackDifference(x, y *media.Track) (Difference, error) {
	const home = 5
	if d, ok := area("home address", x.Image[:home], y.Image[:home]); ok {
		return d, nil
	}
	r, err := x.Zero()
	s, err2 := y.Zero()
	moreX, moreY := true, true
	for err == nil && err2 == nil && (moreX || moreY) {
		if moreX != moreY {
			return lonely(r, s, moreX), nil
		}
		if d, ok := recordDifference(x, y, r, s); ok {
			d.Record, d.Ordinal = int(r.Number), r.Ordinal
			return d, nil
		}
		r, moreX, err = x.Next(r)
		s, moreY, err2 = y.Next(s)
	}
	return Difference{}, errors.Join(err, err2)
}

func recordDifference(x, y *media.Track, r, s media.Record) (Difference, bool) {
	if d, ok := area("count", countBytes(r), countBytes(s)); ok {
		return d, true
	}
	if d, ok := area("key", x.Key(r), y.Key(s)); ok {
		return d, true
	}
	return area("data", x.Data(r), y.Data(s))
}

// lonely returns the difference of a record that only one track has.
func lonely(r, s media.Record, first bool) Difference {
	if first {
		return Difference{Area: "record", Record: int(r.Number), Ordinal: r.Ordinal, First: fmt.Sprintf("%x", countBytes(r))}
	}
	return Difference{Area: "record", Record: int(s.Number), Ordinal: s.Ordinal, Second: fmt.Sprintf("%x", countBytes(s))}
}

func countBytes(r media.Record) []byte {
	p := make([]byte, media.CountSize)
	r.Put(p)
	return p
}

// area finds the first difference of two areas.
func area(name string, x, y []byte) (Difference, bool) {
	if bytes.Equal(x, y) {
		return Difference{}, false
	}
	i := 0
	for i < min(len(x), len(y)) && x[i] == y[i] {
		i++
	}
	return Difference{
		Area: name, Offset: i,
		First: fmt.Sprintf("%x", x[i:min(len(x), i+shownBytes)]), Second: fmt.Sprintf("%x", y[i:min(len(y), i+shownBytes)]),
	}, true
}

func (c *Comparison) blocks(a, b *image.FBA, p Progress) error {
	total := min(a.Geometry().Blocks, b.Geometry().Blocks)
	groups := int((total + image.BlocksPerGroup - 1) / image.BlocksPerGroup)
	x := make([]byte, image.BlocksPerGroup*media.BlockSize)
	y := make([]byte, len(x))
	for n := range groups {
		if err := p.step(n, groups); err != nil {
			return err
		}
		first := int64(n) * image.BlocksPerGroup
		size := min(image.BlocksPerGroup, total-first) * media.BlockSize
		if err := a.ReadBlocks(first, x[:size]); err != nil {
			return err
		}
		if err := b.ReadBlocks(first, y[:size]); err != nil {
			return err
		}
		c.Compared += size / media.BlockSize
		if bytes.Equal(x[:size], y[:size]) {
			continue
		}
		for at := int64(0); at < size; at += media.BlockSize {
			if d, ok := area("block", x[at:at+media.BlockSize], y[at:at+media.BlockSize]); ok {
				d.Block = first + at/media.BlockSize
				c.add(d)
			}
		}
	}
	return p.step(groups, groups)
}

func (d *Difference) place(fba bool) string {
	switch {
	case fba:
		return fmt.Sprintf("block %d, byte %d", d.Block, d.Offset)
	case d.Area == "home address":
		return fmt.Sprintf("cylinder %d head %d, home address, byte %d", d.Cylinder, d.Head, d.Offset)
	case d.Area == "record":
		return fmt.Sprintf("cylinder %d head %d record %d", d.Cylinder, d.Head, d.Record)
	}
	return fmt.Sprintf("cylinder %d head %d record %d, %s, byte %d", d.Cylinder, d.Head, d.Record, d.Area, d.Offset)
}

// WriteText writes the outcome for people, with a line for each difference.
func (c *Comparison) WriteText(w io.Writer) error {
	p := &printer{w: w}
	if c.Shape != "" {
		p.line("the devices differ: %s", c.Shape)
	}
	for i := range c.Differences {
		d := &c.Differences[i]
		switch {
		case d.Area == "record" && d.Second == "":
			p.line("%s: only in the first, count %s", d.place(c.fba), d.First)
		case d.Area == "record":
			p.line("%s: only in the second, count %s", d.place(c.fba), d.Second)
		default:
			p.line("%s: %s, %s", d.place(c.fba), d.First, d.Second)
		}
	}
	unit := "tracks"
	if c.fba {
		unit = "blocks"
	}
	if n := c.Differing - int64(len(c.Differences)); n > 0 {
		p.line("and %d more %s", n, unit)
	}
	if c.Compared == 0 {
		p.line("%s, %s: nothing was compared", c.First, c.Second)
		return p.err
	}
	p.line("%s, %s: %d of %d %s differ", c.First, c.Second, c.Differing, c.Compared, unit)
	return p.err
}
