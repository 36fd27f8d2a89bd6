package meter

import "github.com/iosrun/iosrun/host/wasm"

// encoder writes the code of functions with the insertions. Its buffers are used
// again for each function.
type encoder struct {
	code     []byte // the module's
	out      []byte
	getLimit []byte // the instructions as bytes
	getFuel  []byte
	setFuel  []byte
	getStack []byte
	setStack []byte

	// Locals that the pass has added to the function.
	left   uint32 // bytes of stack that are left, 64 bits
	number uint32 // length of a bulk operation, 32 bits
	result uint32 // result of a grow, 32 bits
	framed bool   // the function has left
}

func newEncoder(m *module) *encoder {
	global := func(op byte, index uint32) []byte { return wasm.AppendU32([]byte{op}, index) }
	return &encoder{
		code:     m.code,
		getLimit: global(opGlobalGet, m.limit()),
		getFuel:  global(opGlobalGet, m.fuel()), setFuel: global(opGlobalSet, m.fuel()),
		getStack: global(opGlobalGet, m.stack()), setStack: global(opGlobalSet, m.stack()),
	}
}

// function returns the body of a function. It is valid until the next call.
func (e *encoder) function(b *body, f *function) []byte {
	e.out = e.out[:0]
	e.framed = !b.small
	e.locals(b, f)
	from := b.code
	for n := range f.insertions {
		i := &f.insertions[n]
		e.out = append(e.out, e.code[from:i.at]...)
		from = i.at
		e.insert(i, f)
	}
	e.out = append(e.out, e.code[from:b.end]...)
	return e.out
}

// locals writes the declarations of the function's locals and those of the pass.
func (e *encoder) locals(b *body, f *function) {
	groups := b.count
	next := uint32(b.locals)
	var added []byte
	if e.framed {
		e.left = next
		next++
		groups++
		added = append(added, 1, byte(wasm.I64))
	}
	if f.kept {
		e.number, e.result = next, next+1
		groups++
		added = append(added, 2, byte(wasm.I32))
	}
	e.out = wasm.AppendU32(e.out, uint32(groups))
	e.out = append(e.out, e.code[b.groups:b.code]...)
	e.out = append(e.out, added...)
}

// wrapper returns the body of a function that the pass adds.
func (e *encoder) wrapper(w wrapper) []byte {
	e.out = append(e.out[:0], 0) // no locals
	e.bytes(e.getLimit)
	e.bytes(e.setFuel)
	e.const64(MaxStack)
	e.bytes(e.setStack)
	e.indexed(opCall, w.function)
	e.bytes(e.getFuel)
	e.test()
	e.op(opEnd)
	return e.out
}

func (e *encoder) op(ops ...byte) { e.out = append(e.out, ops...) }

// indexed writes an instruction that has an index.
func (e *encoder) indexed(op byte, index uint32) { e.out = wasm.AppendU32(append(e.out, op), index) }

func (e *encoder) const64(v int64) { e.out = appendSigned(append(e.out, opI64Const), v) }

func (e *encoder) bytes(p []byte) { e.out = append(e.out, p...) }

func (e *encoder) insert(i *insertion, f *function) {
	switch i.kind {
	case insPiece:
		e.charge(i.units)
	case insTest:
		e.charge(i.units)
		e.bytes(e.getFuel)
		e.test()
	case insEntry:
		e.entry(i.units, f)
	case insStack:
		if e.framed {
			e.indexed(opLocalGet, e.left)
			e.bytes(e.setStack)
		}
	case insBytes, insElements:
		e.indexed(opLocalTee, e.number)
		e.length(i.kind)
	case insGrow:
		e.indexed(opLocalTee, e.number)
	case insPages, insGrown:
		e.indexed(opLocalTee, e.result)
		e.op(opI32Const, 0x7F, opI32Ne, opIf, emptyBlock) // not -1: it has grown
		e.length(i.kind)
		e.op(opEnd)
		e.indexed(opLocalGet, e.result)
	}
}

// charge takes units from the counter.
func (e *encoder) charge(units int64) {
	if units == 0 {
		return
	}
	e.bytes(e.getFuel)
	e.const64(units)
	e.op(opI64Sub)
	e.bytes(e.setFuel)
}

// test traps when the number on the stack is negative.
func (e *encoder) test() {
	e.op(opI64Const, 0, opI64LtS, opIf, emptyBlock, opUnreachable, opEnd)
}

// entry charges for the function's first piece and tests both counters with one
// branch. It keeps the remaining size of the stack for the calls that the function
// makes. When the stack is used up its counter is negative, which tells the host.
func (e *encoder) entry(units int64, f *function) {
	if !e.framed {
		e.charge(units)
		e.bytes(e.getFuel)
		e.test()
		return
	}
	e.bytes(e.getStack)
	e.const64(f.frame.size())
	e.op(opI64Sub)
	e.indexed(opLocalTee, e.left)
	e.charge(units)
	e.bytes(e.getFuel)
	e.op(opI64Or, opI64Const, 0, opI64LtS, opIf, emptyBlock)
	e.indexed(opLocalGet, e.left)
	e.bytes(e.setStack)
	e.op(opUnreachable, opEnd)
}

// length charges for the number in the local, and tests the counter.
func (e *encoder) length(kind insert) {
	e.bytes(e.getFuel)
	e.indexed(opLocalGet, e.number)
	if kind == insBytes {
		e.op(opI32Const, shiftBytes, opI32ShrU)
	}
	e.op(opI64ExtendU)
	switch kind {
	case insElements, insGrown:
		e.const64(UnitsPerElement)
		e.op(opI64Mul)
	case insPages:
		e.const64(UnitsPerPage)
		e.op(opI64Mul)
	}
	e.op(opI64Sub)
	e.bytes(e.setFuel)
	e.bytes(e.getFuel)
	e.test()
}

// shiftBytes divides by BytesPerUnit.
const shiftBytes = 2
