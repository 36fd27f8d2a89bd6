package readcheck

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Content identifies the content of a unit of 512 bytes. The writes of the block
// access method fill units with tags, which stand for themselves; other bytes have
// the foreign bit and a hash. Units with equal Content are equal, for all practical
// purposes.
type Content uint64

// UnitsABlock is the number of units of a block.
const UnitsABlock = access.BlockSize / machine.UnitSize

// Block holds the contents of a block's units.
type Block [UnitsABlock]Content

const (
	// foreign marks content that does not belong to a write of the block access
	// method: it was there before, or a channel program that is run as it is has
	// stored it.
	foreign Content = 1 << 63
	hashed  Content = foreign | 1<<62
	// unlearned stands for content that is not known yet: the first read defines it.
	unlearned = foreign | 1
	// unsure stands for content that nobody can know before the next write: a channel
	// program is changing it, or has left it in doubt.
	unsure = foreign | 2
	// Missing stands for a unit that does not exist: its record is gone, or has
	// another length.
	Missing = foreign | 3
)

// OfTag returns the content of a unit filled with a tag.
func OfTag(t machine.Tag) Content { return Content(t) }

// OfBytes returns the content of the bytes of a unit.
func OfBytes(unit []byte) Content {
	if t, ok := machine.TagOf(unit); ok && Content(t)&foreign == 0 {
		return Content(t)
	}
	h := uint64(machine.UnitSize)
	for i := 0; i < machine.UnitSize; i += 8 {
		h = (h ^ binary.LittleEndian.Uint64(unit[i:])) * 0x9E3779B97F4A7C15
		h ^= h >> 29
	}
	return hashed | Content(h)
}

// alien returns v marked as content that no write of the run has stored, even if it
// looks like one: an image may have a tag of an earlier run.
func (v Content) alien() Content {
	if v&foreign != 0 {
		return v
	}
	h := uint64(v) * 0x9E3779B97F4A7C15
	return hashed | Content(h^h>>29)
}

// known reports whether v stands for known content.
func (v Content) known() bool { return v != unlearned && v != unsure }

// number returns the number of the write that has stored v, or 0 for content of no
// write.
func (v Content) number() uint64 {
	if v&foreign != 0 {
		return 0
	}
	return uint64(v) >> access.ContentShift
}

// same reports whether v, the content found in a unit, agrees with want, the
// expected one.
func same(want, v Content) bool {
	return v == want || want&foreign != 0 && want.known() && v.alien() == want
}
