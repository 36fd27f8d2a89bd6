package volume

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// Listing is a volume's table of contents.
type Listing struct {
	Path     string    `json:"path"`
	Geometry Geometry  `json:"geometry"`
	Label    *Label    `json:"label,omitempty"`
	Contents *Extent   `json:"contents,omitempty"` // the extent of the table
	DataSets []DataSet `json:"dataSets"`
	Tracks   int       `json:"tracks"` // number of tracks allocated to the data sets
}

// DataSet describes a data set (a file) by its format 1 or 8 label.
type DataSet struct {
	Name         string   `json:"name"`
	Serial       string   `json:"serial"`
	Sequence     int      `json:"sequence"` // sequence number of the volume
	Created      string   `json:"created,omitempty"`
	Referenced   string   `json:"referenced,omitempty"`
	Expires      string   `json:"expires,omitempty"`
	System       string   `json:"system,omitempty"`
	Organization string   `json:"organization"`
	RecordFormat string   `json:"recordFormat"`
	RecordLength int      `json:"recordLength"`
	BlockSize    int      `json:"blockSize"`
	KeyLength    int      `json:"keyLength"`
	Extents      []Extent `json:"extents"`
	Tracks       int      `json:"tracks"`
	// Unit is the unit of the request for space: "TRK" (tracks), "CYL" (cylinders),
	// "BLK" (blocks) or "ABS" (given tracks); Secondary is the size of an extension in
	// that unit.
	Unit      string `json:"unit"`
	Secondary int    `json:"secondary"`
	// UsedTracks is the number of tracks up to the last block written, according to
	// the label; it is 0 for data sets without that entry.
	UsedTracks int     `json:"usedTracks"`
	At         Address `json:"at"` // address of the label
	// Members lists the members of a partitioned data set, if they were asked for.
	Members []Member `json:"members,omitempty"`
}

// Extent is a stretch of tracks, first and last one included.
type Extent struct {
	FirstCylinder int `json:"firstCylinder"`
	FirstHead     int `json:"firstHead"`
	LastCylinder  int `json:"lastCylinder"`
	LastHead      int `json:"lastHead"`
	Tracks        int `json:"tracks"`
}

func (e Extent) String() string {
	return fmt.Sprintf("%d/%d-%d/%d", e.FirstCylinder, e.FirstHead, e.LastCylinder, e.LastHead)
}

// ErrNoContents says that a volume has no table of contents at the address in its
// label.
var ErrNoContents = errors.New("volume has no table of contents")

// List lists the data sets of the volume at path; of an FBA volume it lists only the
// label. With members, it also reads the directories of partitioned data sets. When
// there is no table of contents, as on freshly made volumes, it returns
// ErrNoContents together with the rest of the listing.
func List(path string, members bool, o image.Options) (*Listing, error) {
	v, err := image.Open(path, media.ReadOnly, o)
	if err != nil {
		return nil, err
	}
	l := &Listing{Path: path, Geometry: geometryOf(v.Geometry()), DataSets: []DataSet{}}
	l.Label, err = readLabel(v)
	if c, ok := v.(*image.CKD); ok && err == nil {
		if err = l.read(c); err == nil && members {
			err = l.readMembers(c)
		}
	}
	return l, errors.Join(err, v.Close())
}

// dataLabel is a record of the table of contents (a DSCB).
type dataLabel struct {
	key  [labelKeyLength]byte
	data [labelDataLength]byte
}

// Lengths of a data label's key and data, and offsets in its data; the manuals count
// from the beginning of the key, which gives 44 more (DFSMSdfp Advanced Services,
// "VTOC").
const (
	labelKeyLength  = 44
	labelDataLength = 96

	dsFormat     = 0
	dsSerial     = 1
	dsSequence   = 7
	dsCreated    = 9
	dsExpires    = 12
	dsExtents    = 15
	dsSystem     = 18
	dsSystemEnd  = 31
	dsReferenced = 31
	dsOrg        = 38
	dsRecfm      = 40
	dsBlksize    = 42
	dsLrecl      = 44
	dsKeylen     = 46
	dsSpace      = 50 // flags of the request for space, then the secondary amount in 3 bytes
	dsLastBlock  = 54 // TTR
	dsExtent     = 61
	dsNext       = 91

	contentsExtent = 61 // in a format 4 label

	extentLength   = 10 // type, sequence number, low and high address
	extentsInFirst = 3
	extentsInKey   = 4 // number of extents in the key of a format 3 label, behind its four-byte mark
	extentsInData  = 9
	keyMarkLength  = 4
	maximumExtents = 123
	maximumLabels  = 1 << 20 // largest number of labels of a table of contents
)

// Format bytes of data labels.
const (
	format1 = 0xF1
	format3 = 0xF3
	format4 = 0xF4
	format8 = 0xF8
	format9 = 0xF9
)

// read reads the table of contents.
func (l *Listing) read(v *image.CKD) error {
	if l.Label == nil || l.Label.Contents == nil {
		return fmt.Errorf("%s: no volume label: %w", l.Path, ErrNoContents)
	}
	at := *l.Label.Contents
	first, err := readDataLabel(v, at)
	if err != nil {
		return err
	}
	if first == nil || first.data[dsFormat] != format4 {
		return fmt.Errorf("%s, %v: no format 4 label: %w", l.Path, at, ErrNoContents)
	}
	e, err := extentOf(first.data[contentsExtent:], v.Geometry())
	if err != nil {
		return fmt.Errorf("%s, %v: extent of the table of contents: %w", l.Path, at, err)
	}
	l.Contents = &e
	heads := v.Geometry().Heads
	from := e.FirstCylinder*heads + e.FirstHead
	labels := 0
	for n := from; n < from+e.Tracks; n++ {
		found, err := labelsOf(v, n)
		if err != nil {
			return err
		}
		if labels += len(found); labels > maximumLabels {
			return fmt.Errorf("%s: table of contents has more than %d labels", l.Path, maximumLabels)
		}
		for _, f := range found {
			d, err := dataSet(v, &f.label)
			if err != nil {
				return fmt.Errorf("%s, %v: data set %s: %w", l.Path, f.at, ebcdic(f.label.key[:]), err)
			}
			d.At = f.at
			l.DataSets = append(l.DataSets, *d)
			l.Tracks += d.Tracks
		}
	}
	return nil
}

type found struct {
	label dataLabel
	at    Address
}

// labelsOf returns the format 1 and 8 labels of track n.
func labelsOf(v *image.CKD, n int) ([]found, error) {
	t, err := v.Track(n)
	if err != nil {
		return nil, err
	}
	var list []found
	r, err := t.Zero()
	for more := true; more && err == nil; r, more, err = t.Next(r) {
		if r.KeyLength != labelKeyLength || r.DataLength != labelDataLength {
			continue
		}
		if f := t.Data(r)[dsFormat]; f != format1 && f != format8 {
			continue
		}
		var d dataLabel
		copy(d.key[:], t.Key(r))
		copy(d.data[:], t.Data(r))
		list = append(list, found{d, Address{t.Cylinder, t.Head, int(r.Number)}})
	}
	return list, err
}

// readDataLabel reads the label at a; it returns nil when there is no such record.
func readDataLabel(v *image.CKD, a Address) (*dataLabel, error) {
	g := v.Geometry()
	if a.Cylinder >= g.Cylinders || a.Head >= g.Heads {
		return nil, fmt.Errorf("%v is not on the volume of %d cylinders of %d heads", a, g.Cylinders, g.Heads)
	}
	t, err := v.Track(a.Cylinder*g.Heads + a.Head)
	if err != nil {
		return nil, err
	}
	r, ok, err := t.Find(uint8(a.Record))
	if err != nil || !ok || r.KeyLength != labelKeyLength || r.DataLength != labelDataLength {
		return nil, err
	}
	d := new(dataLabel)
	copy(d.key[:], t.Key(r))
	copy(d.data[:], t.Data(r))
	return d, nil
}

func dataSet(v *image.CKD, l *dataLabel) (*DataSet, error) {
	p := l.data[:]
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(p[at:])) }
	d := &DataSet{
		Name: ebcdic(l.key[:]), Serial: ebcdic(p[dsSerial:dsSequence]), Sequence: u16(dsSequence),
		Created: date(p[dsCreated:]), Referenced: date(p[dsReferenced:]), Expires: date(p[dsExpires:]),
		System:       strings.TrimRight(ebcdic(p[dsSystem:dsSystemEnd]), " ."),
		Organization: organization(p[dsOrg], p[dsOrg+1]), RecordFormat: recordFormat(p[dsRecfm]),
		RecordLength: u16(dsLrecl), BlockSize: u16(dsBlksize), KeyLength: int(p[dsKeylen]),
		Unit: spaceUnits[p[dsSpace]>>6], Secondary: int(p[dsSpace+1])<<16 | u16(dsSpace+2),
		Extents: []Extent{},
	}
	if last := p[dsLastBlock : dsLastBlock+3]; last[0] != 0 || last[1] != 0 || last[2] != 0 {
		d.UsedTracks = u16(dsLastBlock) + 1
	}
	err := d.addExtents(v, l)
	for _, e := range d.Extents {
		d.Tracks += e.Tracks
	}
	return d, err
}

// addExtents collects the extents of a data set: three in its first label, and
// those of the format 3 labels that its chain leads to.
func (d *DataSet) addExtents(v *image.CKD, l *dataLabel) error {
	left := int(l.data[dsExtents])
	if left > maximumExtents {
		return fmt.Errorf("label says %d extents, should be at most %d", left, maximumExtents)
	}
	take := func(p []byte, n int) error {
		for range min(n, left) {
			e, err := extentOf(p, v.Geometry())
			if err != nil {
				return fmt.Errorf("extent %d: %w", len(d.Extents)+1, err)
			}
			d.Extents = append(d.Extents, e)
			p = p[extentLength:]
			left--
		}
		return nil
	}
	if err := take(l.data[dsExtent:], extentsInFirst); err != nil {
		return err
	}
	for hops := 0; left > 0; hops++ {
		next := addressOf(l.data[dsNext:])
		if next == (Address{}) || hops > maximumExtents {
			return fmt.Errorf("label says %d extents, its chain of labels has %d", len(d.Extents)+left, len(d.Extents))
		}
		var err error
		if l, err = readDataLabel(v, next); err != nil {
			return err
		}
		switch {
		case l == nil || l.data[dsFormat] != format3 && l.data[dsFormat] != format9:
			return fmt.Errorf("its chain of labels goes to %v, where no format 3 or 9 label is", next)
		case l.data[dsFormat] == format9:
			continue
		}
		if err := take(l.key[keyMarkLength:], extentsInKey); err != nil {
			return err
		}
		if err := take(l.data[1:], extentsInData); err != nil {
			return err
		}
	}
	return nil
}

func extentOf(p []byte, g *media.Geometry) (Extent, error) {
	var e Extent
	e.FirstCylinder, e.FirstHead = trackAddress(p[2:])
	e.LastCylinder, e.LastHead = trackAddress(p[6:])
	e.Tracks = (e.LastCylinder-e.FirstCylinder)*g.Heads + e.LastHead - e.FirstHead + 1
	if e.LastCylinder >= g.Cylinders+g.Alternates || e.FirstHead >= g.Heads || e.LastHead >= g.Heads || e.Tracks < 1 {
		return e, fmt.Errorf("tracks %v are not on a volume of %d cylinders of %d heads", e, g.Cylinders, g.Heads)
	}
	return e, nil
}

// spaceUnits are the units of requests for space, by the high two bits of their
// flags.
var spaceUnits = [4]string{"ABS", "BLK", "TRK", "CYL"}

// date returns the text of a date, given as a year since 1900 and a day of the year.
func date(p []byte) string {
	day := int(binary.BigEndian.Uint16(p[1:]))
	if p[0] == 0 && day == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%03d", 1900+int(p[0]), day)
}

// organization returns the name of a data set's organization.
func organization(a, b byte) string {
	s := "?"
	switch {
	case a&0x80 != 0:
		s = "IS"
	case a&0x40 != 0:
		s = "PS"
	case a&0x20 != 0:
		s = "DA"
	case a&0x02 != 0:
		s = "PO"
	case b&0x08 != 0:
		s = "VS"
	case a == 0 && b == 0:
		s = ""
	}
	if a&0x01 != 0 {
		s += "U"
	}
	return s
}

// recordFormat returns the name of a record format.
func recordFormat(b byte) string {
	s := ""
	switch b & 0xC0 {
	case 0xC0:
		s = "U"
	case 0x80:
		s = "F"
	case 0x40:
		s = "V"
	}
	for _, f := range []struct {
		bit  byte
		name string
	}{{0x20, "T"}, {0x10, "B"}, {0x08, "S"}, {0x04, "A"}, {0x02, "M"}} {
		if b&f.bit != 0 {
			s += f.name
		}
	}
	return s
}

// WriteText writes the listing as a table.
func (l *Listing) WriteText(w io.Writer) error {
	p := &printer{w: w}
	if l.Label == nil {
		p.line("%s: no label", l.Path)
		return p.err
	}
	if l.Contents == nil {
		p.line("%s: volume %s, no table of contents", l.Path, l.Label.Serial)
		return p.err
	}
	p.line("%s: volume %s, %d data sets, %d of %d tracks allocated, table of contents at %v", l.Path, l.Label.Serial, len(l.DataSets), l.Tracks+l.Contents.Tracks, l.Geometry.Tracks, *l.Contents)
	if len(l.DataSets) == 0 {
		return p.err
	}
	p.line("%-44s %-3s %-5s %6s %6s %3s %6s %6s %3s %-4s %6s %-8s %s", "data set", "org", "recfm", "lrecl", "blksz", "key", "tracks", "used", "ext", "unit", "second", "created", "extents")
	for i := range l.DataSets {
		d := &l.DataSets[i]
		extents := make([]string, len(d.Extents))
		for k, e := range d.Extents {
			extents[k] = e.String()
		}
		p.line("%-44s %-3s %-5s %6d %6d %3d %6d %6d %3d %-4s %6d %-8s %s", d.Name, d.Organization, d.RecordFormat, d.RecordLength, d.BlockSize, d.KeyLength, d.Tracks, d.UsedTracks, len(d.Extents), d.Unit, d.Secondary, d.Created, strings.Join(extents, " "))
		for _, m := range d.Members {
			kind := ""
			if m.Alias {
				kind = ", alias"
			}
			p.line("  %-8s %v%s", m.Name, m.At, kind)
		}
	}
	return p.err
}
