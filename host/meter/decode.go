package meter

import (
	"fmt"

	"github.com/iosrun/iosrun/host/wasm"
)

// operation is one decoded instruction of a function's code.
type operation struct {
	*instruction
	op     uint16 // with the prefix in the upper byte
	at     int    // offset of its first byte
	end    int    // offset behind its last byte
	index  uint32 // label, function, type, local or global, where it has one
	second uint32 // table of call_indirect
	value  int64  // value of i32.const
	block  blockType
	labels []uint32 // labels of br_table, with the default label at the end
}

// blockType is the type of a block: at most one result, or the index of a
// function type.
type blockType struct {
	isIndex bool
	index   uint32
	result  wasm.ValueType // 0 for none
}

// decoder reads the instructions of one function. The first error stays.
type decoder struct {
	code   []byte // the module's bytes
	at     int
	end    int
	labels []uint32 // reused from one br_table to the next
	err    error
}

func (d *decoder) fail(at int, format string, a ...any) {
	if d.err == nil {
		d.err = &wasm.Error{Offset: at, Text: fmt.Sprintf(format, a...)}
	}
}

func (d *decoder) byte(what string) byte {
	if d.err != nil {
		return 0
	}
	if d.at >= d.end {
		d.fail(d.at, "ends within %s", what)
		return 0
	}
	c := d.code[d.at]
	d.at++
	return c
}

func (d *decoder) skip(n int, what string) {
	if d.err != nil {
		return
	}
	if n > d.end-d.at {
		d.fail(d.at, "ends within %s", what)
		return
	}
	d.at += n
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (d *decoder) u32(what string) uint32 {
	if d.err != nil {
		return 0
	}
	v, n := wasm.U32(d.code[d.at:d.end])
	switch {
	case n == 0:
		d.fail(d.end, "ends within %s", what)
	case n < 0:
		d.fail(d.at, "immediate of %s is not a number of at most 32 bits", what)
	default:
		d.at += n
	}
	return v
}

// signed reads a signed LEB128 number of at most n bytes.
func (d *decoder) signed(n int, what string) int64 {
	start := d.at
	var v int64
	for k := range n {
		c := d.byte(what)
		v |= int64(c&0x7F) << (7 * k)
		if c&0x80 == 0 {
			if unused := 64 - 7*(k+1); unused > 0 {
				v = v << unused >> unused
			}
			return v
		}
	}
	d.fail(start, "immediate of %s has more than %d bytes", what, n)
	return 0
}

func (d *decoder) zero(what string) {
	at := d.at
	if c := d.byte(what); c != 0 {
		d.fail(at, "%s of memory %d: want 0", what, c)
	}
}

func (d *decoder) valueType(what string) wasm.ValueType {
	at := d.at
	t := wasm.ValueType(d.byte(what))
	switch t {
	case wasm.I32, wasm.I64, wasm.F32, wasm.F64, wasm.V128, wasm.FuncRef, wasm.ExternRef:
	default:
		d.fail(at, "%s is of type %#x, which is unknown", what, byte(t))
	}
	return t
}

// emptyBlock is the block type without results.
const emptyBlock = 0x40

func (d *decoder) blockType() blockType {
	if d.err == nil && d.at < d.end && d.code[d.at]&0xC0 == 0x40 { // a negative number of one byte
		if d.code[d.at] == emptyBlock {
			d.at++
			return blockType{}
		}
		return blockType{result: d.valueType("a block")}
	}
	start := d.at
	v := d.u32("a block's type")
	if d.err == nil && d.code[d.at-1]&0x40 != 0 {
		d.fail(start, "a block's type is a negative number of %d bytes: want one byte", d.at-start)
	}
	return blockType{isIndex: true, index: v}
}

// next reads one instruction. The labels of a br_table are valid until the next
// call.
func (d *decoder) next(o *operation) {
	*o = operation{at: d.at}
	c := d.byte("its code")
	o.op = uint16(c)
	switch c {
	case prefixMisc:
		o.instruction = d.prefixed(o, misc[:])
	case prefixVector:
		o.instruction = d.prefixed(o, vector[:])
	default:
		o.instruction = &plain[c]
	}
	if d.err == nil && o.name == "" {
		d.unknown(o.at, c)
	}
	if d.err != nil {
		return
	}
	switch o.immediate {
	case immNone:
	case immBlockType:
		o.block = d.blockType()
	case immLabel, immFunction, immLocal, immGlobal, immIndex:
		o.index = d.u32(o.name)
	case immLabels:
		d.table(o)
	case immIndirect, immIndexIndex:
		o.index = d.u32(o.name)
		o.second = d.u32(o.name)
	case immTypes:
		at := d.at
		if n := d.u32(o.name); n != 1 {
			d.fail(at, "select has %d types: want 1", n)
		}
		d.valueType(o.name)
	case immMemory, immMemoryLane:
		d.u32(o.name)
		d.u32(o.name)
		if o.immediate == immMemoryLane {
			d.skip(1, o.name)
		}
	case immZero:
		d.zero(o.name)
	case immZeroZero:
		d.zero(o.name)
		d.zero(o.name)
	case immIndexZero:
		o.index = d.u32(o.name)
		d.zero(o.name)
	case immI32:
		o.value = d.signed(5, o.name)
	case immI64:
		d.signed(10, o.name)
	case immF32:
		d.skip(4, o.name)
	case immF64:
		d.skip(8, o.name)
	case immV128:
		d.skip(16, o.name)
	case immLane:
		d.skip(1, o.name)
	case immRefType:
		at := d.at
		if t := wasm.ValueType(d.byte(o.name)); t != wasm.FuncRef && t != wasm.ExternRef {
			d.fail(at, "ref.null of type %#x: want funcref or externref", byte(t))
		}
	}
	o.end = d.at
}

// prefixed reads the second part of an opcode.
func (d *decoder) prefixed(o *operation, rows []instruction) *instruction {
	n := d.u32("an opcode")
	if d.err == nil && (n >= uint32(len(rows)) || rows[n].name == "") {
		what := ""
		if o.op == prefixVector && n >= 0x100 {
			what = " (relaxed SIMD)"
		}
		d.fail(o.at, "instruction %#x %#x is unknown%s", o.op, n, what)
	}
	if d.err != nil {
		return new(instruction)
	}
	o.op = o.op<<8 | uint16(n)
	return &rows[n]
}

func (d *decoder) unknown(at int, c byte) {
	for _, u := range unsupported {
		if c >= u.from && c <= u.to {
			d.fail(at, "instruction %#x is of an extension that the host does not have: %s", c, u.what)
			return
		}
	}
	d.fail(at, "instruction %#x is unknown", c)
}

func (d *decoder) table(o *operation) {
	start := d.at
	n := d.u32(o.name)
	switch {
	case d.err != nil:
		return
	case n > MaxLabels:
		d.fail(start, "br_table with %d labels: at most %d", n, MaxLabels)
		return
	case int(n) >= d.end-d.at: // a label takes a byte
		d.fail(start, "br_table claims %d labels in %d bytes", n, d.end-d.at)
		return
	}
	d.labels = d.labels[:0]
	for range n + 1 {
		d.labels = append(d.labels, d.u32(o.name))
	}
	o.labels = d.labels
}
