package observer

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// A spot is a place on a medium: in the high bits a track, or a group of blocks,
// and in the low spotBits the ordinal of a record on it, or the number of a block in
// the group. The spot dasd.WholeTrack stands for the end of the track; its content
// is the number of records.
type spot uint64

const spotBits = 16

func at(track, ordinal int) spot { return spot(track)<<spotBits | spot(ordinal) }

func (s spot) track() int   { return int(s >> spotBits) }
func (s spot) ordinal() int { return int(s & (1<<spotBits - 1)) }

// A digest identifies the content of a spot, in whatever form the medium stores it.
// Different content has different digests, for all practical purposes.
type digest uint64

// absent is the digest of a record that does not exist.
const absent digest = 0

const (
	digestSeed  = 0x9E3779B97F4A7C15
	digestPrime = 0xBF58476D1CE4E5B9
)

func (d digest) with(v uint64) digest {
	d = (d ^ digest(v)) * digestPrime
	return d ^ d>>29
}

// ofBytes returns the digest of a piece of data.
func ofBytes(p []byte) digest {
	d := digest(digestSeed)
	for ; len(p) >= 8; p = p[8:] {
		d = d.with(binary.LittleEndian.Uint64(p))
	}
	for _, b := range p {
		d = d.with(uint64(b))
	}
	return d
}

// cachedTags is the number of digests of tags that are kept; it is a power of two.
const cachedTags = 1 << 13

// reader computes digests of the content of media.
type reader struct {
	tags [cachedTags]struct {
		tag    machine.Tag
		digest digest
	}
	unit [machine.UnitSize]byte
}

// tag returns the digest of the 512 bytes that a tag stands for.
func (r *reader) tag(t machine.Tag) digest {
	c := &r.tags[uint64(t)*digestSeed>>(64-13)]
	if c.digest == 0 || c.tag != t {
		t.Fill(r.unit[:], 0)
		c.tag, c.digest = t, ofBytes(r.unit[:])
	}
	return c.digest
}

// digest returns the digest of the content of a spot of a device.
func (r *reader) digest(d *dasd.Device, s spot) digest {
	if f := d.FBA(); f != nil {
		return r.block(f, int64(s.track())*media.GroupBlocks+int64(s.ordinal()))
	}
	t, err := d.CKD().Track(s.track())
	if err != nil {
		return absent
	}
	if s.ordinal() == dasd.WholeTrack {
		return digest(digestSeed).with(uint64(records(t)))
	}
	c, more, err := t.Record(s.ordinal())
	if err != nil || !more {
		return absent
	}
	sum := digest(digestSeed).with(uint64(c.Address)<<32 | uint64(c.Number)<<24 | uint64(c.KeyLength)<<16 | uint64(c.DataLength))
	if c.KeyLength != 0 {
		sum = sum.with(uint64(ofBytes(t.Key(c))))
	}
	if tags := t.DataTags(c); tags != nil {
		for _, tag := range tags {
			sum = sum.with(uint64(r.tag(tag)))
		}
		return sum
	}
	data := t.Data(c)
	if t.Uniform() { // record zero
		data = t.AppendData(r.unit[:0], c)
	}
	for len(data) > 0 {
		n := min(len(data), machine.UnitSize)
		sum = sum.with(uint64(ofBytes(data[:n])))
		data = data[n:]
	}
	return sum
}

func (r *reader) block(f media.FBA, block int64) digest {
	var tag [1]machine.Tag
	if f.ReadTags(block, tag[:]) {
		return r.tag(tag[0])
	}
	if err := f.ReadBlocks(block, r.unit[:]); err != nil {
		return absent
	}
	return ofBytes(r.unit[:])
}

// records returns the number of records of a track behind record zero.
func records(t *media.Track) int {
	if t.Uniform() {
		return t.Records
	}
	n := 0
	r, err := t.Zero()
	for more := true; err == nil; n++ {
		if r, more, err = t.Next(r); !more {
			break
		}
	}
	return n
}

// same reports whether a track, or a group of blocks, is the same on two devices.
func same(a, b *dasd.Device, track int) bool {
	if f := a.FBA(); f != nil {
		first := int64(track) * media.GroupBlocks
		equal, err := media.EqualBlocks(f, b.FBA(), first, int(min(media.GroupBlocks, a.Geometry().Blocks-first)))
		return err == nil && equal
	}
	x, err := a.CKD().Track(track)
	if err != nil {
		return false
	}
	y, err := b.CKD().Track(track)
	return err == nil && media.EqualTrack(x, y)
}
