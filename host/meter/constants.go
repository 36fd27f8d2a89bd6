package meter

import "github.com/iosrun/iosrun/host/wasm"

// The globals and functions that the pass adds get the indices behind the module's
// own. A module that names such an index is invalid, but the addition would make it
// valid, and it could change the counter. So the pass checks every index: those in
// instructions and exports elsewhere, those in constants and segments here.

// constants checks the indices in a section of globals, elements or data.
func (m *module) constants(s wasm.Section) error {
	d := &decoder{code: m.code, at: s.Offset, end: s.Offset + s.Size}
	n := d.u32("a section")
	for ; n > 0 && d.err == nil; n-- {
		switch s.ID {
		case wasm.SectionGlobal:
			d.valueType("a global")
			d.byte("a global")
			m.constant(d)
		case wasm.SectionElement:
			m.element(d)
		case wasm.SectionData:
			m.data(d)
		}
	}
	if d.err == nil && d.at != d.end {
		// These bytes would be read as the first item that the pass adds.
		d.fail(d.at, "%s section has %d bytes behind its end", s.Name(), d.end-d.at)
	}
	return d.err
}

// constant reads a constant expression.
func (m *module) constant(d *decoder) {
	var o operation
	for d.err == nil {
		d.next(&o)
		switch {
		case d.err != nil:
		case o.op == opEnd:
			return
		case o.op == opGlobalGet:
			m.global(&o, d)
		case o.op == opRefFunc:
			m.functionIndex(o.index, o.at, d)
		}
	}
}

func (m *module) global(o *operation, d *decoder) {
	if o.index >= uint32(m.globals) {
		d.fail(o.at, "%s %d: the module has %d globals", o.name, o.index, m.globals)
	}
}

func (m *module) functionIndex(index uint32, at int, d *decoder) {
	if n := m.imported + len(m.w.Functions); index >= uint32(n) {
		d.fail(at, "function %d: the module has %d", index, n)
	}
}

// The bits of the flags of a segment of elements.
const (
	notActive   = 1
	hasIndex    = 2 // of an active one: the table's index; otherwise: declarative
	expressions = 4
)

func (m *module) element(d *decoder) {
	at := d.at
	flags := d.u32("an element segment")
	if flags > notActive|hasIndex|expressions {
		d.fail(at, "element segment with flags %#x: want 0 to 7", flags)
		return
	}
	if flags&notActive == 0 {
		if flags&hasIndex != 0 {
			d.u32("an element segment")
		}
		m.constant(d)
	}
	if flags&(notActive|hasIndex) != 0 {
		at := d.at
		kind := d.byte("an element segment")
		switch {
		case flags&expressions == 0 && kind != 0:
			d.fail(at, "element segment of kind %d: want 0", kind)
		case flags&expressions != 0 && wasm.ValueType(kind) != wasm.FuncRef && wasm.ValueType(kind) != wasm.ExternRef:
			d.fail(at, "element segment of type %#x: want funcref or externref", kind)
		}
	}
	for n := d.u32("an element segment"); n > 0 && d.err == nil; n-- {
		if flags&expressions != 0 {
			m.constant(d)
			continue
		}
		at := d.at
		m.functionIndex(d.u32("an element segment"), at, d)
	}
}

func (m *module) data(d *decoder) {
	at := d.at
	flags := d.u32("a data segment")
	switch flags {
	case 2:
		d.u32("a data segment") // the memory's index
		m.constant(d)
	case 0:
		m.constant(d)
	case 1:
	default:
		d.fail(at, "data segment with flags %#x: want 0 to 2", flags)
		return
	}
	d.skip(int(d.u32("a data segment")), "a data segment")
}
