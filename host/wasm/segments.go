package wasm

import "fmt"

// Segment is an active data or element segment: items that are copied into the
// module's memory or table when it is instantiated, before anything runs.
type Segment struct {
	// Kind is KindMemory or KindTable, and Index the index of the memory or table.
	Kind  Kind
	Index uint32
	// Start is the place that it is copied to, and Length its length, both in bytes or
	// elements. Known says that the module gives the start as a constant; otherwise
	// Start is 0.
	Start  uint32
	Known  bool
	Length int
	Offset int // offset of the segment in the module
}

func (s Segment) String() string {
	if s.Kind == KindTable {
		return fmt.Sprintf("element segment of %d elements", s.Length)
	}
	return fmt.Sprintf("data segment of %d bytes", s.Length)
}

// Segments finds the active segments of a module of which m is the outer structure.
// It ends at the first one that it cannot read; the compiler reports segments that
// are not well formed.
func Segments(code []byte, m *Module) []Segment {
	var all []Segment
	for _, s := range m.Sections {
		r := &reader{b: code, at: s.Offset, end: s.Offset + s.Size}
		switch s.ID {
		case SectionElement:
			for n := r.count("element segments"); n > 0 && r.err == nil; n-- {
				all = r.element(all)
			}
		case SectionData:
			for n := r.count("data segments"); n > 0 && r.err == nil; n-- {
				all = r.data(all)
			}
		}
	}
	return all
}

// The flags of a segment.
const (
	segmentPassive  = 1 // or, of elements with segmentExplicit, declarative
	segmentExplicit = 2 // an index of the memory or the table is there
	segmentExprs    = 4 // elements are expressions
)

func (r *reader) data(all []Segment) []Segment {
	s := Segment{Kind: KindMemory, Offset: r.at}
	flags := r.u32("flags")
	if flags&segmentExplicit != 0 {
		s.Index = r.u32("a memory's index")
	}
	if flags&segmentPassive == 0 {
		s.Start, s.Known = r.constant()
	}
	s.Length = r.count("bytes of data")
	r.bytes(s.Length, "data")
	if flags&segmentPassive != 0 || r.err != nil {
		return all
	}
	return append(all, s)
}

func (r *reader) element(all []Segment) []Segment {
	s := Segment{Kind: KindTable, Offset: r.at}
	flags := r.u32("flags")
	active := flags&segmentPassive == 0
	if active && flags&segmentExplicit != 0 {
		s.Index = r.u32("a table's index")
	}
	if active {
		s.Start, s.Known = r.constant()
	}
	if flags&(segmentPassive|segmentExplicit) != 0 {
		r.byte("the kind of the elements")
	}
	s.Length = r.count("elements")
	for n := 0; n < s.Length && r.err == nil; n++ {
		if flags&segmentExprs != 0 {
			r.constant()
		} else {
			r.u32("a function's index")
		}
	}
	if !active || r.err != nil {
		return all
	}
	return append(all, s)
}

// The instructions of a constant expression.
const (
	opEnd       = 0x0B
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opRefNull   = 0xD0
	opRefFunc   = 0xD2
	opVector    = 0xFD
)

// constant reads a constant expression. known reports that it is a single i32.const.
func (r *reader) constant() (value uint32, known bool) {
	for first := true; r.err == nil; first = false {
		at := r.at
		switch op := r.byte("an instruction"); op {
		case opEnd:
			return value, known
		case opI32Const:
			value, known = uint32(r.signed()), first
			continue
		case opI64Const:
			r.signed()
		case opF32Const:
			r.bytes(4, "a number")
		case opF64Const:
			r.bytes(8, "a number")
		case opGlobalGet, opRefFunc:
			r.u32("an index")
		case opRefNull:
			r.byte("a type")
		case opVector:
			r.u32("an instruction")
			r.bytes(16, "a vector")
		default:
			r.fail(at, "instruction %#x is none of a constant expression", op)
		}
		known = false
	}
	return 0, false
}

// signed reads a signed LEB128 number of at most 64 bits.
func (r *reader) signed() int64 {
	var v int64
	for shift := 0; shift < 64; shift += 7 {
		c := r.byte("a number")
		v |= int64(c&0x7F) << shift
		if c&0x80 == 0 {
			if shift < 57 && c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.fail(r.at, "number of more than 64 bits")
	return 0
}
