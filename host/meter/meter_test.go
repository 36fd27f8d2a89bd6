package meter

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/iosrun/iosrun/host/wasm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	opDrop   = 0x1A
	opI32Eqz = 0x45
	opI32Add = 0x6A
	opI32Sub = 0x6B
)

// TestUnits holds what code costs against the table, instruction by instruction.
func TestUnits(t *testing.T) {
	always := cat(i32const(1), []byte{opIf, emptyBlock})
	for _, c := range []struct {
		name string
		code []byte
		want int64
	}{
		{"nothing", nil, 0},
		{"blocks make no code", []byte{opBlock, emptyBlock, opEnd, opLoop, emptyBlock, opEnd}, 0},
		{"straight code", cat(i32const(1), i32const(2), []byte{opI32Add, opDrop}), 4},
		{"behind a branch nothing counts", cat([]byte{opBlock, emptyBlock}, op(opBr, 0), i32const(1), []byte{opDrop, opEnd}), 1},
		{"behind a return nothing counts", cat([]byte{opReturn}, i32const(1), []byte{opDrop}), 1},
		{"then", cat(always, i32const(1), []byte{opDrop, opElse, 1, 1, 1, 1, opEnd}), 4},
		{"else", cat(i32const(0), []byte{opIf, emptyBlock, 1, 1, 1, 1, opElse}, i32const(1), []byte{opDrop, opEnd}), 4},
		{"behind an if", cat(i32const(0), []byte{opIf, emptyBlock, 1, 1, 1, 1, opEnd, 1}), 3},
		{"left in the middle", cat([]byte{opBlock, emptyBlock}, i32const(1), op(opBrIf, 0), []byte{1, 1, 1, opEnd, 1}), 3},
		{"not left", cat([]byte{opBlock, emptyBlock}, i32const(0), op(opBrIf, 0), []byte{1, 1, 1, opEnd, 1}), 6},
		{"left by a table", cat([]byte{opBlock, emptyBlock, opBlock, emptyBlock}, i32const(1), []byte{opBrTable, 1, 0, 1, opEnd, 1, 1, opEnd, 1}), 3},
		{"from inside an if", cat([]byte{opBlock, emptyBlock}, always, op(opBr, 1), []byte{opEnd, 1, 1, opEnd, 1}), 4},
		// 10 rounds of 6, and the constant and the set in front.
		{"a loop", cat(i32const(10), op(opLocalSet, 0), []byte{opLoop, emptyBlock},
			op(opLocalGet, 0), i32const(1), []byte{opI32Sub}, op(opLocalTee, 0), op(opBrIf, 0), []byte{opEnd}), 2 + 10*5},
		{"a loop that goes back by a branch", cat(i32const(10), op(opLocalSet, 0), []byte{opBlock, emptyBlock, opLoop, emptyBlock},
			op(opLocalGet, 0), []byte{opI32Eqz}, op(opBrIf, 1), op(opLocalGet, 0), i32const(1), []byte{opI32Sub}, op(opLocalSet, 0),
			op(opBr, 0), []byte{opEnd, opEnd}), 2 + 10*8 + 3},
		{"a call", op(opCall, 1), 1 + 3},
		{"a call through a table", cat(i32const(1), []byte{opCallIndirect, 1, 0}), -1},
		{"fill by a constant", cat(i32const(0), i32const(0), i32const(400), []byte{0xFC, 11, 0}), 4 + 100},
		{"fill by a number", cat(i32const(0), i32const(0), i32const(200), i32const(200), []byte{opI32Add, 0xFC, 11, 0}), 6 + 100},
		{"fill by much", cat(i32const(0), i32const(0), i32const(65536), []byte{0xFC, 11, 0}), 4 + 16384},
		{"copy", cat(i32const(0), i32const(0), i32const(7), []byte{0xFC, 10, 0, 0}), 4 + 1},
		{"fill a table", cat(i32const(0), []byte{0xD0, 0x70}, i32const(5), []byte{0xFC, 17, 0}), 4 + 5*UnitsPerElement},
		{"grow by two pages", cat(i32const(2), []byte{opMemoryGrow, 0, opDrop}), 1 + leaving + 1 + 2*UnitsPerPage},
		{"grow in vain", cat(i32const(1000), []byte{opMemoryGrow, 0, opDrop}), 1 + leaving + 1},
		{"grow a table in vain", cat([]byte{0xD0, 0x70}, i32const(1000), []byte{0xFC, 15, 0, opDrop}), 2 + leaving + 1},
		{"a function's address", []byte{0xD2, 0, opDrop}, leaving + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := program{functions: []fn{
				{export: "run", locals: many(2, wasm.I32), code: c.code},
				{code: []byte{1, 1, 1}},
			}}.encode()
			for _, exact := range []bool{false, true} {
				m := newMetered(t, code, exact)
				used, err := m.run("run", 1<<30)
				if c.want < 0 { // it traps
					require.Error(t, err)
					require.False(t, m.outOfFuel())
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, c.want, used)
				if c.want == 0 {
					continue
				}
				_, err = m.run("run", c.want)
				require.NoError(t, err, "with just enough")
				_, err = m.run("run", c.want-1)
				require.ErrorContains(t, err, "unreachable", "with a unit less")
				require.True(t, m.outOfFuel())
			}
		})
	}
}

// endless are functions that would never end, or not for years.
var endless = []struct {
	name string
	fn   []fn // the first one is run, if none is exported
}{
	{"a loop", []fn{{code: []byte{opLoop, emptyBlock, opBr, 0, opEnd}}}},
	{"a loop by a condition", []fn{{code: cat([]byte{opLoop, emptyBlock}, i32const(1), op(opBrIf, 0), []byte{opEnd})}}},
	{"a loop by a table", []fn{{code: cat([]byte{opLoop, emptyBlock}, i32const(7), []byte{opBrTable, 2, 0, 0, 0, opEnd})}}},
	{"a loop that has results", []fn{{code: cat([]byte{opLoop, byte(wasm.I32)}, i32const(1), op(opBrIf, 0), i32const(1), []byte{opEnd, opDrop}, op(opCall, 0))}}},
	{"a loop in a loop", []fn{{code: []byte{opLoop, emptyBlock, opLoop, emptyBlock, opBr, 1, opEnd, opEnd}}}},
	{"a loop out of an if", []fn{{code: cat([]byte{opLoop, emptyBlock}, i32const(1), []byte{opIf, emptyBlock, opBr, 1, opEnd, opEnd}, op(opCall, 0))}}},
	{"calls as a tree", tree(45)},
	{"calls through a table", []fn{{}, {export: "run", code: cat([]byte{opLoop, emptyBlock}, i32const(0), []byte{opCallIndirect, 1, 0}, op(opBr, 0), []byte{opEnd})}}},
	{"fills of much", []fn{{code: repeat(50, func(int) []byte {
		return cat(i32const(0), i32const(0), i32const(60<<20), []byte{0xFC, 11, 0})
	})}}},
	{"copies of much", []fn{{code: repeat(50, func(int) []byte {
		return cat(i32const(0), i32const(0), i32const(60<<20), []byte{0xFC, 10, 0, 0})
	})}}},
	{"grows", []fn{{code: cat([]byte{opLoop, emptyBlock}, i32const(0), []byte{opMemoryGrow, 0, opDrop}, op(opBr, 0), []byte{opEnd})}}},
}

// tree is functions that each call the next one twice.
func tree(depth int) []fn {
	var all []fn
	for n := range depth {
		all = append(all, fn{code: append(op(opCall, n+1), op(opCall, n+1)...)})
	}
	return append(all, fn{})
}

// TestEndlessEnds runs what never ends. The fuel that is used in the end is the
// same in every run, and not much more than there was.
func TestEndlessEnds(t *testing.T) {
	for _, c := range endless {
		t.Run(c.name, func(t *testing.T) {
			functions := append([]fn(nil), c.fn...)
			if functions[len(functions)-1].export == "" {
				functions[0].export = "run"
			}
			code := program{functions: functions, pages: 1024}.encode()
			const limit = 10_000_000
			var first int64
			for n := range 2 {
				m := newMetered(t, code, false)
				if c.name == "fills of much" || c.name == "copies of much" {
					_, ok := m.Memory().Grow(1023)
					require.True(t, ok)
				}
				used, err := m.run("run", limit)
				require.ErrorContains(t, err, "unreachable")
				require.True(t, m.outOfFuel())
				if n == 0 {
					first = used
				}
				assert.Equal(t, first, used)
				assert.Less(t, used, int64(2*limit))
			}
		})
	}
}

// TestUnwindingIsTested: what runs after calls have returned is tested too,
// though no loop and no entry is on the way.
func TestUnwindingIsTested(t *testing.T) {
	// f calls itself 200 deep; then each level runs 20,000 instructions that a
	// branch can leave out, so that they are not charged before the call.
	const self, depth, much = 1, 200, 20000
	f := cat([]byte{opBlock, emptyBlock}, op(opLocalGet, 0), []byte{opI32Eqz}, op(opBrIf, 0),
		op(opLocalGet, 0), i32const(1), []byte{opI32Sub}, op(opCall, self), []byte{opEnd},
		op(opLocalGet, 0), []byte{opI32Eqz}, op(opBrIf, 0), bytes.Repeat([]byte{1}, much))
	m := newMetered(t, program{functions: []fn{
		{export: "run", code: cat(i32const(depth), op(opCall, self))},
		{params: many(1, wasm.I32), code: f},
	}}.encode(), false)
	used, err := m.run("run", 1<<40)
	require.NoError(t, err)
	require.Greater(t, used, int64(depth*much))
	const limit = 10_000
	used, err = m.run("run", limit)
	require.ErrorContains(t, err, "unreachable")
	assert.Less(t, used, int64(limit+5*MaxUntested), "units beyond the limit")
}

// TestStart: the start section becomes a function of the host's.
func TestStart(t *testing.T) {
	code := program{start: 1, functions: []fn{{export: "run"}, {code: []byte{opLoop, emptyBlock, opBr, 0, opEnd}}}}.encode()
	m := newMetered(t, code, false)
	_, err := m.run("run", 1)
	require.NoError(t, err)
	_, err = m.ExportedFunction(StartExport).Call(t.Context())
	require.ErrorContains(t, err, "unreachable")
	require.True(t, m.outOfFuel())
}

// TestStartHasNoResult: what is not a start function does not become one.
func TestStartHasNoResult(t *testing.T) {
	for _, f := range []fn{{results: many(1, wasm.I32), code: i32const(1)}, {params: many(1, wasm.I32)}} {
		_, err := Meter(program{start: 1, functions: []fn{{export: "run"}, f}}.encode())
		require.ErrorContains(t, err, "start function 1 has the signature")
	}
}

// TestIndicesOfThePass: the module cannot name what the pass has added. Without a
// look at the index each of these becomes a valid module that fills its own
// counter, or finds the functions that do.
func TestIndicesOfThePass(t *testing.T) {
	run := fn{export: "run"}
	with := func(code []byte) []byte { return program{functions: []fn{{export: "run", code: code}}}.encode() }
	for _, c := range []struct {
		name string
		code []byte
		want string
	}{
		{"global.set", with(cat(i64const(1<<40), op(opGlobalSet, 1))), "global.set 1: the module has 0 globals"},
		{"global.get", with(cat(op(opGlobalGet, 0), []byte{opDrop})), "global.get 0: the module has 0 globals"},
		{"local of the stack", with(cat(i64const(1<<40), op(opLocalSet, 0))), "local.set 0: the function has 0 locals"},
		{"call", with(op(opCall, 1)), "call of function 1: the module has 1"},
		{"ref.func", with([]byte{0xD2, 1, opDrop}), "function 1: the module has 1"},
		{"element", program{functions: []fn{run}}.replace(secElement, cat(u32(1), []byte{0}, i32const(0), []byte{opEnd, 1, 1})), "function 1: the module has 1"},
		{"element expression", program{functions: []fn{run}}.replace(secElement, cat(u32(1), []byte{4}, i32const(0), []byte{opEnd, 1, 0xD2, 1, opEnd})), "function 1: the module has 1"},
		{"passive element", program{functions: []fn{run}}.replace(secElement, []byte{1, 1, 0, 1, 1}), "function 1: the module has 1"},
		{"offset of an element", program{functions: []fn{run}}.replace(secElement, []byte{1, 0, opGlobalGet, 1, opEnd, 0}), "global.get 1: the module has 0 globals"},
		{"global", program{functions: []fn{run}}.replace(wasm.SectionGlobal, []byte{1, byte(wasm.I64), 0, opGlobalGet, 2, opEnd}), "global.get 2: the module has 1 globals"},
		{"a hidden global", program{functions: []fn{run}}.replace(wasm.SectionGlobal, []byte{0, byte(wasm.I64), 1, opI64Const, 7, opEnd}), "global section has 5 bytes behind its end"},
		{"offset of data", program{functions: []fn{run}}.replace(wasm.SectionData, []byte{1, 0, opGlobalGet, 1, opEnd, 0}), "global.get 1: the module has 0 globals"},
		{"export of a global", program{functions: []fn{run}}.replace(wasm.SectionExport, []byte{1, 1, 'g', 3, 1}), `export "g" is global 1: the module has 0`},
		{"export of a function", program{functions: []fn{run}}.replace(wasm.SectionExport, []byte{1, 1, 'f', 0, 1}), `export "f" is function 1: the module has 1`},
		{"name of an export", program{functions: []fn{{export: "iosrun.fuel"}}}.encode(), `export "iosrun.fuel" begins with "iosrun."`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Meter(c.code)
			var e *wasm.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Text, c.want)
			assert.Positive(t, e.Offset)
		})
	}
}

// replace gives the program with other contents of a section, which it may lack.
func (p program) replace(id byte, contents []byte) []byte {
	code := p.encode()
	w, err := wasm.Parse(code)
	if err != nil {
		panic(err)
	}
	out := append([]byte(nil), code[:8]...)
	done := false
	put := func() {
		if !done {
			out, done = wasm.AppendSection(out, id, contents), true
		}
	}
	for _, s := range w.Sections {
		if s.ID == id {
			put()
			continue
		}
		if wasm.SectionOrder(s.ID) > wasm.SectionOrder(id) {
			put()
		}
		out = wasm.AppendSection(out, s.ID, code[s.Offset:s.Offset+s.Size])
	}
	put()
	return out
}

// TestLimits: what is too large is refused by name before it is dealt with.
func TestLimits(t *testing.T) {
	with := func(f fn) []byte { f.export = "run"; return program{functions: []fn{f}}.encode() }
	blocks := func(n int) []byte {
		return cat(bytes.Repeat([]byte{opBlock, emptyBlock}, n), bytes.Repeat([]byte{opEnd}, n))
	}
	labels := func(n int) []byte {
		return cat(i32const(0), []byte{opBrTable}, u32(n), make([]byte, n+1))
	}
	var groups [][]byte
	for range MaxLocalsInAll/MaxLocals + 1 {
		groups = append(groups, cat(u32(6), u32(1), u32(MaxLocals), []byte{byte(wasm.I32), opEnd}))
		groups[len(groups)-1][0] = byte(len(groups[len(groups)-1]) - 1)
	}
	for _, c := range []struct {
		name string
		code []byte
		want string // empty: accepted
	}{
		{"large function", with(fn{code: bytes.Repeat([]byte{1}, MaxFunction-10)}), ""},
		{"too large function", with(fn{code: bytes.Repeat([]byte{1}, MaxFunction)}), "function of 1048578 bytes: at most 1048576"},
		{"deep", with(fn{code: blocks(MaxNesting - 1)}), ""},
		{"too deep", with(fn{code: blocks(MaxNesting)}), "block within 5000 others: at most 5000"},
		{"labels", with(fn{code: labels(MaxLabels)}), ""},
		{"too many labels", with(fn{code: labels(MaxLabels + 1)}), "br_table with 32769 labels: at most 32768"},
		{"labels that are not there", with(fn{code: []byte{opI32Const, 0, opBrTable, 0x80, 0x80, 1}}), "br_table claims 16384 labels in 1 bytes"},
		{"locals", with(fn{locals: many(MaxLocals, wasm.I32)}), ""},
		{"too many locals", with(fn{locals: many(MaxLocals+1, wasm.I32)}), "function with 10001 parameters and locals: at most 10000"},
		{"names that are not there", program{functions: []fn{{export: "run"}}, sections: [][]byte{
			wasm.AppendSection(nil, wasm.SectionCustom, []byte("\x04name\x01\x05\x80\xff\xff\xff\x0f"))}}.encode(), "custom section name claims 4294967168 names in 0 bytes"},
		{"too many locals in all", manyFunctions(groups), "functions with more than 2097152 parameters and locals in all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Meter(c.code)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var e *wasm.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Text, c.want)
		})
	}
}

// manyFunctions is a module of functions of no parameters with such bodies.
func manyFunctions(bodies [][]byte) []byte {
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	out = section(out, secType, []byte{0x60, 0, 0})
	out = section(out, wasm.SectionFunction, repeatItems(len(bodies), []byte{0})...)
	return section(out, wasm.SectionCode, bodies...)
}

func repeatItems(n int, item []byte) [][]byte {
	all := make([][]byte, n)
	for k := range all {
		all[k] = item
	}
	return all
}

// TestNotUnderstood: what the host does not switch on is refused, with its name
// and its place.
func TestNotUnderstood(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want string
	}{
		{op(0x12, 0), "instruction 0x12 is of an extension that the host does not have: tail calls"},
		{[]byte{0x13, 0, 0}, "tail calls"},
		{[]byte{0x06, emptyBlock, opEnd}, "exception handling"},
		{[]byte{0x08, 0}, "exception handling"},
		{[]byte{0x1F, emptyBlock, 0, opEnd}, "exception handling (try_table)"},
		{[]byte{0x14, 0}, "typed function references"},
		{[]byte{0xD5, 0}, "typed function references"},
		{[]byte{0xFB, 0}, "garbage collection"},
		{[]byte{0xFE, 0, 2, 0}, "threads"},
		{[]byte{0xFC, 18}, "instruction 0xfc 0x12 is unknown"},
		{[]byte{0xFD, 0x9A, 1}, "instruction 0xfd 0x9a is unknown"},
		{[]byte{0xFD, 0x80, 2}, "instruction 0xfd 0x100 is unknown (relaxed SIMD)"},
		{[]byte{0xFF}, "instruction 0xff is unknown"},
		{[]byte{opElse}, "else without an if"},
		{[]byte{opBlock, 0xC0, 0x7F, opEnd}, "a block's type is a negative number of 2 bytes"},
		{[]byte{opBlock, 0x40 | 0x2E, opEnd}, "a block is of type 0x6e, which is unknown"},
		{[]byte{opEnd, opEnd}, "bytes behind its end"},
		{op(opBr, 7), "br to label 7: 1 are open"},
		{[]byte{0x1C, 2, 0x7F, 0x7F}, "select has 2 types: want 1"},
		{[]byte{0x3F, 1}, "memory.size of memory 1: want 0"},
		{[]byte{opI32Const, 0x80, 0x80, 0x80, 0x80, 0x80, 0}, "immediate of i32.const has more than 5 bytes"},
		{op(opBlock, 9), "block of type 9: the module has 1 types"},
		{[]byte{opCallIndirect, 9, 0}, "call_indirect of type 9: the module has 1 types"},
	} {
		code := program{functions: []fn{{export: "run", code: c.code}}}.encode()
		_, err := Meter(code)
		var e *wasm.Error
		require.ErrorAs(t, err, &e, "%x", c.code)
		assert.Contains(t, e.Text, c.want)
		assert.True(t, bytes.HasPrefix(code[e.Offset:], c.code[:1]) || e.Offset > bytes.Index(code, c.code[:1]), "offset %#x", e.Offset)
	}
}

// TestKept holds a metered module against the module: everything is where it was.
func TestKept(t *testing.T) {
	custom := func(name, text string) []byte {
		return wasm.AppendSection(nil, wasm.SectionCustom, cat(u32(len(name)), []byte(name), []byte(text)))
	}
	code := program{functions: tree(3), sections: [][]byte{custom("name", "\x00\x02\x01m"), custom("producers", "made by")}}.encode()
	sameOutside(t, "tree", code)
	bare := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	sameOutside(t, "nothing", bare)
	sameOutside(t, "custom sections alone", cat(bare, custom("a", "b"), custom("c", "d")))
}

// sameOutside checks that all but code, and what the pass adds behind the
// module's own, is as it was.
func sameOutside(t *testing.T, name string, code []byte) {
	t.Helper()
	out, err := Meter(code)
	require.NoError(t, err, name)
	again, err := Meter(code)
	require.NoError(t, err, name)
	require.True(t, bytes.Equal(out, again), "%s: the same bytes each time", name)

	was, err := wasm.Parse(code)
	require.NoError(t, err, name)
	is, err := wasm.Parse(out)
	require.NoError(t, err, name)
	require.Equal(t, len(was.Customs), len(is.Customs), name)
	for n, c := range was.Customs {
		require.Equal(t, c.Name, is.Customs[n].Name, name)
		require.Equal(t, c.Data, is.Customs[n].Data, name)
	}
	require.Equal(t, was.Types, is.Types, name)
	require.Equal(t, len(was.Imports), len(is.Imports), name)
	require.Equal(t, was.Functions, is.Functions[:len(was.Functions):len(was.Functions)], name)
	require.Equal(t, was.Globals+counters, is.Globals, name)
	require.Equal(t, was.DataSize, is.DataSize, name)
	for n, e := range was.Exports {
		require.Equal(t, e.Name, is.Exports[n].Name, name)
		require.Equal(t, e.Index, is.Exports[n].Index, name)
	}
	for _, e := range is.Exports[len(was.Exports):] {
		require.True(t, strings.HasPrefix(e.Name, Prefix), "%s: %s", name, e.Name)
	}
	contents := func(code []byte, w *wasm.Module) map[string]string {
		all := make(map[string]string)
		for _, s := range w.Sections {
			switch s.ID {
			case wasm.SectionFunction, wasm.SectionGlobal, wasm.SectionExport, wasm.SectionCode, wasm.SectionStart, wasm.SectionCustom:
			default:
				all[s.Name()] = string(code[s.Offset : s.Offset+s.Size])
			}
		}
		return all
	}
	require.Equal(t, contents(code, was), contents(out, is), name)
}

// TestTime: metering takes time in proportion to the module's size, whatever it
// is made of. These are the largest of each kind.
func TestTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	nested := cat(bytes.Repeat([]byte{opLoop, emptyBlock}, MaxNesting-2), op(opLocalGet, 0), op(opLocalSet, 1),
		repeat(MaxNesting-2, func(n int) []byte {
			return cat(op(opLocalGet, n%9000), op(opBrIf, min(n/2, MaxNesting-2-n)), []byte{opEnd})
		}))
	table := cat(i32const(0), []byte{opBrTable}, u32(MaxLabels), make([]byte, MaxLabels+1))
	for name, f := range map[string]fn{
		"nested loops with many locals": {locals: many(MaxLocals, wasm.I32), code: nested},
		"tables of branches":            {locals: many(MaxLocals, wasm.I32), code: bytes.Repeat(table, MaxFunction/len(table)-1)},
		"locals": {locals: many(MaxLocals, wasm.I32), code: repeat(150_000, func(n int) []byte {
			return cat(op(opLocalGet, n%MaxLocals), op(opLocalSet, (n+1)%MaxLocals))
		})},
	} {
		f.export = "run"
		start := time.Now()
		_, err := Meter(program{functions: []fn{f}}.encode())
		require.NoError(t, err, name)
		t.Log(name, time.Since(start))
	}
}
