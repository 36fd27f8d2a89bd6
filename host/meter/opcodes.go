package meter

// An instruction's row holds the properties that the pass needs.
type instruction struct {
	name         string
	immediate    immediate
	pops, pushes uint8 // operands; for calls and blocks they depend on the type and are not here
	units        uint8
}

// The cost of instructions in units of fuel. Charges that depend on a length are
// below.
const (
	// free is the cost of an instruction that compiles to no code: the begin or the
	// end of a block.
	free = 0
	// one is the cost of every instruction that has no other cost in the tables.
	one = 1
	// leaving is the cost of an instruction that compiles to a call of a function of
	// the runtime.
	leaving = 64
)

// Charges that depend on a length, at run time, in addition to the unit for the
// instruction.
const (
	// BytesPerUnit is the number of bytes that memory.fill, memory.copy and
	// memory.init, and functions of the host, process for one unit.
	BytesPerUnit = 4
	// UnitsPerElement is the charge of table.fill, table.copy, table.init and
	// table.grow for each element.
	UnitsPerElement = 2
	// UnitsPerPage is the charge of memory.grow for each page of 64 KiB that the
	// memory has grown by.
	UnitsPerPage = 4096
	// HostCall is the charge of a call of a function of the host. The host itself
	// takes it, because a call through a table does not show which function it calls.
	HostCall = leaving
)

// immediate is the form of the bytes that follow an opcode.
type immediate uint8

const (
	immNone       immediate = iota
	immBlockType            // a block's type
	immLabel                // a label
	immLabels               // a vector of labels and one more
	immFunction             // a function's index
	immIndirect             // a type's and a table's index
	immTypes                // a vector of value types
	immLocal                // a local's index
	immGlobal               // a global's index
	immIndex                // an index of another kind
	immMemory               // an alignment and an offset
	immZero                 // a byte that must be 0
	immZeroZero             // two of them
	immIndexZero            // an index and a byte that must be 0
	immIndexIndex           // two indices
	immI32                  // a signed number of 32 bits
	immI64                  // a signed number of 64 bits
	immF32                  // 4 bytes
	immF64                  // 8 bytes
	immV128                 // 16 bytes
	immLane                 // a lane
	immMemoryLane           // an alignment, an offset and a lane
	immRefType              // the type of a reference
)

// Opcodes that the pass treats in a special way. An opcode behind a prefix has the
// prefix in its upper byte.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0B
	opBr           = 0x0C
	opBrIf         = 0x0D
	opBrTable      = 0x0E
	opReturn       = 0x0F
	opCall         = 0x10
	opCallIndirect = 0x11
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opMemoryGrow   = 0x40
	opRefFunc      = 0xD2
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32Ne        = 0x47
	opI64LtS       = 0x53
	opI32ShrU      = 0x76
	opI64Add       = 0x7C
	opI64Sub       = 0x7D
	opI64Mul       = 0x7E
	opI64Or        = 0x84
	opI64ExtendU   = 0xAD

	prefixMisc   = 0xFC
	prefixVector = 0xFD

	opMemoryInit = prefixMisc<<8 | 0x08
	opMemoryCopy = prefixMisc<<8 | 0x0A
	opMemoryFill = prefixMisc<<8 | 0x0B
	opTableInit  = prefixMisc<<8 | 0x0C
	opTableCopy  = prefixMisc<<8 | 0x0E
	opTableGrow  = prefixMisc<<8 | 0x0F
	opTableFill  = prefixMisc<<8 | 0x11
)

// unsupported names the instructions of extensions that the host does not
// switch on, so that a refusal can say what a module was built with.
var unsupported = [...]struct {
	from, to byte
	what     string
}{
	{0x06, 0x09, "exception handling"},
	{0x0A, 0x0A, "exception handling (throw_ref)"},
	{0x12, 0x13, "tail calls"},
	{0x14, 0x15, "typed function references"},
	{0x18, 0x19, "exception handling"},
	{0x1F, 0x1F, "exception handling (try_table)"},
	{0xD3, 0xD6, "typed function references"},
	{0xFB, 0xFB, "garbage collection"},
	{0xFE, 0xFE, "threads"},
}

// plain holds the instructions of one byte.
var plain = [256]instruction{
	0x00: {"unreachable", immNone, 0, 0, one},
	0x01: {"nop", immNone, 0, 0, one},
	0x02: {"block", immBlockType, 0, 0, free},
	0x03: {"loop", immBlockType, 0, 0, free},
	0x04: {"if", immBlockType, 1, 0, one},
	0x05: {"else", immNone, 0, 0, free},
	0x0B: {"end", immNone, 0, 0, free},
	0x0C: {"br", immLabel, 0, 0, one},
	0x0D: {"br_if", immLabel, 1, 0, one},
	0x0E: {"br_table", immLabels, 1, 0, one},
	0x0F: {"return", immNone, 0, 0, one},
	0x10: {"call", immFunction, 0, 0, one},
	0x11: {"call_indirect", immIndirect, 1, 0, one},
	0x1A: {"drop", immNone, 1, 0, one},
	0x1B: {"select", immNone, 3, 1, one},
	0x1C: {"select t", immTypes, 3, 1, one},
	0x20: {"local.get", immLocal, 0, 1, one},
	0x21: {"local.set", immLocal, 1, 0, one},
	0x22: {"local.tee", immLocal, 1, 1, one},
	0x23: {"global.get", immGlobal, 0, 1, one},
	0x24: {"global.set", immGlobal, 1, 0, one},
	0x25: {"table.get", immIndex, 1, 1, one},
	0x26: {"table.set", immIndex, 2, 0, one},
	0x28: {"i32.load", immMemory, 1, 1, one},
	0x29: {"i64.load", immMemory, 1, 1, one},
	0x2A: {"f32.load", immMemory, 1, 1, one},
	0x2B: {"f64.load", immMemory, 1, 1, one},
	0x2C: {"i32.load8_s", immMemory, 1, 1, one},
	0x2D: {"i32.load8_u", immMemory, 1, 1, one},
	0x2E: {"i32.load16_s", immMemory, 1, 1, one},
	0x2F: {"i32.load16_u", immMemory, 1, 1, one},
	0x30: {"i64.load8_s", immMemory, 1, 1, one},
	0x31: {"i64.load8_u", immMemory, 1, 1, one},
	0x32: {"i64.load16_s", immMemory, 1, 1, one},
	0x33: {"i64.load16_u", immMemory, 1, 1, one},
	0x34: {"i64.load32_s", immMemory, 1, 1, one},
	0x35: {"i64.load32_u", immMemory, 1, 1, one},
	0x36: {"i32.store", immMemory, 2, 0, one},
	0x37: {"i64.store", immMemory, 2, 0, one},
	0x38: {"f32.store", immMemory, 2, 0, one},
	0x39: {"f64.store", immMemory, 2, 0, one},
	0x3A: {"i32.store8", immMemory, 2, 0, one},
	0x3B: {"i32.store16", immMemory, 2, 0, one},
	0x3C: {"i64.store8", immMemory, 2, 0, one},
	0x3D: {"i64.store16", immMemory, 2, 0, one},
	0x3E: {"i64.store32", immMemory, 2, 0, one},
	0x3F: {"memory.size", immZero, 0, 1, one},
	0x40: {"memory.grow", immZero, 1, 1, leaving},
	0x41: {"i32.const", immI32, 0, 1, one},
	0x42: {"i64.const", immI64, 0, 1, one},
	0x43: {"f32.const", immF32, 0, 1, one},
	0x44: {"f64.const", immF64, 0, 1, one},
	0x45: {"i32.eqz", immNone, 1, 1, one},
	0x46: {"i32.eq", immNone, 2, 1, one},
	0x47: {"i32.ne", immNone, 2, 1, one},
	0x48: {"i32.lt_s", immNone, 2, 1, one},
	0x49: {"i32.lt_u", immNone, 2, 1, one},
	0x4A: {"i32.gt_s", immNone, 2, 1, one},
	0x4B: {"i32.gt_u", immNone, 2, 1, one},
	0x4C: {"i32.le_s", immNone, 2, 1, one},
	0x4D: {"i32.le_u", immNone, 2, 1, one},
	0x4E: {"i32.ge_s", immNone, 2, 1, one},
	0x4F: {"i32.ge_u", immNone, 2, 1, one},
	0x50: {"i64.eqz", immNone, 1, 1, one},
	0x51: {"i64.eq", immNone, 2, 1, one},
	0x52: {"i64.ne", immNone, 2, 1, one},
	0x53: {"i64.lt_s", immNone, 2, 1, one},
	0x54: {"i64.lt_u", immNone, 2, 1, one},
	0x55: {"i64.gt_s", immNone, 2, 1, one},
	0x56: {"i64.gt_u", immNone, 2, 1, one},
	0x57: {"i64.le_s", immNone, 2, 1, one},
	0x58: {"i64.le_u", immNone, 2, 1, one},
	0x59: {"i64.ge_s", immNone, 2, 1, one},
	0x5A: {"i64.ge_u", immNone, 2, 1, one},
	0x5B: {"f32.eq", immNone, 2, 1, one},
	0x5C: {"f32.ne", immNone, 2, 1, one},
	0x5D: {"f32.lt", immNone, 2, 1, one},
	0x5E: {"f32.gt", immNone, 2, 1, one},
	0x5F: {"f32.le", immNone, 2, 1, one},
	0x60: {"f32.ge", immNone, 2, 1, one},
	0x61: {"f64.eq", immNone, 2, 1, one},
	0x62: {"f64.ne", immNone, 2, 1, one},
	0x63: {"f64.lt", immNone, 2, 1, one},
	0x64: {"f64.gt", immNone, 2, 1, one},
	0x65: {"f64.le", immNone, 2, 1, one},
	0x66: {"f64.ge", immNone, 2, 1, one},
	0x67: {"i32.clz", immNone, 1, 1, one},
	0x68: {"i32.ctz", immNone, 1, 1, one},
	0x69: {"i32.popcnt", immNone, 1, 1, one},
	0x6A: {"i32.add", immNone, 2, 1, one},
	0x6B: {"i32.sub", immNone, 2, 1, one},
	0x6C: {"i32.mul", immNone, 2, 1, one},
	0x6D: {"i32.div_s", immNone, 2, 1, one},
	0x6E: {"i32.div_u", immNone, 2, 1, one},
	0x6F: {"i32.rem_s", immNone, 2, 1, one},
	0x70: {"i32.rem_u", immNone, 2, 1, one},
	0x71: {"i32.and", immNone, 2, 1, one},
	0x72: {"i32.or", immNone, 2, 1, one},
	0x73: {"i32.xor", immNone, 2, 1, one},
	0x74: {"i32.shl", immNone, 2, 1, one},
	0x75: {"i32.shr_s", immNone, 2, 1, one},
	0x76: {"i32.shr_u", immNone, 2, 1, one},
	0x77: {"i32.rotl", immNone, 2, 1, one},
	0x78: {"i32.rotr", immNone, 2, 1, one},
	0x79: {"i64.clz", immNone, 1, 1, one},
	0x7A: {"i64.ctz", immNone, 1, 1, one},
	0x7B: {"i64.popcnt", immNone, 1, 1, one},
	0x7C: {"i64.add", immNone, 2, 1, one},
	0x7D: {"i64.sub", immNone, 2, 1, one},
	0x7E: {"i64.mul", immNone, 2, 1, one},
	0x7F: {"i64.div_s", immNone, 2, 1, one},
	0x80: {"i64.div_u", immNone, 2, 1, one},
	0x81: {"i64.rem_s", immNone, 2, 1, one},
	0x82: {"i64.rem_u", immNone, 2, 1, one},
	0x83: {"i64.and", immNone, 2, 1, one},
	0x84: {"i64.or", immNone, 2, 1, one},
	0x85: {"i64.xor", immNone, 2, 1, one},
	0x86: {"i64.shl", immNone, 2, 1, one},
	0x87: {"i64.shr_s", immNone, 2, 1, one},
	0x88: {"i64.shr_u", immNone, 2, 1, one},
	0x89: {"i64.rotl", immNone, 2, 1, one},
	0x8A: {"i64.rotr", immNone, 2, 1, one},
	0x8B: {"f32.abs", immNone, 1, 1, one},
	0x8C: {"f32.neg", immNone, 1, 1, one},
	0x8D: {"f32.ceil", immNone, 1, 1, one},
	0x8E: {"f32.floor", immNone, 1, 1, one},
	0x8F: {"f32.trunc", immNone, 1, 1, one},
	0x90: {"f32.nearest", immNone, 1, 1, one},
	0x91: {"f32.sqrt", immNone, 1, 1, one},
	0x92: {"f32.add", immNone, 2, 1, one},
	0x93: {"f32.sub", immNone, 2, 1, one},
	0x94: {"f32.mul", immNone, 2, 1, one},
	0x95: {"f32.div", immNone, 2, 1, one},
	0x96: {"f32.min", immNone, 2, 1, one},
	0x97: {"f32.max", immNone, 2, 1, one},
	0x98: {"f32.copysign", immNone, 2, 1, one},
	0x99: {"f64.abs", immNone, 1, 1, one},
	0x9A: {"f64.neg", immNone, 1, 1, one},
	0x9B: {"f64.ceil", immNone, 1, 1, one},
	0x9C: {"f64.floor", immNone, 1, 1, one},
	0x9D: {"f64.trunc", immNone, 1, 1, one},
	0x9E: {"f64.nearest", immNone, 1, 1, one},
	0x9F: {"f64.sqrt", immNone, 1, 1, one},
	0xA0: {"f64.add", immNone, 2, 1, one},
	0xA1: {"f64.sub", immNone, 2, 1, one},
	0xA2: {"f64.mul", immNone, 2, 1, one},
	0xA3: {"f64.div", immNone, 2, 1, one},
	0xA4: {"f64.min", immNone, 2, 1, one},
	0xA5: {"f64.max", immNone, 2, 1, one},
	0xA6: {"f64.copysign", immNone, 2, 1, one},
	0xA7: {"i32.wrap_i64", immNone, 1, 1, one},
	0xA8: {"i32.trunc_f32_s", immNone, 1, 1, one},
	0xA9: {"i32.trunc_f32_u", immNone, 1, 1, one},
	0xAA: {"i32.trunc_f64_s", immNone, 1, 1, one},
	0xAB: {"i32.trunc_f64_u", immNone, 1, 1, one},
	0xAC: {"i64.extend_i32_s", immNone, 1, 1, one},
	0xAD: {"i64.extend_i32_u", immNone, 1, 1, one},
	0xAE: {"i64.trunc_f32_s", immNone, 1, 1, one},
	0xAF: {"i64.trunc_f32_u", immNone, 1, 1, one},
	0xB0: {"i64.trunc_f64_s", immNone, 1, 1, one},
	0xB1: {"i64.trunc_f64_u", immNone, 1, 1, one},
	0xB2: {"f32.convert_i32_s", immNone, 1, 1, one},
	0xB3: {"f32.convert_i32_u", immNone, 1, 1, one},
	0xB4: {"f32.convert_i64_s", immNone, 1, 1, one},
	0xB5: {"f32.convert_i64_u", immNone, 1, 1, one},
	0xB6: {"f32.demote_f64", immNone, 1, 1, one},
	0xB7: {"f64.convert_i32_s", immNone, 1, 1, one},
	0xB8: {"f64.convert_i32_u", immNone, 1, 1, one},
	0xB9: {"f64.convert_i64_s", immNone, 1, 1, one},
	0xBA: {"f64.convert_i64_u", immNone, 1, 1, one},
	0xBB: {"f64.promote_f32", immNone, 1, 1, one},
	0xBC: {"i32.reinterpret_f32", immNone, 1, 1, one},
	0xBD: {"i64.reinterpret_f64", immNone, 1, 1, one},
	0xBE: {"f32.reinterpret_i32", immNone, 1, 1, one},
	0xBF: {"f64.reinterpret_i64", immNone, 1, 1, one},
	0xC0: {"i32.extend8_s", immNone, 1, 1, one},
	0xC1: {"i32.extend16_s", immNone, 1, 1, one},
	0xC2: {"i64.extend8_s", immNone, 1, 1, one},
	0xC3: {"i64.extend16_s", immNone, 1, 1, one},
	0xC4: {"i64.extend32_s", immNone, 1, 1, one},
	0xD0: {"ref.null", immRefType, 0, 1, one},
	0xD1: {"ref.is_null", immNone, 1, 1, one},
	0xD2: {"ref.func", immIndex, 0, 1, leaving},
}

// misc holds the instructions behind the prefix 0xFC: saturating conversions, bulk
// memory and tables.
var misc = [18]instruction{
	0x00: {"i32.trunc_sat_f32_s", immNone, 1, 1, one},
	0x01: {"i32.trunc_sat_f32_u", immNone, 1, 1, one},
	0x02: {"i32.trunc_sat_f64_s", immNone, 1, 1, one},
	0x03: {"i32.trunc_sat_f64_u", immNone, 1, 1, one},
	0x04: {"i64.trunc_sat_f32_s", immNone, 1, 1, one},
	0x05: {"i64.trunc_sat_f32_u", immNone, 1, 1, one},
	0x06: {"i64.trunc_sat_f64_s", immNone, 1, 1, one},
	0x07: {"i64.trunc_sat_f64_u", immNone, 1, 1, one},
	0x08: {"memory.init", immIndexZero, 3, 0, one},
	0x09: {"data.drop", immIndex, 0, 0, one},
	0x0A: {"memory.copy", immZeroZero, 3, 0, one},
	0x0B: {"memory.fill", immZero, 3, 0, one},
	0x0C: {"table.init", immIndexIndex, 3, 0, one},
	0x0D: {"elem.drop", immIndex, 0, 0, one},
	0x0E: {"table.copy", immIndexIndex, 3, 0, one},
	0x0F: {"table.grow", immIndex, 2, 1, leaving},
	0x10: {"table.size", immIndex, 0, 1, one},
	0x11: {"table.fill", immIndex, 3, 0, one},
}

// vector holds the instructions behind the prefix 0xFD.
var vector = [256]instruction{
	0x00: {"v128.load", immMemory, 1, 1, one},
	0x01: {"v128.load8x8_s", immMemory, 1, 1, one},
	0x02: {"v128.load8x8_u", immMemory, 1, 1, one},
	0x03: {"v128.load16x4_s", immMemory, 1, 1, one},
	0x04: {"v128.load16x4_u", immMemory, 1, 1, one},
	0x05: {"v128.load32x2_s", immMemory, 1, 1, one},
	0x06: {"v128.load32x2_u", immMemory, 1, 1, one},
	0x07: {"v128.load8_splat", immMemory, 1, 1, one},
	0x08: {"v128.load16_splat", immMemory, 1, 1, one},
	0x09: {"v128.load32_splat", immMemory, 1, 1, one},
	0x0A: {"v128.load64_splat", immMemory, 1, 1, one},
	0x0B: {"v128.store", immMemory, 2, 0, one},
	0x0C: {"v128.const", immV128, 0, 1, one},
	0x0D: {"i8x16.shuffle", immV128, 2, 1, one},
	0x0E: {"i8x16.swizzle", immNone, 2, 1, one},
	0x0F: {"i8x16.splat", immNone, 1, 1, one},
	0x10: {"i16x8.splat", immNone, 1, 1, one},
	0x11: {"i32x4.splat", immNone, 1, 1, one},
	0x12: {"i64x2.splat", immNone, 1, 1, one},
	0x13: {"f32x4.splat", immNone, 1, 1, one},
	0x14: {"f64x2.splat", immNone, 1, 1, one},
	0x15: {"i8x16.extract_lane_s", immLane, 1, 1, one},
	0x16: {"i8x16.extract_lane_u", immLane, 1, 1, one},
	0x17: {"i8x16.replace_lane", immLane, 2, 1, one},
	0x18: {"i16x8.extract_lane_s", immLane, 1, 1, one},
	0x19: {"i16x8.extract_lane_u", immLane, 1, 1, one},
	0x1A: {"i16x8.replace_lane", immLane, 2, 1, one},
	0x1B: {"i32x4.extract_lane", immLane, 1, 1, one},
	0x1C: {"i32x4.replace_lane", immLane, 2, 1, one},
	0x1D: {"i64x2.extract_lane", immLane, 1, 1, one},
	0x1E: {"i64x2.replace_lane", immLane, 2, 1, one},
	0x1F: {"f32x4.extract_lane", immLane, 1, 1, one},
	0x20: {"f32x4.replace_lane", immLane, 2, 1, one},
	0x21: {"f64x2.extract_lane", immLane, 1, 1, one},
	0x22: {"f64x2.replace_lane", immLane, 2, 1, one},
	0x23: {"i8x16.eq", immNone, 2, 1, one},
	0x24: {"i8x16.ne", immNone, 2, 1, one},
	0x25: {"i8x16.lt_s", immNone, 2, 1, one},
	0x26: {"i8x16.lt_u", immNone, 2, 1, one},
	0x27: {"i8x16.gt_s", immNone, 2, 1, one},
	0x28: {"i8x16.gt_u", immNone, 2, 1, one},
	0x29: {"i8x16.le_s", immNone, 2, 1, one},
	0x2A: {"i8x16.le_u", immNone, 2, 1, one},
	0x2B: {"i8x16.ge_s", immNone, 2, 1, one},
	0x2C: {"i8x16.ge_u", immNone, 2, 1, one},
	0x2D: {"i16x8.eq", immNone, 2, 1, one},
	0x2E: {"i16x8.ne", immNone, 2, 1, one},
	0x2F: {"i16x8.lt_s", immNone, 2, 1, one},
	0x30: {"i16x8.lt_u", immNone, 2, 1, one},
	0x31: {"i16x8.gt_s", immNone, 2, 1, one},
	0x32: {"i16x8.gt_u", immNone, 2, 1, one},
	0x33: {"i16x8.le_s", immNone, 2, 1, one},
	0x34: {"i16x8.le_u", immNone, 2, 1, one},
	0x35: {"i16x8.ge_s", immNone, 2, 1, one},
	0x36: {"i16x8.ge_u", immNone, 2, 1, one},
	0x37: {"i32x4.eq", immNone, 2, 1, one},
	0x38: {"i32x4.ne", immNone, 2, 1, one},
	0x39: {"i32x4.lt_s", immNone, 2, 1, one},
	0x3A: {"i32x4.lt_u", immNone, 2, 1, one},
	0x3B: {"i32x4.gt_s", immNone, 2, 1, one},
	0x3C: {"i32x4.gt_u", immNone, 2, 1, one},
	0x3D: {"i32x4.le_s", immNone, 2, 1, one},
	0x3E: {"i32x4.le_u", immNone, 2, 1, one},
	0x3F: {"i32x4.ge_s", immNone, 2, 1, one},
	0x40: {"i32x4.ge_u", immNone, 2, 1, one},
	0x41: {"f32x4.eq", immNone, 2, 1, one},
	0x42: {"f32x4.ne", immNone, 2, 1, one},
	0x43: {"f32x4.lt", immNone, 2, 1, one},
	0x44: {"f32x4.gt", immNone, 2, 1, one},
	0x45: {"f32x4.le", immNone, 2, 1, one},
	0x46: {"f32x4.ge", immNone, 2, 1, one},
	0x47: {"f64x2.eq", immNone, 2, 1, one},
	0x48: {"f64x2.ne", immNone, 2, 1, one},
	0x49: {"f64x2.lt", immNone, 2, 1, one},
	0x4A: {"f64x2.gt", immNone, 2, 1, one},
	0x4B: {"f64x2.le", immNone, 2, 1, one},
	0x4C: {"f64x2.ge", immNone, 2, 1, one},
	0x4D: {"v128.not", immNone, 1, 1, one},
	0x4E: {"v128.and", immNone, 2, 1, one},
	0x4F: {"v128.andnot", immNone, 2, 1, one},
	0x50: {"v128.or", immNone, 2, 1, one},
	0x51: {"v128.xor", immNone, 2, 1, one},
	0x52: {"v128.bitselect", immNone, 3, 1, one},
	0x53: {"v128.any_true", immNone, 1, 1, one},
	0x54: {"v128.load8_lane", immMemoryLane, 2, 1, one},
	0x55: {"v128.load16_lane", immMemoryLane, 2, 1, one},
	0x56: {"v128.load32_lane", immMemoryLane, 2, 1, one},
	0x57: {"v128.load64_lane", immMemoryLane, 2, 1, one},
	0x58: {"v128.store8_lane", immMemoryLane, 2, 0, one},
	0x59: {"v128.store16_lane", immMemoryLane, 2, 0, one},
	0x5A: {"v128.store32_lane", immMemoryLane, 2, 0, one},
	0x5B: {"v128.store64_lane", immMemoryLane, 2, 0, one},
	0x5C: {"v128.load32_zero", immMemory, 1, 1, one},
	0x5D: {"v128.load64_zero", immMemory, 1, 1, one},
	0x5E: {"f32x4.demote_f64x2_zero", immNone, 1, 1, one},
	0x5F: {"f64x2.promote_low_f32x4", immNone, 1, 1, one},
	0x60: {"i8x16.abs", immNone, 1, 1, one},
	0x61: {"i8x16.neg", immNone, 1, 1, one},
	0x62: {"i8x16.popcnt", immNone, 1, 1, one},
	0x63: {"i8x16.all_true", immNone, 1, 1, one},
	0x64: {"i8x16.bitmask", immNone, 1, 1, one},
	0x65: {"i8x16.narrow_i16x8_s", immNone, 2, 1, one},
	0x66: {"i8x16.narrow_i16x8_u", immNone, 2, 1, one},
	0x67: {"f32x4.ceil", immNone, 1, 1, one},
	0x68: {"f32x4.floor", immNone, 1, 1, one},
	0x69: {"f32x4.trunc", immNone, 1, 1, one},
	0x6A: {"f32x4.nearest", immNone, 1, 1, one},
	0x6B: {"i8x16.shl", immNone, 2, 1, one},
	0x6C: {"i8x16.shr_s", immNone, 2, 1, one},
	0x6D: {"i8x16.shr_u", immNone, 2, 1, one},
	0x6E: {"i8x16.add", immNone, 2, 1, one},
	0x6F: {"i8x16.add_sat_s", immNone, 2, 1, one},
	0x70: {"i8x16.add_sat_u", immNone, 2, 1, one},
	0x71: {"i8x16.sub", immNone, 2, 1, one},
	0x72: {"i8x16.sub_sat_s", immNone, 2, 1, one},
	0x73: {"i8x16.sub_sat_u", immNone, 2, 1, one},
	0x74: {"f64x2.ceil", immNone, 1, 1, one},
	0x75: {"f64x2.floor", immNone, 1, 1, one},
	0x76: {"i8x16.min_s", immNone, 2, 1, one},
	0x77: {"i8x16.min_u", immNone, 2, 1, one},
	0x78: {"i8x16.max_s", immNone, 2, 1, one},
	0x79: {"i8x16.max_u", immNone, 2, 1, one},
	0x7A: {"f64x2.trunc", immNone, 1, 1, one},
	0x7B: {"i8x16.avgr_u", immNone, 2, 1, one},
	0x7C: {"i16x8.extadd_pairwise_i8x16_s", immNone, 1, 1, one},
	0x7D: {"i16x8.extadd_pairwise_i8x16_u", immNone, 1, 1, one},
	0x7E: {"i32x4.extadd_pairwise_i16x8_s", immNone, 1, 1, one},
	0x7F: {"i32x4.extadd_pairwise_i16x8_u", immNone, 1, 1, one},
	0x80: {"i16x8.abs", immNone, 1, 1, one},
	0x81: {"i16x8.neg", immNone, 1, 1, one},
	0x82: {"i16x8.q15mulr_sat_s", immNone, 2, 1, one},
	0x83: {"i16x8.all_true", immNone, 1, 1, one},
	0x84: {"i16x8.bitmask", immNone, 1, 1, one},
	0x85: {"i16x8.narrow_i32x4_s", immNone, 2, 1, one},
	0x86: {"i16x8.narrow_i32x4_u", immNone, 2, 1, one},
	0x87: {"i16x8.extend_low_i8x16_s", immNone, 1, 1, one},
	0x88: {"i16x8.extend_high_i8x16_s", immNone, 1, 1, one},
	0x89: {"i16x8.extend_low_i8x16_u", immNone, 1, 1, one},
	0x8A: {"i16x8.extend_high_i8x16_u", immNone, 1, 1, one},
	0x8B: {"i16x8.shl", immNone, 2, 1, one},
	0x8C: {"i16x8.shr_s", immNone, 2, 1, one},
	0x8D: {"i16x8.shr_u", immNone, 2, 1, one},
	0x8E: {"i16x8.add", immNone, 2, 1, one},
	0x8F: {"i16x8.add_sat_s", immNone, 2, 1, one},
	0x90: {"i16x8.add_sat_u", immNone, 2, 1, one},
	0x91: {"i16x8.sub", immNone, 2, 1, one},
	0x92: {"i16x8.sub_sat_s", immNone, 2, 1, one},
	0x93: {"i16x8.sub_sat_u", immNone, 2, 1, one},
	0x94: {"f64x2.nearest", immNone, 1, 1, one},
	0x95: {"i16x8.mul", immNone, 2, 1, one},
	0x96: {"i16x8.min_s", immNone, 2, 1, one},
	0x97: {"i16x8.min_u", immNone, 2, 1, one},
	0x98: {"i16x8.max_s", immNone, 2, 1, one},
	0x99: {"i16x8.max_u", immNone, 2, 1, one},
	0x9B: {"i16x8.avgr_u", immNone, 2, 1, one},
	0x9C: {"i16x8.extmul_low_i8x16_s", immNone, 2, 1, one},
	0x9D: {"i16x8.extmul_high_i8x16_s", immNone, 2, 1, one},
	0x9E: {"i16x8.extmul_low_i8x16_u", immNone, 2, 1, one},
	0x9F: {"i16x8.extmul_high_i8x16_u", immNone, 2, 1, one},
	0xA0: {"i32x4.abs", immNone, 1, 1, one},
	0xA1: {"i32x4.neg", immNone, 1, 1, one},
	0xA3: {"i32x4.all_true", immNone, 1, 1, one},
	0xA4: {"i32x4.bitmask", immNone, 1, 1, one},
	0xA7: {"i32x4.extend_low_i16x8_s", immNone, 1, 1, one},
	0xA8: {"i32x4.extend_high_i16x8_s", immNone, 1, 1, one},
	0xA9: {"i32x4.extend_low_i16x8_u", immNone, 1, 1, one},
	0xAA: {"i32x4.extend_high_i16x8_u", immNone, 1, 1, one},
	0xAB: {"i32x4.shl", immNone, 2, 1, one},
	0xAC: {"i32x4.shr_s", immNone, 2, 1, one},
	0xAD: {"i32x4.shr_u", immNone, 2, 1, one},
	0xAE: {"i32x4.add", immNone, 2, 1, one},
	0xB1: {"i32x4.sub", immNone, 2, 1, one},
	0xB5: {"i32x4.mul", immNone, 2, 1, one},
	0xB6: {"i32x4.min_s", immNone, 2, 1, one},
	0xB7: {"i32x4.min_u", immNone, 2, 1, one},
	0xB8: {"i32x4.max_s", immNone, 2, 1, one},
	0xB9: {"i32x4.max_u", immNone, 2, 1, one},
	0xBA: {"i32x4.dot_i16x8_s", immNone, 2, 1, one},
	0xBC: {"i32x4.extmul_low_i16x8_s", immNone, 2, 1, one},
	0xBD: {"i32x4.extmul_high_i16x8_s", immNone, 2, 1, one},
	0xBE: {"i32x4.extmul_low_i16x8_u", immNone, 2, 1, one},
	0xBF: {"i32x4.extmul_high_i16x8_u", immNone, 2, 1, one},
	0xC0: {"i64x2.abs", immNone, 1, 1, one},
	0xC1: {"i64x2.neg", immNone, 1, 1, one},
	0xC3: {"i64x2.all_true", immNone, 1, 1, one},
	0xC4: {"i64x2.bitmask", immNone, 1, 1, one},
	0xC7: {"i64x2.extend_low_i32x4_s", immNone, 1, 1, one},
	0xC8: {"i64x2.extend_high_i32x4_s", immNone, 1, 1, one},
	0xC9: {"i64x2.extend_low_i32x4_u", immNone, 1, 1, one},
	0xCA: {"i64x2.extend_high_i32x4_u", immNone, 1, 1, one},
	0xCB: {"i64x2.shl", immNone, 2, 1, one},
	0xCC: {"i64x2.shr_s", immNone, 2, 1, one},
	0xCD: {"i64x2.shr_u", immNone, 2, 1, one},
	0xCE: {"i64x2.add", immNone, 2, 1, one},
	0xD1: {"i64x2.sub", immNone, 2, 1, one},
	0xD5: {"i64x2.mul", immNone, 2, 1, one},
	0xD6: {"i64x2.eq", immNone, 2, 1, one},
	0xD7: {"i64x2.ne", immNone, 2, 1, one},
	0xD8: {"i64x2.lt_s", immNone, 2, 1, one},
	0xD9: {"i64x2.gt_s", immNone, 2, 1, one},
	0xDA: {"i64x2.le_s", immNone, 2, 1, one},
	0xDB: {"i64x2.ge_s", immNone, 2, 1, one},
	0xDC: {"i64x2.extmul_low_i32x4_s", immNone, 2, 1, one},
	0xDD: {"i64x2.extmul_high_i32x4_s", immNone, 2, 1, one},
	0xDE: {"i64x2.extmul_low_i32x4_u", immNone, 2, 1, one},
	0xDF: {"i64x2.extmul_high_i32x4_u", immNone, 2, 1, one},
	0xE0: {"f32x4.abs", immNone, 1, 1, one},
	0xE1: {"f32x4.neg", immNone, 1, 1, one},
	0xE3: {"f32x4.sqrt", immNone, 1, 1, one},
	0xE4: {"f32x4.add", immNone, 2, 1, one},
	0xE5: {"f32x4.sub", immNone, 2, 1, one},
	0xE6: {"f32x4.mul", immNone, 2, 1, one},
	0xE7: {"f32x4.div", immNone, 2, 1, one},
	0xE8: {"f32x4.min", immNone, 2, 1, one},
	0xE9: {"f32x4.max", immNone, 2, 1, one},
	0xEA: {"f32x4.pmin", immNone, 2, 1, one},
	0xEB: {"f32x4.pmax", immNone, 2, 1, one},
	0xEC: {"f64x2.abs", immNone, 1, 1, one},
	0xED: {"f64x2.neg", immNone, 1, 1, one},
	0xEF: {"f64x2.sqrt", immNone, 1, 1, one},
	0xF0: {"f64x2.add", immNone, 2, 1, one},
	0xF1: {"f64x2.sub", immNone, 2, 1, one},
	0xF2: {"f64x2.mul", immNone, 2, 1, one},
	0xF3: {"f64x2.div", immNone, 2, 1, one},
	0xF4: {"f64x2.min", immNone, 2, 1, one},
	0xF5: {"f64x2.max", immNone, 2, 1, one},
	0xF6: {"f64x2.pmin", immNone, 2, 1, one},
	0xF7: {"f64x2.pmax", immNone, 2, 1, one},
	0xF8: {"i32x4.trunc_sat_f32x4_s", immNone, 1, 1, one},
	0xF9: {"i32x4.trunc_sat_f32x4_u", immNone, 1, 1, one},
	0xFA: {"f32x4.convert_i32x4_s", immNone, 1, 1, one},
	0xFB: {"f32x4.convert_i32x4_u", immNone, 1, 1, one},
	0xFC: {"i32x4.trunc_sat_f64x2_s_zero", immNone, 1, 1, one},
	0xFD: {"i32x4.trunc_sat_f64x2_u_zero", immNone, 1, 1, one},
	0xFE: {"f64x2.convert_low_i32x4_s", immNone, 1, 1, one},
	0xFF: {"f64x2.convert_low_i32x4_u", immNone, 1, 1, one},
}
