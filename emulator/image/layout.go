package image

import "encoding/binary"

// The layout of a compressed file: device header, compressed header, level 1
// table (one offset for every 256 units), then in any order level 2 tables (256
// entries each), stored units and free space. Two forms exist, with 32-bit
// (Hercules 3) and 64-bit offsets (Hercules 4).
const (
	compressedHeaderOffset = headerSize
	compressedHeaderSize   = 512
	level1Offset           = compressedHeaderOffset + compressedHeaderSize
	level2Entries          = 256
)

// Bits of the options byte of the compressed header.
const (
	optionBigEndian   = 0x02
	optionSpaceErrors = 0x20
	optionReadWrite   = 0x40 // written to since the last check
	optionOpened      = 0x80 // not closed properly, or open now
)

// below stands in place of an offset for a unit that is in the file under a shadow
// file; on disk all its bits are one.
const below = -1

// layout is the form of a compressed file.
type layout struct {
	wide  bool
	order binary.ByteOrder
}

// word returns the size in bytes of an offset: the size of a level 1 entry, half
// the size of a free-space entry.
func (l layout) word() int64 {
	if l.wide {
		return 8
	}
	return 4
}

func (l layout) level2EntrySize() int64 { return 2 * l.word() }

func (l layout) level2Size() int64 { return level2Entries * l.level2EntrySize() }

// freeBlockSize returns the size in bytes of an entry of the free-space chain.
func (l layout) freeBlockSize() int64 { return 2 * l.word() }

// limit returns the largest size of a file in bytes.
func (l layout) limit() int64 {
	if l.wide {
		return 1 << 50
	}
	return 1<<32 - 1
}

func (l layout) offset(p []byte) int64 {
	if l.wide {
		return int64(l.order.Uint64(p))
	}
	v := l.order.Uint32(p)
	if v == ^uint32(0) {
		return below
	}
	return int64(v)
}

func (l layout) putOffset(p []byte, v int64) {
	if l.wide {
		l.order.PutUint64(p, uint64(v))
		return
	}
	l.order.PutUint32(p, uint32(v))
}

// location is an entry of a level 2 table. With offset 0 the unit is not stored,
// and length is the NullFormat of a track; with offset below the file under the
// shadow file has the unit.
type location struct {
	offset int64
	length uint16 // number of bytes stored
	size   uint16 // number of bytes of its space, at least length
}

func (l layout) location(p []byte) location {
	w := l.word()
	return location{l.offset(p), l.order.Uint16(p[w:]), l.order.Uint16(p[w+2:])}
}

func (l layout) putLocation(p []byte, e location) {
	w := l.word()
	l.putOffset(p, e.offset)
	l.order.PutUint16(p[w:], e.length)
	l.order.PutUint16(p[w+2:], e.size)
	if l.wide {
		clear(p[w+4 : 2*w])
	}
}

// compressedHeader is the second header. raw keeps its reserved bytes.
type compressedHeader struct {
	raw         []byte
	options     byte
	level1      uint32 // number of entries
	level2      uint32 // number of entries of each table
	size        int64  // number of bytes up to the end of the used and free space
	used        int64  // number of bytes in use
	free        int64  // offset of the free-space table or chain
	freeTotal   int64  // number of free bytes, embedded ones included
	freeLargest int64
	freeNumber  int64
	freeEmbed   int64  // number of free bytes inside the space of units
	units       uint32 // number of cylinders, or of blocks; little-endian always
	nullFormat  byte
	compression byte
	parameter   int16
}

// fields lists the offset fields of the header, in their order in the file.
func (h *compressedHeader) fields() []*int64 {
	return []*int64{&h.size, &h.used, &h.free, &h.freeTotal, &h.freeLargest, &h.freeNumber, &h.freeEmbed}
}

// Offsets of fields in the two forms of the header.
const (
	headerFields      = 12
	headerUnits       = 40
	headerTail        = 44 // null format, compression, parameter
	headerWideFields  = 16
	headerWideUnits   = 12
	headerWideTail    = 72
	headerVersionSize = 3
)

func (l layout) places() (fields, units, tail int) {
	if l.wide {
		return headerWideFields, headerWideUnits, headerWideTail
	}
	return headerFields, headerUnits, headerTail
}

// decodeCompressedHeader decodes the compressed header p, in the byte order that
// its options name.
func decodeCompressedHeader(p []byte, wide bool) (layout, *compressedHeader) {
	l := layout{wide: wide, order: binary.LittleEndian}
	if p[headerVersionSize]&optionBigEndian != 0 {
		l.order = binary.BigEndian
	}
	h := &compressedHeader{raw: p, options: p[headerVersionSize]}
	h.level1 = l.order.Uint32(p[4:])
	h.level2 = l.order.Uint32(p[8:])
	fields, units, tail := l.places()
	for i, f := range h.fields() {
		at := p[fields+i*int(l.word()):]
		if l.wide {
			*f = int64(l.order.Uint64(at))
		} else {
			*f = int64(l.order.Uint32(at))
		}
	}
	h.units = binary.LittleEndian.Uint32(p[units:])
	h.nullFormat = p[tail]
	h.compression = p[tail+1]
	h.parameter = int16(l.order.Uint16(p[tail+2:]))
	return l, h
}

// encode puts the header's fields into raw and returns raw.
func (h *compressedHeader) encode(l layout) []byte {
	p := h.raw
	p[headerVersionSize] = h.options
	l.order.PutUint32(p[4:], h.level1)
	l.order.PutUint32(p[8:], h.level2)
	fields, units, tail := l.places()
	for i, f := range h.fields() {
		l.putOffset(p[fields+i*int(l.word()):], *f)
	}
	binary.LittleEndian.PutUint32(p[units:], h.units)
	p[tail] = h.nullFormat
	p[tail+1] = h.compression
	l.order.PutUint16(p[tail+2:], uint16(h.parameter))
	return p
}
