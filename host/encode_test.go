package host_test

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/wasm"
)

// Instructions that the test guests are made of.
const (
	opUnreachable = 0x00
	opLoop        = 0x03
	opBranch      = 0x0C
	opBranchIf    = 0x0D
	opEnd         = 0x0B
	opCall        = 0x10
	opDrop        = 0x1A
	opI32Load     = 0x28
	opI32Store    = 0x36
	opI32Store16  = 0x3B
	opI64Store    = 0x37
	opMemoryGrow  = 0x40
	opI32Const    = 0x41
	opBranchTable = 0x0E
	opI64Const    = 0x42
	opI32LtU      = 0x49
	opI32Add      = 0x6A
	empty         = 0x40
)

// guest describes a module; the zero value is a detour whose one hook,
// front_end, does nothing.
type guest struct {
	manifest string // text; "-" for none, empty for one with hooks front_end
	hooks    []string
	wants    []string

	marker     string // name; empty for the right one, "-" for none
	markerType byte   // 0: () -> (i32), 1: () -> ()
	offset     int32  // of the frame, 1024 when 0
	hookType   byte   // 0: () -> (), 1: () -> (i32)

	imports [][2]string // functions of type (i32, i32, i32) -> (i32)
	types   []string    // of the imports, "iii:i" when missing

	minPages, maxPages int // 1 and 16 when 0; maxPages -1: none
	memories           int // 1 when 0, -1: none

	start, initialize, body []byte // code without its end; start and initialize may be nil
	markerCode              []byte // runs before the marker gives the offset
	sections                []section
	table                   []byte // a table section's contents
	elements, data          []byte // contents of those sections
}

type section struct {
	name string
	data []byte
}

func (g guest) manifestText() string {
	if g.manifest != "" {
		return g.manifest
	}
	hooks := g.hooks
	if hooks == nil {
		hooks = []string{"front_end"}
	}
	return fmt.Sprintf(`{"name":"test/guest","version":"1","abi":"1.0","hooks":["%s"],"capabilities":[%s],
		"settings":[{"name":"speed","default":5,"min":1,"max":9},{"name":"kind","names":["slow","fast"]}]}`,
		strings.Join(hooks, `","`), quoted(g.wants))
}

func quoted(names []string) string {
	var q []string
	for _, n := range names {
		q = append(q, `"`+n+`"`)
	}
	return strings.Join(q, ",")
}

// encode gives the module's bytes.
func (g guest) encode() []byte {
	hooks := g.hooks
	if hooks == nil {
		hooks = []string{"front_end"}
	}
	if g.offset == 0 {
		g.offset = 1024
	}
	if g.minPages == 0 {
		g.minPages = 1
	}
	if g.maxPages == 0 {
		g.maxPages = 16
	}
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

	// Types 0: () -> (), 1: () -> (i32), then one an import.
	types := [][]byte{funcType(""), funcType(":i")}
	var imports [][]byte
	for n, i := range g.imports {
		t := "iii:i"
		if n < len(g.types) {
			t = g.types[n]
		}
		imports = append(imports, cat(name(i[0]), name(i[1]), []byte{0}, u32(len(types))))
		types = append(types, funcType(t))
	}
	out = put(out, 1, vector(types))
	if len(imports) != 0 {
		out = put(out, 2, vector(imports))
	}

	var functions, exports, bodies [][]byte
	add := func(export string, kind byte, code []byte) int {
		index := len(g.imports) + len(functions)
		functions = append(functions, []byte{kind})
		bodies = append(bodies, sized(cat([]byte{0}, code, []byte{opEnd})))
		if export != "" {
			exports = append(exports, cat(name(export), []byte{0}, u32(index)))
		}
		return index
	}
	if g.marker == "" {
		g.marker = abi.MarkerExport
	}
	if g.marker != "-" {
		code := cat(g.markerCode, []byte{opI32Const}, s32(g.offset))
		if g.markerType == 1 {
			code = nil
		}
		add(g.marker, 1-g.markerType, code)
	}
	for _, h := range hooks {
		code := g.body
		if g.hookType == 1 {
			code = cat(code, []byte{opI32Const, 0})
		}
		add(h, g.hookType, code)
	}
	if g.initialize != nil {
		add("_initialize", 0, g.initialize)
	}
	start := -1
	if g.start != nil {
		start = add("", 0, g.start)
	}
	out = put(out, 3, vector(functions))
	if g.table != nil {
		out = put(out, 4, g.table)
	}
	if g.memories == 0 {
		g.memories = 1
	}
	if g.memories > 0 {
		limits := cat([]byte{0}, u32(g.minPages))
		if g.maxPages > 0 {
			limits = cat([]byte{1}, u32(g.minPages), u32(g.maxPages))
		}
		var all [][]byte
		for range g.memories {
			all = append(all, limits)
		}
		out = put(out, 5, vector(all))
	}
	out = put(out, 7, vector(exports))
	if start >= 0 {
		out = put(out, 8, u32(start))
	}
	if g.elements != nil {
		out = put(out, 9, g.elements)
	}
	out = put(out, 10, vector(bodies))
	if g.data != nil {
		out = put(out, 11, g.data)
	}
	if text := g.manifestText(); text != "-" {
		out = put(out, 0, cat(name(abi.ManifestSection), []byte(text)))
	}
	for _, s := range g.sections {
		out = put(out, 0, cat(name(s.name), s.data))
	}
	return out
}

func cat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func u32(v int) []byte { return wasm.AppendU32(nil, uint32(v)) }

// s32 is a signed LEB128 number.
func s32(v int32) []byte {
	var out []byte
	for {
		b := byte(v & 0x7F)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

func name(s string) []byte { return cat(u32(len(s)), []byte(s)) }

func sized(p []byte) []byte { return cat(u32(len(p)), p) }

func vector(items [][]byte) []byte { return cat(u32(len(items)), cat(items...)) }

func put(out []byte, id byte, body []byte) []byte { return cat(out, []byte{id}, sized(body)) }

// funcType encodes a signature such as "iIi:i".
func funcType(s string) []byte {
	params, results, _ := strings.Cut(s, ":")
	side := func(s string) []byte {
		out := u32(len(s))
		for _, c := range s {
			if c == 'I' {
				out = append(out, byte(wasm.I64))
			} else {
				out = append(out, byte(wasm.I32))
			}
		}
		return out
	}
	return cat([]byte{0x60}, side(params), side(results))
}

// store is code that stores a 32-bit value at an address.
func store(at, value int32) []byte {
	return cat([]byte{opI32Const}, s32(at), []byte{opI32Const}, s32(value), []byte{opI32Store, 2, 0})
}

// store16 is code that stores a 16-bit value at an address.
func store16(at, value int32) []byte {
	return cat([]byte{opI32Const}, s32(at), []byte{opI32Const}, s32(value), []byte{opI32Store16, 1, 0})
}

// call is code that calls a function with constant arguments.
func call(index int, args ...int32) []byte {
	var code []byte
	for _, a := range args {
		code = cat(code, []byte{opI32Const}, s32(a))
	}
	return cat(code, []byte{opCall}, u32(index))
}
