package meter

import (
	"context"
	"testing"

	"github.com/iosrun/iosrun/host/wasm"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// fn is a function of a module that a test is made of.
type fn struct {
	params, results []wasm.ValueType
	locals          []wasm.ValueType
	code            []byte // without its end
	export          string
}

// program is a module with one memory and one table; its functions are numbered
// from 0.
type program struct {
	functions []fn
	pages     uint32 // most pages of the memory, 16 when 0
	start     int    // number of the function behind the start, 0 for none
	sections  [][]byte
}

func cat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func u32(v int) []byte { return wasm.AppendU32(nil, uint32(v)) }

func i32const(v int) []byte { return appendSigned([]byte{opI32Const}, int64(v)) }

func i64const(v int64) []byte { return appendSigned([]byte{opI64Const}, v) }

// op is an instruction with an index.
func op(code byte, index int) []byte { return append([]byte{code}, u32(index)...) }

func repeat(n int, code func(int) []byte) []byte {
	var out []byte
	for k := range n {
		out = append(out, code(k)...)
	}
	return out
}

func many(n int, t wasm.ValueType) []wasm.ValueType {
	types := make([]wasm.ValueType, n)
	for k := range types {
		types[k] = t
	}
	return types
}

func typeBytes(types []wasm.ValueType) []byte {
	out := u32(len(types))
	for _, t := range types {
		out = append(out, byte(t))
	}
	return out
}

func section(out []byte, id byte, items ...[]byte) []byte {
	return wasm.AppendSection(out, id, append(u32(len(items)), cat(items...)...))
}

const (
	secType, secTable, secMemory, secElement = 1, 4, 5, 9
)

func (p program) encode() []byte {
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	var types, functions, exports, bodies [][]byte
	for n, f := range p.functions {
		types = append(types, cat([]byte{0x60}, typeBytes(f.params), typeBytes(f.results)))
		functions = append(functions, u32(n))
		if f.export != "" {
			exports = append(exports, cat(u32(len(f.export)), []byte(f.export), []byte{0}, u32(n)))
		}
		var locals [][]byte
		for _, t := range f.locals {
			locals = append(locals, []byte{1, byte(t)})
		}
		body := cat(u32(len(locals)), cat(locals...), f.code, []byte{opEnd})
		bodies = append(bodies, append(u32(len(body)), body...))
	}
	if p.pages == 0 {
		p.pages = 16
	}
	out = section(out, secType, types...)
	out = section(out, wasm.SectionFunction, functions...)
	out = section(out, secTable, []byte{byte(wasm.FuncRef), 1, 8, 8})
	out = section(out, secMemory, append([]byte{1, 1}, u32(int(p.pages))...))
	out = section(out, wasm.SectionExport, exports...)
	if p.start != 0 {
		out = wasm.AppendSection(out, wasm.SectionStart, u32(p.start))
	}
	out = section(out, secElement, cat([]byte{0}, i32const(0), []byte{opEnd, 1, 0})) // function 0 at 0
	out = section(out, wasm.SectionCode, bodies...)
	return append(out, cat(p.sections...)...)
}

// metered is an instance of a module that has been metered.
type metered struct {
	t testing.TB
	api.Module
}

func newMetered(t testing.TB, code []byte, exact bool) *metered {
	t.Helper()
	ctx := context.Background()
	out, err := meter(code, exact)
	require.NoError(t, err)
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { require.NoError(t, r.Close(ctx)) })
	m, err := r.InstantiateWithConfig(ctx, out, wazero.NewModuleConfig())
	require.NoError(t, err)
	return &metered{t, m}
}

// run calls a function without parameters with so much fuel. It gives the units
// that the function used.
func (m *metered) run(name string, fuel int64) (used int64, err error) {
	m.t.Helper()
	m.ExportedGlobal(LimitExport).(api.MutableGlobal).Set(uint64(fuel))
	_, err = m.ExportedFunction(CallPrefix + name).Call(context.Background())
	return fuel - int64(m.ExportedGlobal(FuelExport).Get()), err
}

func (m *metered) outOfFuel() bool { return int64(m.ExportedGlobal(FuelExport).Get()) < 0 }

func (m *metered) outOfStack() bool { return int64(m.ExportedGlobal(StackExport).Get()) < 0 }
