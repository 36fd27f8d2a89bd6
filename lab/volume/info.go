package volume

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// Geometry is the size of a volume's device.
type Geometry struct {
	Device    string `json:"device"`
	Cylinders int    `json:"cylinders,omitempty"`
	Heads     int    `json:"heads,omitempty"`
	Tracks    int    `json:"tracks,omitempty"`
	TrackSize int    `json:"trackSize,omitempty"` // bytes of a track image
	Blocks    int64  `json:"blocks,omitempty"`    // number of blocks of 512 bytes
}

func geometryOf(g *media.Geometry) Geometry {
	r := Geometry{Device: g.Name, Cylinders: g.Cylinders, Heads: g.Heads, TrackSize: g.TrackSize, Blocks: g.Blocks}
	if !g.FBA() {
		r.Tracks = g.Tracks()
	}
	return r
}

// Label holds the data of a volume label.
type Label struct {
	Serial string `json:"serial"`
	Owner  string `json:"owner,omitempty"`
	// Contents is the address of the table of contents: of a record, or of a block of
	// an FBA volume.
	Contents *Address `json:"contents,omitempty"`
	Block    int64    `json:"block,omitempty"`
}

// Address is the place of a record.
type Address struct {
	Cylinder int `json:"cylinder"`
	Head     int `json:"head"`
	Record   int `json:"record"`
}

func (a Address) String() string {
	return fmt.Sprintf("cylinder %d head %d record %d", a.Cylinder, a.Head, a.Record)
}

// Info describes a volume.
type Info struct {
	Path     string   `json:"path"`
	Geometry Geometry `json:"geometry"`
	Label    *Label   `json:"label,omitempty"` // nil without one
	// Damage is the reason why the label cannot be read; it is empty when it can.
	Damage string     `json:"damage,omitempty"`
	Image  image.Info `json:"image"`
}

// Inspect describes the volume at path. When the track or block of the label is
// damaged it returns the other data.
func Inspect(path string, o image.Options) (*Info, error) {
	v, err := image.Open(path, media.ReadOnly, o)
	if err != nil {
		return nil, err
	}
	i := &Info{Path: path, Geometry: geometryOf(v.Geometry()), Image: v.Info()}
	if i.Label, err = readLabel(v); err != nil {
		i.Damage = err.Error()
	}
	return i, errors.Join(err, v.Close())
}

// Offsets in a volume label, in bytes, and its place on the volume.
const (
	labelMark     = "VOL1"
	labelRecord   = 3
	labelBlock    = 1
	labelSerial   = 4
	labelContents = 11 // CCHHR, or 0 and a block number
	labelOwner    = 37
	labelEnd      = 51
	labelLength   = 80
	serialLength  = labelContents - labelSerial - 1
	blockPlace    = labelContents + 1
)

// ebcdic decodes code page 37, without blanks at the end.
func ebcdic(p []byte) string {
	s := make([]rune, len(p))
	for i, b := range p {
		s[i] = charmap.CodePage037.DecodeByte(b)
		if s[i] < ' ' || s[i] >= 0x7f && s[i] < 0xa0 {
			s[i] = '.'
		}
	}
	return strings.TrimRight(string(s), " ")
}

// readLabel reads the volume label; it returns nil when the place of the label has
// something else.
func readLabel(v image.Volume) (*Label, error) {
	switch v := v.(type) {
	case *image.FBA:
		if v.Geometry().Blocks <= labelBlock {
			return nil, nil
		}
		p := make([]byte, media.BlockSize)
		if err := v.ReadBlocks(labelBlock, p); err != nil {
			return nil, err
		}
		if ebcdic(p[:labelSerial]) != labelMark {
			return nil, nil
		}
		l := labelOf(p)
		l.Block = int64(binary.BigEndian.Uint32(p[blockPlace:]))
		return l, nil
	case *image.CKD:
		t, err := v.Track(0)
		if err != nil {
			return nil, err
		}
		r, found, err := t.Find(labelRecord)
		if err != nil || !found {
			return nil, err
		}
		p := t.Data(r)
		if len(p) < labelLength || ebcdic(p[:labelSerial]) != labelMark {
			return nil, nil
		}
		l := labelOf(p)
		a := addressOf(p[labelContents:])
		l.Contents = &a
		return l, nil
	}
	return nil, nil
}

func labelOf(p []byte) *Label {
	return &Label{
		Serial: ebcdic(p[labelSerial:][:serialLength]),
		Owner:  strings.Trim(ebcdic(p[labelOwner:labelEnd]), " ."),
	}
}

// addressOf decodes CCHHR.
func addressOf(p []byte) Address {
	c, h := trackAddress(p)
	return Address{c, h, int(p[4])}
}

func trackAddress(p []byte) (cylinder, head int) {
	return int(binary.BigEndian.Uint16(p)), int(binary.BigEndian.Uint16(p[2:]))
}

// WriteText writes the description for people.
func (i *Info) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("volume      %s", i.Path)
	switch l := i.Label; {
	case i.Damage != "":
		p.line("label       cannot be read: %s", i.Damage)
	case l == nil:
		p.line("label       none")
	case l.Contents != nil:
		p.line("label       %s, owner %q, table of contents at %v", l.Serial, l.Owner, *l.Contents)
	default:
		p.line("label       %s, owner %q, table of contents at block %d", l.Serial, l.Owner, l.Block)
	}
	g := i.Geometry
	if g.Blocks > 0 {
		p.line("device      %s, %d blocks of %d bytes", g.Device, g.Blocks, media.BlockSize)
	} else {
		p.line("device      %s, %d cylinders of %d heads, %d tracks of %d bytes", g.Device, g.Cylinders, g.Heads, g.Tracks, g.TrackSize)
	}
	m := i.Image
	format := string(m.Format)
	if m.Compression != "" {
		format += ", compression " + m.Compression
	}
	if m.Wide {
		format += ", 64-bit offsets"
	}
	if m.BigEndian {
		format += ", big-endian"
	}
	if m.Shadows > 0 {
		format += fmt.Sprintf(", %d shadow files", m.Shadows)
	}
	p.line("format      %s", format)
	for _, f := range m.Files {
		p.line("file        %s, %d bytes", f.Path, f.Bytes)
	}
	if m.Format.Compressed() {
		unit := "tracks"
		if m.Format.FBA() {
			unit = "block groups"
		}
		p.line("stored      %d %s, %d bytes used, %d bytes free in %d places", m.UnitsStored, unit, m.Used, m.Free, m.FreeSpaces)
	}
	if m.Opened {
		p.line("note        the OPENED bit is on: the image is in use, or was not closed")
	}
	for _, n := range m.Notes {
		p.line("note        %s", n)
	}
	return p.err
}

// printer keeps the first error of a series of writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
