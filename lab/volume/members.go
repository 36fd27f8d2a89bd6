package volume

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// Member is an entry of the directory of a partitioned data set.
type Member struct {
	Name  string `json:"name"`
	Alias bool   `json:"alias,omitempty"`
	// Track is the track of the member's first record, counted from the data set's
	// first track, and At the record's address on the volume.
	Track int     `json:"track"`
	At    Address `json:"at"`
	// UserData holds the bytes of the entry behind the address, in hexadecimal.
	UserData string `json:"userData,omitempty"`
}

// The directory of a partitioned data set, a file of named members, consists of
// records with a key of 8 bytes (the last name in the block) and 256 bytes of data,
// up to an end-of-file record. The data begins with the number of bytes in use; an
// entry is a name of 8 bytes, the relative address TTR (3 bytes), a byte with the
// alias bit and the number of halfwords of user data, and the user data. The name of
// the last entry is all ones. (DFSMS Using Data Sets, "Processing a partitioned data
// set".)
const (
	directoryKey     = 8
	directoryData    = 256
	directoryUsed    = 2
	entryName        = 8
	entryLength      = entryName + 4
	entryAlias       = 0x80
	entryHalfwords   = 0x1F
	maximumDirectory = 1 << 16 // blocks
)

// errNoDirectory says that a partitioned data set does not begin with a
// directory: libraries of the newer kind (PDSE) do not.
var errNoDirectory = errors.New("no directory")

func (l *Listing) readMembers(v *image.CKD) error {
	for i := range l.DataSets {
		d := &l.DataSets[i]
		if d.Organization != "PO" && d.Organization != "POU" {
			continue
		}
		if err := d.readDirectory(v); err != nil && !errors.Is(err, errNoDirectory) {
			return fmt.Errorf("%s: directory of data set %s: %w", l.Path, d.Name, err)
		}
	}
	return nil
}

// track returns the number on the volume of the data set's relative track.
func (d *DataSet) track(relative int, g *media.Geometry) (int, error) {
	left := relative
	for _, e := range d.Extents {
		if left < e.Tracks {
			return e.FirstCylinder*g.Heads + e.FirstHead + left, nil
		}
		left -= e.Tracks
	}
	return 0, fmt.Errorf("track %d of the data set: it has %d", relative, d.Tracks)
}

func (d *DataSet) readDirectory(v *image.CKD) error {
	g := v.Geometry()
	blocks := 0
	for relative := range d.Tracks {
		n, err := d.track(relative, g)
		if err != nil {
			return err
		}
		if n >= g.Tracks() {
			return fmt.Errorf("track %d of the data set is behind the volume's cylinders", relative)
		}
		t, err := v.Track(n)
		if err != nil {
			return err
		}
		r, err := t.Zero()
		for err == nil {
			var more bool
			if r, more, err = t.Next(r); err != nil || !more {
				break
			}
			switch {
			case r.KeyLength == 0 && r.DataLength == 0 && blocks > 0:
				return nil
			case r.KeyLength != directoryKey || r.DataLength != directoryData:
				if blocks == 0 {
					return errNoDirectory
				}
				return fmt.Errorf("cylinder %d head %d record %d has a key of %d and data of %d bytes, should be %d and %d",
					t.Cylinder, t.Head, r.Number, r.KeyLength, r.DataLength, directoryKey, directoryData)
			}
			if blocks++; blocks > maximumDirectory {
				return fmt.Errorf("more than %d blocks", maximumDirectory)
			}
			last, err := d.addMembers(t.Data(r), g)
			if err != nil {
				return fmt.Errorf("cylinder %d head %d record %d: %w", t.Cylinder, t.Head, r.Number, err)
			}
			if last {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
	if blocks == 0 {
		return errNoDirectory
	}
	return nil
}

// addMembers decodes a block of the directory, and reports whether it has the last
// entry.
func (d *DataSet) addMembers(p []byte, g *media.Geometry) (last bool, err error) {
	used := int(binary.BigEndian.Uint16(p))
	if used < directoryUsed || used > directoryData {
		return false, fmt.Errorf("block has %d bytes in use, should be %d to %d", used, directoryUsed, directoryData)
	}
	for p = p[directoryUsed:used]; len(p) > 0; {
		if len(p) >= entryName && binary.BigEndian.Uint64(p) == ^uint64(0) {
			return true, nil
		}
		if len(p) < entryLength {
			return false, fmt.Errorf("entry of %d bytes, should be at least %d", len(p), entryLength)
		}
		c := p[entryLength-1]
		end := entryLength + 2*int(c&entryHalfwords)
		if end > len(p) {
			return false, fmt.Errorf("entry of member %s takes %d bytes, the block has %d", ebcdic(p[:entryName]), end, len(p))
		}
		m := Member{
			Name: ebcdic(p[:entryName]), Alias: c&entryAlias != 0, Track: int(binary.BigEndian.Uint16(p[entryName:])),
			UserData: fmt.Sprintf("%x", p[entryLength:end]),
		}
		n, err := d.track(m.Track, g)
		if err != nil {
			return false, fmt.Errorf("member %s: %w", m.Name, err)
		}
		m.At = Address{n / g.Heads, n % g.Heads, int(p[entryName+2])}
		d.Members = append(d.Members, m)
		p = p[end:]
	}
	return false, nil
}
