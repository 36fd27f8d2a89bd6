package machine

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Address is an absolute address in main storage, in bytes.
type Address uint64

// Limits of main storage.
const (
	// StorageSize is the size of the address space: 31 bits.
	StorageSize = 1 << 31
	// FrameSize is the granularity of mapping: a segment starts at a multiple
	// of it and no two segments share a frame.
	FrameSize = 64 << 10
	// UnitSize is the granularity of synthetic content in bytes.
	UnitSize = 512
	// KeyBlockSize is the size in bytes of a block of storage that has one storage
	// key.
	KeyBlockSize = 4096
)

// ErrAddressing says that an address is not backed by any segment.
var ErrAddressing = errors.New("address is not backed by storage")

// Tag names the content of one unit (512 bytes): any byte can be computed from
// it. Tag 0 is 512 zero bytes. Different tags have different content, for all
// practical purposes.
type Tag uint64

// Fill stores the content that t names, from byte `from` of the unit on, into
// p; from+len(p) is at most UnitSize.
func (t Tag) Fill(p []byte, from int) {
	if t == 0 {
		clear(p)
		return
	}
	if from&7 == 0 {
		for ; len(p) >= 8; p, from = p[8:], from+8 {
			binary.LittleEndian.PutUint64(p, mix(uint64(t)+uint64(from>>3)<<48))
		}
	}
	var word [8]byte
	for len(p) > 0 {
		binary.LittleEndian.PutUint64(word[:], mix(uint64(t)+uint64(from>>3)<<48))
		n := copy(p, word[from&7:])
		p = p[n:]
		from += n
	}
}

// TagOf returns the tag that names the content of the UnitSize bytes of unit, and
// false when no tag names it.
func TagOf(unit []byte) (Tag, bool) {
	first := binary.LittleEndian.Uint64(unit)
	if first == 0 && Tag(0).Is(unit) {
		return 0, true
	}
	t := Tag(unmix(first))
	return t, t != 0 && t.Is(unit)
}

// Is reports whether the UnitSize bytes of unit are the content that t names.
func (t Tag) Is(unit []byte) bool {
	unit = unit[:UnitSize]
	if t == 0 {
		var or uint64
		for i := 0; i < UnitSize; i += 8 {
			or |= binary.LittleEndian.Uint64(unit[i:])
		}
		return or == 0
	}
	for i := range uint64(UnitSize / 8) {
		if binary.LittleEndian.Uint64(unit[i*8:]) != mix(uint64(t)+i<<48) {
			return false
		}
	}
	return true
}

// Segment is a stretch of main storage. It holds bytes, or it is synthetic and
// holds one tag for each unit; Materialize turns a synthetic segment into one of
// bytes.
type Segment struct {
	Base  Address
	size  uint32
	bytes []byte
	tags  []Tag
}

// Size returns the segment's length in bytes.
func (g *Segment) Size() int { return int(g.size) }

// Synthetic reports whether the segment holds tags.
func (g *Segment) Synthetic() bool { return g.bytes == nil }

// Tags returns the segment's tags, one for each unit, or nil when it holds bytes.
// The slice is the segment's own memory.
func (g *Segment) Tags() []Tag {
	if g.bytes != nil {
		return nil
	}
	return g.tags
}

// Bytes returns the segment's bytes, or nil when it is synthetic. The slice is the
// segment's own memory.
func (g *Segment) Bytes() []byte { return g.bytes }

// Materialize makes a synthetic segment hold the bytes that its tags name.
func (g *Segment) Materialize() {
	if g.bytes != nil {
		return
	}
	b := make([]byte, g.size)
	for i, t := range g.tags {
		t.Fill(b[i*UnitSize:min((i+1)*UnitSize, len(b))], 0)
	}
	g.bytes = b
}

// Synthesize makes the segment synthetic again, all zero. The memory of its
// tags is kept for reuse; a segment that was mapped as bytes gets new memory.
func (g *Segment) Synthesize() {
	g.bytes = nil
	if g.tags == nil {
		g.tags = make([]Tag, (int(g.size)+UnitSize-1)/UnitSize)
		return
	}
	clear(g.tags)
}

// Storage is main storage: an address space of StorageSize bytes in which segments
// are mapped. An access to an address that is not mapped is an addressing
// exception for the processor and a program check for the channel.
type Storage struct {
	frames [StorageSize / FrameSize]*Segment
	keys   map[uint32]byte // indexed by address / KeyBlockSize; a missing entry means key 0
}

// MapBytes maps size zero bytes at base.
func (s *Storage) MapBytes(base Address, size int) (*Segment, error) {
	g := &Segment{Base: base, size: uint32(size)}
	if err := s.place(g, size); err != nil {
		return nil, err
	}
	g.bytes = make([]byte, size)
	return g, nil
}

// MapSynthetic maps size bytes of synthetic content at base, all zero.
func (s *Storage) MapSynthetic(base Address, size int) (*Segment, error) {
	g := &Segment{Base: base, size: uint32(size)}
	if err := s.place(g, size); err != nil {
		return nil, err
	}
	g.Synthesize()
	return g, nil
}

// Unmap takes the segment away.
func (s *Storage) Unmap(g *Segment) {
	for f := int(g.Base) / FrameSize; f <= (int(g.Base)+int(g.size)-1)/FrameSize; f++ {
		if s.frames[f] == g {
			s.frames[f] = nil
		}
	}
}

func (s *Storage) place(g *Segment, size int) error {
	switch {
	case g.Base%FrameSize != 0:
		return fmt.Errorf("segment at %#x: base is not a multiple of %d", uint64(g.Base), FrameSize)
	case size <= 0 || g.Base >= StorageSize || uint64(g.Base)+uint64(size) > StorageSize:
		return fmt.Errorf("segment at %#x: size %d does not fit the %d bytes of main storage", uint64(g.Base), size, StorageSize)
	}
	first, last := int(g.Base)/FrameSize, (int(g.Base)+size-1)/FrameSize
	for f := first; f <= last; f++ {
		if o := s.frames[f]; o != nil {
			return fmt.Errorf("segment at %#x, %d bytes: overlaps the segment at %#x, %d bytes", uint64(g.Base), size, uint64(o.Base), o.size)
		}
	}
	for f := first; f <= last; f++ {
		s.frames[f] = g
	}
	return nil
}

// Segment returns the segment that holds the byte at a, or nil.
func (s *Storage) Segment(a Address) *Segment {
	if a >= StorageSize {
		return nil
	}
	g := s.frames[a/FrameSize]
	if g == nil || a-g.Base >= Address(g.size) {
		return nil
	}
	return g
}

// View returns a view of the n bytes at a when they lie in one segment that holds
// bytes, else nil. It is the fast way to read a control block or a CCW.
func (s *Storage) View(a Address, n int) []byte {
	g := s.Segment(a)
	if g == nil || g.bytes == nil {
		return nil
	}
	o := int(a - g.Base)
	if o+n > len(g.bytes) {
		return nil
	}
	return g.bytes[o : o+n : o+n]
}

// TagView returns a view of the tags of the n bytes at a when a and n are
// multiples of the unit and the bytes lie in one synthetic segment, else nil.
func (s *Storage) TagView(a Address, n int) []Tag {
	g := s.Segment(a)
	if g == nil || g.bytes != nil {
		return nil
	}
	o := int(a - g.Base)
	if o%UnitSize != 0 || n%UnitSize != 0 || o+n > int(g.size) {
		return nil
	}
	return g.tags[o/UnitSize : (o+n)/UnitSize : (o+n)/UnitSize]
}

// Load copies the len(p) bytes at a into p, across segments, computing synthetic
// content. It returns the number of bytes that it copied before it met an address
// that is not backed, and then an ErrAddressing.
func (s *Storage) Load(a Address, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		g := s.Segment(a)
		if g == nil {
			return done, fmt.Errorf("load at %#x: %w", uint64(a), ErrAddressing)
		}
		o := int(a - g.Base)
		n := min(len(p)-done, int(g.size)-o)
		if g.bytes != nil {
			copy(p[done:done+n], g.bytes[o:])
		} else {
			n = min(n, UnitSize-o%UnitSize)
			g.tags[o/UnitSize].Fill(p[done:done+n], o%UnitSize)
		}
		done += n
		a += Address(n)
	}
	return done, nil
}

// Store copies p to a, across segments. A synthetic segment that it touches
// becomes one of bytes. It returns the number of bytes that it stored before it
// met an address that is not backed, and then an ErrAddressing.
func (s *Storage) Store(a Address, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		g := s.Segment(a)
		if g == nil {
			return done, fmt.Errorf("store at %#x: %w", uint64(a), ErrAddressing)
		}
		g.Materialize()
		n := copy(g.bytes[a-g.Base:], p[done:])
		done += n
		a += Address(n)
	}
	return done, nil
}

// Key returns the storage key (access control bits in the high four bits, fetch
// protection 08) of the block that holds a.
func (s *Storage) Key(a Address) byte {
	if s.keys == nil {
		return 0
	}
	return s.keys[uint32(a/KeyBlockSize)]
}

// Keyed reports whether any block has a key other than zero.
func (s *Storage) Keyed() bool { return len(s.keys) != 0 }

// SetKey sets the storage key of the block that holds a.
func (s *Storage) SetKey(a Address, key byte) {
	if key == 0 {
		delete(s.keys, uint32(a/KeyBlockSize))
		return
	}
	if s.keys == nil {
		s.keys = make(map[uint32]byte)
	}
	s.keys[uint32(a/KeyBlockSize)] = key
}
