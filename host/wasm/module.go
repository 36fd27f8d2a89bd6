package wasm

import (
	"fmt"
	"strings"
)

// Limits of the modules that Parse accepts.
const (
	// MaxSize is the largest size of a module in bytes.
	MaxSize = 64 << 20
	// MaxParams is the largest number of parameters, and of results, of a function.
	MaxParams = 1000
	// MaxLocals is the largest number of locals of a function. A few bytes can declare
	// four thousand million of them, and a compiler pays for each.
	MaxLocals = 50000
	// PageSize is the size of a page of memory in bytes.
	PageSize = 64 << 10
	// MaxPages is the largest number of pages of a 32-bit memory.
	MaxPages = 65536
)

// ValueType is the type of a parameter, a result, a local or a global.
type ValueType byte

// The value types.
const (
	I32       ValueType = 0x7F
	I64       ValueType = 0x7E
	F32       ValueType = 0x7D
	F64       ValueType = 0x7C
	V128      ValueType = 0x7B
	FuncRef   ValueType = 0x70
	ExternRef ValueType = 0x6F
)

var valueTypeNames = map[ValueType]string{I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128", FuncRef: "funcref", ExternRef: "externref"}

func (t ValueType) String() string {
	if n, ok := valueTypeNames[t]; ok {
		return n
	}
	return fmt.Sprintf("type %#x", byte(t))
}

// FuncType is the signature of a function.
type FuncType struct {
	Params, Results []ValueType
}

func (t FuncType) String() string {
	return "(" + join(t.Params) + ") -> (" + join(t.Results) + ")"
}

func join(types []ValueType) string {
	var b strings.Builder
	for i, t := range types {
		if i != 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.String())
	}
	return b.String()
}

// Equal reports whether two signatures are the same.
func (t FuncType) Equal(o FuncType) bool {
	return string(raw(t.Params)) == string(raw(o.Params)) && string(raw(t.Results)) == string(raw(o.Results))
}

func raw(t []ValueType) []byte {
	b := make([]byte, len(t))
	for i := range t {
		b[i] = byte(t[i])
	}
	return b
}

// Kind is the kind of an import or an export: function, table, memory or global.
type Kind byte

// The kinds.
const (
	KindFunc Kind = iota
	KindTable
	KindMemory
	KindGlobal
	kinds
)

var kindNames = [kinds]string{"function", "table", "memory", "global"}

func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// Limits are the bounds of a memory, in pages, or of a table, in elements.
type Limits struct {
	Min, Max uint32
	HasMax   bool // Max means something
	Shared   bool
	Offset   int // offset of the limits in the module
}

// Import is an item that the module needs from its host.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         uint32 // index in Types, for a function
	Limits       Limits // limits of a table or a memory
	Offset       int
}

// Export is an item that the module offers to its host.
type Export struct {
	Name   string
	Kind   Kind
	Index  uint32 // in the index space of its kind, imports first
	Offset int
}

// Section is a section of the module. Offset is the offset of its contents, Start
// the offset of its id.
type Section struct {
	ID     byte
	Start  int
	Offset int
	Size   int
}

// Custom is a custom section. Data is a view of the module's bytes.
type Custom struct {
	Name   string
	Data   []byte
	Offset int // offset of Data
}

// Module is the outer structure of a module. Functions, Tables and Memories are
// those that it defines itself, without the imported ones.
type Module struct {
	Sections  []Section
	Types     []FuncType
	Imports   []Import
	Functions []uint32 // index in Types
	Tables    []Limits
	Memories  []Limits
	Exports   []Export
	HasStart  bool
	Start     uint32 // index of the function that instantiating runs
	Customs   []Custom
	Globals   int // number of globals that it defines
	Bodies    int // number of functions that have code
	CodeSize  int // bytes of the code section
	DataSize  int // bytes of the data section

	importedFunctions []uint32 // index in Types
}

// FunctionType returns the signature of the function with that index; imported
// functions have the first indices.
func (m *Module) FunctionType(index uint32) (FuncType, bool) {
	t, ok := m.FunctionTypeIndex(index)
	if !ok {
		return FuncType{}, false
	}
	return m.Types[t], true
}

// FunctionTypeIndex returns the index in Types of that signature.
func (m *Module) FunctionTypeIndex(index uint32) (uint32, bool) {
	n := uint32(len(m.importedFunctions))
	switch {
	case index < n:
		return m.importedFunctions[index], true
	case index-n < uint32(len(m.Functions)):
		return m.Functions[index-n], true
	}
	return 0, false
}

// Export finds the export of that name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// Custom finds the first custom section of that name.
func (m *Module) Custom(name string) (Custom, bool) {
	for _, c := range m.Customs {
		if c.Name == name {
			return c, true
		}
	}
	return Custom{}, false
}
