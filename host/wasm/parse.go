package wasm

import "bytes"

// The sections' ids.
const (
	SectionCustom = iota
	secType
	secImport
	SectionFunction
	secTable
	secMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	secDataCount
	sections
)

// LastSection is the place of the section that stands behind all others.
const LastSection = 12

// SectionOrder returns the place that a section must have among the others, from 1
// to LastSection; 0 for custom sections, which may be anywhere.
func SectionOrder(id byte) int { return sectionOrder[id] }

// sectionOrder is the place that a section must have among the others; the
// specification puts the data count in front of the code.
var sectionOrder = [sections]int{
	secType: 1, secImport: 2, SectionFunction: 3, secTable: 4, secMemory: 5, SectionGlobal: 6,
	SectionExport: 7, SectionStart: 8, SectionElement: 9, secDataCount: 10, SectionCode: 11, SectionData: 12,
}

var sectionNames = [sections]string{
	"custom", "type", "import", "function", "table", "memory", "global",
	"export", "start", "element", "code", "data", "data count",
}

// Name returns the section's name in the specification.
func (s Section) Name() string { return sectionNames[s.ID] }

var preamble = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

// Parse reads the outer structure of a module. Its error is an *Error. It keeps
// views of b, which must not change afterwards.
func Parse(b []byte) (*Module, error) {
	switch {
	case len(b) > MaxSize:
		return nil, &Error{0, "is longer than the limit of 64 MiB"}
	case len(b) < len(preamble) || !bytes.Equal(b[:4], preamble[:4]):
		return nil, &Error{0, `does not begin with the four bytes "\0asm": not a WebAssembly module`}
	case !bytes.Equal(b[:8], preamble):
		return nil, &Error{4, "is not of version 1 of the binary format (a component, perhaps): want a core module"}
	}
	m := new(Module)
	r := &reader{b: b, at: len(preamble), end: len(b)}
	order := 0
	for r.err == nil && r.left() > 0 {
		s := Section{Start: r.at}
		s.ID = r.byte("a section id")
		if s.ID >= sections {
			r.fail(s.Start, "section id %d is unknown: want 0 to %d", s.ID, sections-1)
			break
		}
		s.Size = int(r.u32("a section's size"))
		s.Offset = r.at
		w := r.window(s.Size, "the "+s.Name()+" section")
		if w.err != nil {
			break
		}
		if s.ID != SectionCustom {
			if sectionOrder[s.ID] <= order {
				r.fail(s.Start, "%s section is there twice or out of order", s.Name())
				break
			}
			order = sectionOrder[s.ID]
		}
		m.Sections = append(m.Sections, s)
		m.section(s.ID, w)
		if w.err == nil && w.left() != 0 {
			w.fail(w.at, "%s section has %d bytes behind its end", s.Name(), w.left())
		}
		r.err = w.err
	}
	if r.err == nil {
		m.check(r)
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// section reads the contents of one section from w, to its end.
func (m *Module) section(id byte, w *reader) {
	switch id {
	case SectionCustom:
		n := w.name("the name of a custom section")
		at := w.at
		m.Customs = append(m.Customs, Custom{Name: n, Data: w.bytes(w.left(), "a custom section"), Offset: at})
	case secType:
		for range w.count("types") {
			m.Types = append(m.Types, w.funcType())
		}
	case secImport:
		for n := w.count("imports"); n > 0 && w.err == nil; n-- {
			m.imported(w)
		}
	case SectionFunction:
		for n := w.count("functions"); n > 0 && w.err == nil; n-- {
			m.Functions = append(m.Functions, m.typeIndex(w))
		}
	case secTable:
		for n := w.count("tables"); n > 0 && w.err == nil; n-- {
			m.Tables = append(m.Tables, w.table())
		}
	case secMemory:
		for n := w.count("memories"); n > 0 && w.err == nil; n-- {
			m.Memories = append(m.Memories, w.limits("memory"))
		}
	case SectionExport:
		m.exports(w)
	case SectionStart:
		m.Start, m.HasStart = w.u32("the start function"), true
	case SectionCode:
		m.CodeSize = w.left()
		m.bodies(w)
	case SectionGlobal:
		m.Globals = w.count("globals")
		w.bytes(w.left(), "the globals")
	case SectionData:
		m.DataSize = w.left()
		w.bytes(w.left(), "the data")
	default: // element, data count: the compiler checks them
		w.bytes(w.left(), "a section")
	}
}

func (w *reader) funcType() FuncType {
	if w.err != nil {
		return FuncType{}
	}
	at := w.at
	if form := w.byte("a type"); w.err == nil && form != 0x60 {
		w.fail(at, "type of form %#x is not a function: want 0x60", form)
	}
	return FuncType{Params: w.valueTypes("parameters"), Results: w.valueTypes("results")}
}

func (w *reader) valueTypes(what string) []ValueType {
	at := w.at
	n := w.count(what)
	if n > MaxParams {
		w.fail(at, "function with %d %s: at most %d", n, what, MaxParams)
		return nil
	}
	if n == 0 || w.err != nil {
		return nil
	}
	types := make([]ValueType, n)
	for i := range types {
		types[i] = w.valueType()
	}
	return types
}

func (w *reader) valueType() ValueType {
	at := w.at
	t := ValueType(w.byte("a value type"))
	if _, ok := valueTypeNames[t]; !ok {
		w.fail(at, "value type %#x is unknown", byte(t))
	}
	return t
}

func (m *Module) typeIndex(w *reader) uint32 {
	at := w.at
	t := w.u32("a type index")
	if w.err == nil && t >= uint32(len(m.Types)) {
		w.fail(at, "type %d: the module has %d types", t, len(m.Types))
		return 0
	}
	return t
}

func (w *reader) table() Limits {
	at := w.at
	if t := ValueType(w.byte("a table's type")); t != FuncRef && t != ExternRef {
		w.fail(at, "table of type %#x: want funcref or externref", byte(t))
	}
	return w.limits("table")
}

func (w *reader) limits(what string) Limits {
	at := w.at
	flags := w.byte("a " + what + "'s limits")
	if flags > 3 {
		w.fail(at, "%s limits with flags %#x: only 32-bit limits are known", what, flags)
		return Limits{}
	}
	l := Limits{Offset: at, HasMax: flags&1 != 0, Shared: flags&2 != 0, Min: w.u32("a minimum")}
	if l.HasMax {
		l.Max = w.u32("a maximum")
	}
	switch {
	case w.err != nil:
	case l.HasMax && l.Max < l.Min:
		w.fail(at, "%s with maximum %d below its minimum %d", what, l.Max, l.Min)
	case what == "memory" && (l.Min > MaxPages || l.Max > MaxPages):
		w.fail(at, "memory of %d to %d pages: a memory has at most %d", l.Min, l.Max, MaxPages)
	}
	return l
}

func (m *Module) imported(w *reader) {
	i := Import{Offset: w.at}
	i.Module, i.Name = w.name("an import's module"), w.name("an import's name")
	at := w.at
	i.Kind = Kind(w.byte("an import's kind"))
	if w.err != nil {
		return
	}
	switch i.Kind {
	case KindFunc:
		i.Type = m.typeIndex(w)
		m.importedFunctions = append(m.importedFunctions, i.Type)
	case KindTable:
		i.Limits = w.table()
	case KindMemory:
		i.Limits = w.limits("memory")
	case KindGlobal:
		w.valueType()
		w.byte("a global's mutability")
	default:
		w.fail(at, "import %s.%s of kind %d: want 0 to %d", i.Module, i.Name, byte(i.Kind), kinds-1)
	}
	m.Imports = append(m.Imports, i)
}

func (m *Module) exports(w *reader) {
	n := w.count("exports")
	seen := make(map[string]bool)
	for ; n > 0 && w.err == nil; n-- {
		e := Export{Offset: w.at}
		e.Name = w.name("an export's name")
		at := w.at
		e.Kind = Kind(w.byte("an export's kind"))
		e.Index = w.u32("an export's index")
		switch {
		case w.err != nil:
		case e.Kind >= kinds:
			w.fail(at, "export %q of kind %d: want 0 to %d", e.Name, byte(e.Kind), kinds-1)
		case seen[e.Name]:
			w.fail(e.Offset, "export %q is there twice", e.Name)
		}
		seen[e.Name] = true
		m.Exports = append(m.Exports, e)
	}
}

// bodies goes through the functions and reads the declarations of their locals.
func (m *Module) bodies(w *reader) {
	m.Bodies = w.count("functions with code")
	for n := m.Bodies; n > 0 && w.err == nil; n-- {
		at := w.at
		f := w.window(int(w.u32("a function's size")), "a function")
		locals := uint64(0)
		for g := f.count("groups of locals"); g > 0 && f.err == nil; g-- {
			locals += uint64(f.u32("a number of locals"))
			f.valueType()
		}
		if f.err == nil && locals > MaxLocals {
			f.fail(at, "function with %d locals: at most %d", locals, MaxLocals)
		}
		w.err = f.err
	}
}

// check makes the checks that need every section to have been read.
func (m *Module) check(r *reader) {
	if m.Bodies != len(m.Functions) {
		r.fail(r.end, "has %d functions but code for %d", len(m.Functions), m.Bodies)
	}
	funcs := uint32(len(m.importedFunctions) + len(m.Functions))
	if m.HasStart && m.Start >= funcs {
		r.fail(r.end, "start function %d: the module has %d functions", m.Start, funcs)
	}
	for _, e := range m.Exports {
		if e.Kind == KindFunc && e.Index >= funcs {
			r.fail(e.Offset, "export %q is function %d: the module has %d", e.Name, e.Index, funcs)
		}
	}
}
