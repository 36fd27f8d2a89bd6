package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Sizes in a track image, in bytes.
const (
	homeSize  = 5 // flag byte, CC, HH
	countSize = 8 // CC, HH, R, KL, DL; the end mark is as long
	zeroData  = 8 // the data of a standard record zero
)

// Errors of tracks.
var (
	// ErrTrack says that a track image cannot be parsed.
	ErrTrack = errors.New("track image is damaged")
	// ErrNoRoom says that a record does not fit its track.
	ErrNoRoom = errors.New("record does not fit the track")
)

// Count is the count field of a record.
type Count struct {
	// Address is the record's CCHH; usually, but not of necessity, the address of the
	// track.
	Address    uint32
	Number     uint8
	KeyLength  uint8
	DataLength uint16
}

// CountSize is the size of a count field in bytes.
const CountSize = countSize

// ParseCount reads a count field from the first eight bytes of p.
func ParseCount(p []byte) Count {
	_ = p[7]
	return Count{binary.BigEndian.Uint32(p), p[4], p[5], binary.BigEndian.Uint16(p[6:])}
}

// Put stores the count field into the first eight bytes of p.
func (c Count) Put(p []byte) {
	_ = p[7]
	binary.BigEndian.PutUint32(p, c.Address)
	p[4], p[5] = c.Number, c.KeyLength
	binary.BigEndian.PutUint16(p[6:], c.DataLength)
}

// Length is the number of bytes of key and data.
func (c Count) Length() int { return int(c.KeyLength) + int(c.DataLength) }

// Record is a record of a track with its place. It stays valid when the track is
// materialised, and until a record is erased or its lengths change.
type Record struct {
	Count
	// Ordinal is the record's place on the track; record zero has 0.
	Ordinal int
	// at is the offset of the count field in the image; on a uniform track, the
	// offset that it would have.
	at int
}

// zero is the offset of record zero in an image.
const zero = homeSize

func (r *Record) keyAt() int  { return r.at + countSize }
func (r *Record) dataAt() int { return r.at + countSize + int(r.KeyLength) }
func (r *Record) end() int    { return r.at + countSize + r.Length() }

// address returns the track's own address from its home address; a uniform track
// has it only in Cylinder and Head.
func (t *Track) address() uint32 {
	if len(t.Image) >= homeSize {
		return binary.BigEndian.Uint32(t.Image[1:])
	}
	return uint32(t.Cylinder)<<16 | uint32(t.Cylinder>>16<<4) | uint32(t.Head)
}

// Uniform reports whether the track is in the uniform form.
func (t *Track) Uniform() bool { return t.Image == nil }

// Zero returns record zero. It fails with ErrTrack if there is none.
func (t *Track) Zero() (Record, error) {
	if t.Image == nil {
		return Record{Count{t.address(), 0, 0, zeroData}, 0, zero}, nil
	}
	return t.load(0, zero)
}

// Next returns the record behind r; more is false at the end of the track. It
// fails with ErrTrack if neither a record nor the end mark follows.
func (t *Track) Next(r Record) (next Record, more bool, err error) {
	at := r.end()
	if t.Image == nil {
		if r.Ordinal >= t.Records {
			return r, false, nil
		}
		n := r.Ordinal + 1
		return Record{Count{t.address(), uint8(n), 0, uint16(t.DataLength)}, n, at}, true, nil
	}
	if t.isEnd(at) {
		return r, false, nil
	}
	next, err = t.load(r.Ordinal+1, at)
	return next, err == nil, err
}

// Record returns the record of an ordinal; more is false when the track has fewer
// records. It fails with ErrTrack on a damaged track.
func (t *Track) Record(ordinal int) (r Record, more bool, err error) {
	r, err = t.Zero()
	if t.Image == nil && ordinal > 0 {
		n := ordinal - 1
		r.Ordinal, r.at = n, zero+countSize+zeroData+(n-1)*(countSize+t.DataLength)
		if n == 0 {
			r.at = zero
		} else {
			r.DataLength = uint16(t.DataLength)
		}
		return t.Next(r)
	}
	for more = true; r.Ordinal < ordinal && more && err == nil; {
		r, more, err = t.Next(r)
	}
	return r, more && err == nil, err
}

// Find returns the first record behind record zero whose count field names number
// and the address of the track.
func (t *Track) Find(number uint8) (Record, bool, error) {
	if t.Image == nil && number > 0 {
		return t.Record(int(number))
	}
	r, err := t.Zero()
	for more := true; more && err == nil; r, more, err = t.Next(r) {
		if r.Number == number {
			return r, true, nil
		}
	}
	return Record{}, false, err
}

// load reads the record whose count field is at offset at of the image.
func (t *Track) load(ordinal, at int) (Record, error) {
	p := t.Image
	if at+countSize > len(p) {
		return Record{}, fmt.Errorf("cylinder %d head %d: no end mark in the %d bytes of the image: %w", t.Cylinder, t.Head, len(p), ErrTrack)
	}
	r := Record{ParseCount(p[at:]), ordinal, at}
	switch {
	case r.end()+countSize > len(p):
		return Record{}, fmt.Errorf("cylinder %d head %d, byte %d: record %d with key length %d and data length %d goes beyond the %d bytes of the image: %w",
			t.Cylinder, t.Head, at, r.Number, r.KeyLength, r.DataLength, len(p), ErrTrack)
	case ordinal == 0 && (r.Number != 0 || t.isEnd(at)):
		return Record{}, fmt.Errorf("cylinder %d head %d: the first record is not record zero but %d: %w", t.Cylinder, t.Head, r.Number, ErrTrack)
	}
	return r, nil
}

func (t *Track) isEnd(at int) bool {
	return at+countSize <= len(t.Image) && binary.BigEndian.Uint64(t.Image[at:]) == endMark
}

// endMark is the mark behind the last record of an image.
const endMark = ^uint64(0)

// Key returns the record's key, as a part of the image: for reading, or on a track
// got with Update for changing. It is nil for a record without key.
func (t *Track) Key(r Record) []byte {
	if t.Image == nil {
		return nil
	}
	return t.Image[r.keyAt():r.dataAt():r.dataAt()]
}

// Data returns the record's data, as a part of the image like Key; nil on a
// uniform track.
func (t *Track) Data(r Record) []byte {
	if t.Image == nil {
		return nil
	}
	return t.Image[r.dataAt():r.end():r.end()]
}

// DataTags returns the record's data on a uniform track, as tags: for reading, or
// on a track got with Update for changing. It is nil for record zero and on a
// track with an image.
func (t *Track) DataTags(r Record) []machine.Tag {
	if t.Image != nil || r.Ordinal == 0 {
		return nil
	}
	n := t.DataLength / machine.UnitSize
	return t.Tags[(r.Ordinal-1)*n : r.Ordinal*n : r.Ordinal*n]
}

// AppendData appends the record's data to p, whatever the track's form.
func (t *Track) AppendData(p []byte, r Record) []byte {
	if t.Image != nil {
		return append(p, t.Data(r)...)
	}
	if r.Ordinal == 0 {
		return append(p, make([]byte, zeroData)...)
	}
	return appendTags(p, t.DataTags(r))
}

func appendTags(p []byte, tags []machine.Tag) []byte {
	n := len(p)
	p = slices.Grow(p, len(tags)*machine.UnitSize)[:n+len(tags)*machine.UnitSize]
	for _, tag := range tags {
		tag.Fill(p[n:n+machine.UnitSize], 0)
		n += machine.UnitSize
	}
	return p
}

var zeros [machine.UnitSize]byte
