package meter

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/host/wasm"
)

// Meter returns a copy of a module that counts the instructions that it executes and
// ends with the trap "unreachable" when a call has used up its fuel or its stack.
// The host calls functions by the exports that the pass adds (CallPrefix). The
// module's start function, which would run when the module is instantiated, becomes
// such an export (StartExport). The error is a *wasm.Error, which says what the pass
// does not accept, and at which offset.
func Meter(code []byte) ([]byte, error) {
	return meter(code, false)
}

// meter does the work. With exact, every instruction is charged on its own. That is
// slow but simple, and the tests compare the charges of the pieces with it.
func meter(code []byte, exact bool) ([]byte, error) {
	w, err := wasm.Parse(code)
	if err != nil {
		return nil, err
	}
	m := &module{w: w, code: code, exact: exact}
	if err := m.prepare(); err != nil {
		return nil, err
	}
	return m.rewrite()
}

// module holds the metered module and the counts that the pass needs.
type module struct {
	w     *wasm.Module
	code  []byte
	exact bool

	globals  int // imported ones included
	imported int // functions
	bodies   []body
	locals   int // number of locals of all functions together
	added    []wrapper
}

// body is the code of one function.
type body struct {
	groups  int // offset of the locals' declarations, behind their number
	count   int // number of the declarations
	code    int // offset of the first instruction
	end     int // offset behind the last one
	params  int
	results int
	locals  int  // parameters included
	wide    bool // a local has 16 bytes
	small   bool // a call of it needs no account of the stack
}

func refuse(at int, format string, a ...any) error {
	return &wasm.Error{Offset: at, Text: fmt.Sprintf(format, a...)}
}

// prepare counts the module's types, functions and globals, and finds the functions'
// code.
func (m *module) prepare() error {
	m.globals = m.w.Globals
	for _, i := range m.w.Imports {
		switch i.Kind {
		case wasm.KindGlobal:
			m.globals++
		case wasm.KindFunc:
			m.imported++
		}
	}
	for _, e := range m.w.Exports {
		if strings.HasPrefix(e.Name, Prefix) {
			return refuse(e.Offset, "export %q begins with %q, as the host's own exports do: give it another name", e.Name, Prefix)
		}
		if e.Kind == wasm.KindGlobal && e.Index >= uint32(m.globals) {
			return refuse(e.Offset, "export %q is global %d: the module has %d", e.Name, e.Index, m.globals)
		}
	}
	if m.w.HasStart {
		if t, _ := m.w.FunctionType(m.w.Start); !t.Equal(wasm.FuncType{}) {
			return refuse(0, "start function %d has the signature %s: want %s", m.w.Start, t, wasm.FuncType{})
		}
	}
	for _, c := range m.w.Customs {
		if c.Name == nameSection {
			if err := m.names(c); err != nil {
				return err
			}
		}
	}
	for _, s := range m.w.Sections {
		var err error
		switch s.ID {
		case wasm.SectionCode:
			err = m.functions(s)
		case wasm.SectionGlobal, wasm.SectionElement, wasm.SectionData:
			err = m.constants(s)
		}
		if err != nil {
			return err
		}
	}
	m.wrappers()
	return nil
}

// wrapper is a function that the pass adds: it calls another with full counters.
type wrapper struct {
	export   string
	function uint32 // index of the function that it calls
}

func (m *module) wrappers() {
	for _, e := range m.w.Exports {
		if e.Kind != wasm.KindFunc {
			continue
		}
		if t, _ := m.w.FunctionType(e.Index); len(t.Params) == 0 {
			m.added = append(m.added, wrapper{CallPrefix + e.Name, e.Index})
		}
	}
	if m.w.HasStart {
		m.added = append(m.added, wrapper{StartExport, m.w.Start})
	}
}

// functions reads the locals of each function, and finds out whether it calls
// another.
func (m *module) functions(s wasm.Section) error {
	d := &decoder{code: m.code, at: s.Offset, end: s.Offset + s.Size}
	d.u32("the code section")
	m.bodies = make([]body, len(m.w.Functions))
	for n := range m.bodies {
		d.end = s.Offset + s.Size
		if err := m.function(n, d); err != nil {
			return err
		}
	}
	return nil
}

func (m *module) function(n int, d *decoder) error {
	at := d.at
	size := int(d.u32("a function"))
	if size > MaxFunction {
		d.fail(at, "function of %d bytes: at most %d", size, MaxFunction)
	}
	if d.err != nil {
		return d.err
	}
	d.end = d.at + size
	t := m.w.Types[m.w.Functions[n]]
	b := &m.bodies[n]
	*b = body{params: len(t.Params), results: len(t.Results), locals: len(t.Params), end: d.end}
	b.wide = wide(t.Params) || wide(t.Results)
	b.count = int(d.u32("the locals"))
	b.groups = d.at
	for range b.count {
		at := d.at
		b.locals += int(d.u32("the locals"))
		b.wide = d.valueType("a local") == wasm.V128 || b.wide
		if b.locals > MaxLocals {
			d.fail(at, "function with %d parameters and locals: at most %d", b.locals, MaxLocals)
		}
		if d.err != nil {
			return d.err
		}
	}
	m.locals += b.locals
	if m.locals > MaxLocalsInAll {
		d.fail(at, "functions with more than %d parameters and locals in all", MaxLocalsInAll)
	}
	b.code = d.at
	b.small = b.end-b.code <= smallCode && b.locals <= smallLocals
	var o operation
	for d.err == nil && d.at < d.end {
		d.next(&o)
		b.small = b.small && o.op != opCall && o.op != opCallIndirect
	}
	return d.err
}

// arity returns the numbers of parameters and of results of a block.
func (m *module) arity(t blockType, at int, d *decoder) (params, results int) {
	switch {
	case !t.isIndex && t.result == 0:
		return 0, 0
	case !t.isIndex:
		return 0, 1
	case t.index >= uint32(len(m.w.Types)):
		d.fail(at, "block of type %d: the module has %d types", t.index, len(m.w.Types))
		return 0, 0
	}
	f := &m.w.Types[t.index]
	return len(f.Params), len(f.Results)
}

// callee returns the type of the function that an instruction calls.
func (m *module) callee(o *operation, d *decoder) (wasm.FuncType, bool) {
	if o.op == opCallIndirect {
		if o.index >= uint32(len(m.w.Types)) {
			d.fail(o.at, "call_indirect of type %d: the module has %d types", o.index, len(m.w.Types))
			return wasm.FuncType{}, false
		}
		return m.w.Types[o.index], true
	}
	t, ok := m.w.FunctionType(o.index)
	if !ok {
		d.fail(o.at, "call of function %d: the module has %d", o.index, m.imported+len(m.w.Functions))
	}
	return t, ok
}

// wide reports whether a value of the types takes 16 bytes.
func wide(types []wasm.ValueType) bool {
	for _, t := range types {
		if t == wasm.V128 {
			return true
		}
	}
	return false
}

// rewrite returns the metered module: all sections but the start section, with
// additional globals, functions and exports, and with the rewritten code of the
// functions.
func (m *module) rewrite() ([]byte, error) {
	code, err := m.newCode()
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(m.code)+len(code)-m.w.CodeSize+1024), m.code[:8]...)
	items := [...]addition{
		{id: wasm.SectionFunction, count: len(m.added), items: m.newFunctions()},
		{id: wasm.SectionGlobal, count: counters, items: newGlobals()},
		{id: wasm.SectionExport, count: counters + len(m.added), items: m.newExports()},
		{id: wasm.SectionCode, count: len(m.bodies) + len(m.added), items: code, whole: true},
	}
	// A section that the module does not have goes behind the last one that must
	// stand in front of it, before any custom section there.
	missing := func(rest []wasm.Section) {
		order := wasm.LastSection + 1
		for _, s := range rest {
			if s.ID != wasm.SectionCustom {
				order = wasm.SectionOrder(s.ID)
				break
			}
		}
		for n := range items {
			if a := &items[n]; !a.done && a.count != 0 && wasm.SectionOrder(a.id) < order {
				out = a.append(out, nil)
			}
		}
	}
	for n, s := range m.w.Sections {
		missing(m.w.Sections[n:])
		if s.ID == wasm.SectionStart {
			continue // it is exported
		}
		contents := m.code[s.Offset : s.Offset+s.Size]
		extended := false
		for n := range items {
			if a := &items[n]; a.id == s.ID {
				out, extended = a.append(out, contents), true
			}
		}
		if !extended {
			out = wasm.AppendSection(out, s.ID, contents)
		}
	}
	missing(nil)
	return out, nil
}

// addition holds the items that the pass adds to a section that is a vector.
type addition struct {
	id    byte
	count int
	items []byte
	whole bool // the new item replaces the contents of the section
	done  bool
}

// append writes the section with the contents that it had and the new items.
func (a *addition) append(out, contents []byte) []byte {
	a.done = true
	d := decoder{code: contents, end: len(contents)}
	n := uint32(a.count)
	switch {
	case a.whole:
		contents = nil
	case len(contents) != 0:
		n += d.u32("a section")
		contents = contents[d.at:]
	}
	number := wasm.AppendU32(nil, n)
	out = wasm.AppendU32(append(out, a.id), uint32(len(number)+len(contents)+len(a.items)))
	return append(append(append(out, number...), contents...), a.items...)
}

// counters is the number of globals that the pass adds: limit, fuel and stack.
const counters = 3

func (m *module) limit() uint32 { return uint32(m.globals) }
func (m *module) fuel() uint32  { return uint32(m.globals) + 1 }
func (m *module) stack() uint32 { return uint32(m.globals) + 2 }

func newGlobals() []byte {
	var out []byte
	for range counters {
		out = append(out, byte(wasm.I64), 1, opI64Const, 0, opEnd)
	}
	return out
}

func (m *module) newFunctions() []byte {
	var out []byte
	for _, w := range m.added {
		t, _ := m.w.FunctionTypeIndex(w.function)
		out = wasm.AppendU32(out, t)
	}
	return out
}

func (m *module) newExports() []byte {
	var out []byte
	add := func(name string, kind wasm.Kind, index uint32) {
		out = append(wasm.AppendU32(out, uint32(len(name))), name...)
		out = wasm.AppendU32(append(out, byte(kind)), index)
	}
	add(LimitExport, wasm.KindGlobal, m.limit())
	add(FuelExport, wasm.KindGlobal, m.fuel())
	add(StackExport, wasm.KindGlobal, m.stack())
	for n, w := range m.added {
		add(w.export, wasm.KindFunc, uint32(m.imported+len(m.bodies)+n))
	}
	return out
}

// newCode returns the bodies of all functions.
func (m *module) newCode() ([]byte, error) {
	out := make([]byte, 0, m.w.CodeSize+m.w.CodeSize/2)
	f := &function{m: m}
	e := newEncoder(m)
	d := &decoder{code: m.code}
	for n := range m.bodies {
		b := &m.bodies[n]
		d.at, d.end = b.code, b.end
		f.analyse(b, d)
		if d.err != nil {
			return nil, d.err
		}
		body := e.function(b, f)
		out = append(wasm.AppendU32(out, uint32(len(body))), body...)
	}
	for _, w := range m.added {
		body := e.wrapper(w)
		out = append(wasm.AppendU32(out, uint32(len(body))), body...)
	}
	return out, nil
}

// appendSigned appends v as a signed LEB128 number.
func appendSigned(out []byte, v int64) []byte {
	for {
		b := byte(v & 0x7F)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
