package media

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// AppendImage appends the track's image to p, whatever the track's form: home
// address, records, end mark.
func (t *Track) AppendImage(p []byte) []byte {
	if t.Image != nil {
		return append(p, t.Image...)
	}
	address := t.address()
	p = append(p, 0)
	p = binary.BigEndian.AppendUint32(p, address)
	p = appendCount(p, Count{address, 0, 0, zeroData})
	p = append(p, zeros[:zeroData]...)
	n := t.DataLength / machine.UnitSize
	for i := range t.Records {
		p = appendCount(p, Count{address, uint8(i + 1), 0, uint16(t.DataLength)})
		p = appendTags(p, t.Tags[i*n:(i+1)*n])
	}
	return binary.BigEndian.AppendUint64(p, endMark)
}

func appendCount(p []byte, c Count) []byte {
	var b [countSize]byte
	c.Put(b[:])
	return append(p, b[:]...)
}

// Materialize turns a uniform track into an image with the bytes that its tags
// name. It does nothing to a track with an image.
func (t *Track) Materialize(g *Geometry) {
	if t.Image != nil {
		return
	}
	t.Image = t.AppendImage(make([]byte, 0, max(g.TrackSize, t.imageSize())))
	t.Records, t.DataLength, t.Tags = 0, 0, nil
}

// imageSize returns the length of a uniform track's image in bytes.
func (t *Track) imageSize() int {
	return homeSize + countSize + zeroData + t.Records*(countSize+t.DataLength) + countSize
}

// Format makes the track uniform: records of dataLength zero bytes behind a
// standard record zero, or record zero alone when records is 0. dataLength must be
// a multiple of 512; if it is not, or the device's capacity is less, Format fails
// with ErrNoRoom.
func (t *Track) Format(g *Geometry, records, dataLength int) error {
	if records < 0 || dataLength < 0 || dataLength%machine.UnitSize != 0 || records > 0 && (dataLength == 0 || records > g.RecordsPerTrack(0, dataLength)) {
		return fmt.Errorf("%s: %d records of %d bytes, a multiple of %d, on a track with room for %d: %w",
			g.Name, records, dataLength, machine.UnitSize, g.RecordsPerTrack(0, dataLength), ErrNoRoom)
	}
	n := records * dataLength / machine.UnitSize
	t.Image = nil
	t.Records, t.DataLength = records, dataLength
	if cap(t.Tags) < n {
		t.Tags = make([]machine.Tag, n)
	}
	t.Tags = t.Tags[:n]
	clear(t.Tags)
	return nil
}

// EraseAfter erases every record behind r.
func (t *Track) EraseAfter(r Record) {
	if t.Image == nil {
		t.Records = min(t.Records, r.Ordinal)
		t.Tags = t.Tags[:t.Records*(t.DataLength/machine.UnitSize)]
		return
	}
	t.Image = binary.BigEndian.AppendUint64(t.Image[:r.end()], endMark)
}

// EraseFrom erases r, which is not record zero, and every record behind it.
func (t *Track) EraseFrom(r Record) {
	if t.Image == nil {
		t.Records = min(t.Records, r.Ordinal-1)
		t.Tags = t.Tags[:t.Records*(t.DataLength/machine.UnitSize)]
		return
	}
	t.Image = binary.BigEndian.AppendUint64(t.Image[:r.at], endMark)
}

// Fits checks whether a record with count field c has room behind last once the
// records there are erased. It fails with ErrNoRoom when the record would exceed
// the device's capacity, and with ErrTrack on a damaged track.
func (t *Track) Fits(g *Geometry, last Record, c Count) error {
	room, err := t.room(g, last.Ordinal)
	if err != nil {
		return err
	}
	if g.lastSpace(int(c.KeyLength), int(c.DataLength)) > room || last.end()+countSize+c.Length()+countSize > g.TrackSize {
		return fmt.Errorf("cylinder %d head %d: record %d with key length %d and data length %d behind %d records on a %s: %w",
			t.Cylinder, t.Head, c.Number, c.KeyLength, c.DataLength, last.Ordinal, g.Name, ErrNoRoom)
	}
	return nil
}

// Append writes a record of zeros behind last and erases the records that were
// there. A uniform track stays uniform when the record is like the others on it.
// It fails as Fits does, and then changes nothing.
func (t *Track) Append(g *Geometry, last Record, c Count) (Record, error) {
	if err := t.Fits(g, last, c); err != nil {
		return Record{}, err
	}
	t.EraseAfter(last)
	r := Record{c, last.Ordinal + 1, last.end()}
	if t.Image == nil && t.takes(c) {
		t.DataLength = int(c.DataLength)
		t.Records++
		n := len(t.Tags) + t.DataLength/machine.UnitSize
		if cap(t.Tags) < n {
			tags := make([]machine.Tag, len(t.Tags), g.RecordsPerTrack(0, t.DataLength)*t.DataLength/machine.UnitSize)
			copy(tags, t.Tags)
			t.Tags = tags
		}
		clear(t.Tags[len(t.Tags):n])
		t.Tags = t.Tags[:n]
		return r, nil
	}
	t.Materialize(g)
	p := appendCount(t.Image[:r.at], c)
	for n := c.Length(); n > 0; n -= len(zeros) {
		p = append(p, zeros[:min(n, len(zeros))]...)
	}
	t.Image = binary.BigEndian.AppendUint64(p, endMark)
	return r, nil
}

// takes reports whether a uniform track stays uniform with such a record at its
// end.
func (t *Track) takes(c Count) bool {
	n := int(c.DataLength)
	return c.KeyLength == 0 && int(c.Number) == t.Records+1 && c.Address == t.address() &&
		n > 0 && n%machine.UnitSize == 0 && (t.Records == 0 || n == t.DataLength)
}

// ReplaceZero writes record zero anew, with a key and data of zeros, and erases
// every record behind it. It fails with ErrNoRoom, changing nothing.
func (t *Track) ReplaceZero(g *Geometry, c Count) (Record, error) {
	r := Record{c, 0, zero}
	if g.space(int(c.KeyLength), int(c.DataLength)) > g.TrackLength+g.standardZero() || r.end()+countSize > g.TrackSize {
		return Record{}, fmt.Errorf("cylinder %d head %d: record zero with key length %d and data length %d on a %s: %w",
			t.Cylinder, t.Head, c.KeyLength, c.DataLength, g.Name, ErrNoRoom)
	}
	standard := Count{t.address(), 0, 0, zeroData}
	if t.Image == nil && c == standard {
		t.Records, t.Tags = 0, t.Tags[:0]
		return r, nil
	}
	t.Materialize(g)
	p := appendCount(t.Image[:homeSize], c)
	for n := c.Length(); n > 0; n -= len(zeros) {
		p = append(p, zeros[:min(n, len(zeros))]...)
	}
	t.Image = binary.BigEndian.AppendUint64(p, endMark)
	return r, nil
}

// room returns the length, in the units of TrackLength, that is left on the track
// behind the record with the ordinal last.
func (t *Track) room(g *Geometry, last int) (int, error) {
	room := g.TrackLength
	if t.Image == nil {
		return room - min(t.Records, last)*g.space(0, t.DataLength), nil
	}
	r, err := t.Zero()
	for more := true; more && err == nil && r.Ordinal <= last; r, more, err = t.Next(r) {
		if r.Ordinal == 0 {
			if n := g.space(int(r.KeyLength), int(r.DataLength)); n > g.standardZero() {
				room -= n - g.standardZero()
			}
			continue
		}
		room -= g.space(int(r.KeyLength), int(r.DataLength))
	}
	return room, err
}

// Angle returns the angle at which the record begins on the track, in 1/65536 of a
// revolution, measured by the lengths of the records before it.
func (t *Track) Angle(g *Geometry, r Record) int {
	used := 0
	if t.Image == nil {
		used = max(0, r.Ordinal-1) * g.space(0, t.DataLength)
	} else {
		q, err := t.Zero()
		for more := true; more && err == nil && q.Ordinal < r.Ordinal; q, more, err = t.Next(q) {
			if q.Ordinal > 0 {
				used += g.space(int(q.KeyLength), int(q.DataLength))
			}
		}
	}
	whole := g.TrackLength + 2*g.standardZero()
	return min((used+2*g.standardZero()*min(r.Ordinal, 1))<<16/whole, 1<<16-1)
}

// Validate parses the whole track. It fails with ErrTrack when a record or the end
// mark is not at its place, when there are more records than a track can have,
// when the home address is not the track's, or when the image is longer than the
// device's tracks.
func (t *Track) Validate(g *Geometry) error {
	where := func() string { return fmt.Sprintf("%s cylinder %d head %d", g.Name, t.Cylinder, t.Head) }
	if t.Image == nil {
		n := t.Records * t.DataLength
		if t.Records < 0 || t.DataLength < 0 || t.DataLength%machine.UnitSize != 0 || t.DataLength > maximumData ||
			t.Records > 0 && t.Records > g.RecordsPerTrack(0, t.DataLength) || len(t.Tags) != n/machine.UnitSize {
			return fmt.Errorf("%s: uniform track of %d records of %d bytes with %d tags: %w", where(), t.Records, t.DataLength, len(t.Tags), ErrTrack)
		}
		return nil
	}
	if len(t.Image) < homeSize+countSize || len(t.Image) > g.TrackSize {
		return fmt.Errorf("%s: image of %d bytes, want %d to %d: %w", where(), len(t.Image), homeSize+countSize, g.TrackSize, ErrTrack)
	}
	if a, want := t.address(), g.Address(t.Cylinder, t.Head); a != want {
		return fmt.Errorf("%s: home address is %08X, want %08X: %w", where(), a, want, ErrTrack)
	}
	r, err := t.Zero()
	for more := true; more && err == nil; {
		if r.Ordinal > maximumRecords {
			return fmt.Errorf("%s: more than %d records: %w", where(), maximumRecords, ErrTrack)
		}
		r, more, err = t.Next(r)
	}
	if err == nil && r.end()+countSize != len(t.Image) {
		return fmt.Errorf("%s: image of %d bytes goes on behind the end mark at %d: %w", where(), len(t.Image), r.end(), ErrTrack)
	}
	return err
}

// maximumData is the longest data area that a count field can name, in bytes.
const maximumData = 1<<16 - 1

// CopyTrack makes dst, a track got with Update from a medium of geometry g, hold
// the content of src, in the same form. dst keeps its address; src must be of the
// same cylinder and head.
func CopyTrack(g *Geometry, dst, src *Track) {
	if src.Image == nil {
		dst.Image = nil
		dst.Records, dst.DataLength = src.Records, src.DataLength
		dst.Tags = append(dst.Tags[:0], src.Tags...)
		return
	}
	if cap(dst.Image) < len(src.Image) {
		dst.Image = make([]byte, 0, max(g.TrackSize, len(src.Image)))
	}
	dst.Image = append(dst.Image[:0], src.Image...)
	dst.Records, dst.DataLength, dst.Tags = 0, 0, nil
}

// EqualTrack reports whether two tracks have the same content: home address,
// records and their data, whatever their forms.
func EqualTrack(a, b *Track) bool {
	switch {
	case a.Image != nil && b.Image != nil:
		return bytes.Equal(a.Image, b.Image)
	case a.Image != nil:
		a, b = b, a
		fallthrough
	case b.Image != nil:
		return a.equalImage(b.Image)
	}
	if a.address() != b.address() || a.Records != b.Records || a.Records > 0 && a.DataLength != b.DataLength {
		return false
	}
	if len(a.Tags) > 0 && &a.Tags[0] == &b.Tags[0] {
		return true
	}
	for i, tag := range a.Tags {
		if tag != b.Tags[i] {
			return false
		}
	}
	return true
}

// equalImage compares a uniform track with an image.
func (t *Track) equalImage(p []byte) bool {
	if len(p) != t.imageSize() {
		return false
	}
	var small [homeSize + countSize + zeroData]byte
	address := t.address()
	binary.BigEndian.PutUint32(small[1:], address)
	Count{address, 0, 0, zeroData}.Put(small[homeSize:])
	if !bytes.Equal(p[:len(small)], small[:]) {
		return false
	}
	p = p[len(small):]
	n := t.DataLength / machine.UnitSize
	var unit [machine.UnitSize]byte
	for i := range t.Records {
		Count{address, uint8(i + 1), 0, uint16(t.DataLength)}.Put(unit[:])
		if !bytes.Equal(p[:countSize], unit[:countSize]) {
			return false
		}
		p = p[countSize:]
		for _, tag := range t.Tags[i*n : (i+1)*n] {
			tag.Fill(unit[:], 0)
			if !bytes.Equal(p[:len(unit)], unit[:]) {
				return false
			}
			p = p[len(unit):]
		}
	}
	return binary.BigEndian.Uint64(p) == endMark
}
