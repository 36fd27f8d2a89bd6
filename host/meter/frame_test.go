package meter

import (
	"runtime"
	"testing"

	"github.com/iosrun/iosrun/host/wasm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recursive is a function of one 64-bit number that calls itself for ever. Its
// frames are of different shapes: what the pass estimates must bound what the
// compiler makes.
type recursive struct {
	name    string
	locals  []wasm.ValueType
	before  []byte // in front of the call, which leaves a number on the stack
	after   []byte // makes of that number and what was before the result
	results []wasm.ValueType
}

func (r recursive) program() []byte {
	code := cat(r.before, op(opLocalGet, 0), i64const(1), []byte{opI64Add}, op(opCall, itself), r.after)
	results := r.results
	if results == nil {
		results = []wasm.ValueType{wasm.I64}
	}
	drop := repeat(len(results), func(int) []byte { return []byte{0x1A} })
	return program{functions: []fn{
		{export: "run", code: cat(i64const(0), op(opCall, itself), drop)},
		{params: []wasm.ValueType{wasm.I64}, results: results, locals: r.locals, code: code},
		{params: []wasm.ValueType{wasm.I64}, results: []wasm.ValueType{wasm.I64}, code: cat(op(opLocalGet, 0), i64const(3), []byte{opI64Mul})},
	}}.encode()
}

// The functions of a recursion: itself, and a small one that calls nothing.
const (
	itself = 1
	small  = 2
)

// mixed is a number that depends on n and on the parameter, so that the compiler
// must keep it.
func mixed(n int) []byte { return cat(op(opLocalGet, 0), i64const(int64(n)*7919), []byte{0x85}) }

func sum(n int) []byte { return repeat(n, func(int) []byte { return []byte{opI64Add} }) }

var recursions = []recursive{
	{name: "nothing"},
	{name: "locals", locals: many(300, wasm.I64),
		before: repeat(300, func(n int) []byte { return cat(mixed(n), op(opLocalSet, n+1)) }),
		after:  repeat(300, func(n int) []byte { return append(op(opLocalGet, n+1), opI64Add) })},
	{name: "operands", before: repeat(300, mixed), after: sum(300)},
	{name: "operands of one function after the other",
		before: repeat(200, func(n int) []byte {
			return cat(repeat(4, func(k int) []byte { return mixed(n + k) }), op(opLocalGet, 0), op(opCall, 1), sum(4), op(opLocalSet, 1))
		}), locals: many(1, wasm.I64), after: cat(op(opLocalGet, 1), []byte{opI64Add})},
	{name: "vectors", locals: many(300, wasm.V128),
		before: repeat(300, func(n int) []byte { return cat(mixed(n), []byte{prefixVector, 18}, op(opLocalSet, n+1)) }),
		after: repeat(300, func(n int) []byte {
			return cat(op(opLocalGet, n+1), []byte{prefixVector, 29, 0, opI64Add})
		})},
	{name: "many values of few locals", locals: many(20, wasm.I64),
		before: repeat(2000, func(n int) []byte {
			return cat(op(opLocalGet, 1+(n+1)%20), op(opLocalGet, 1+(n+7)%20), []byte{opI64Add}, mixed(n), []byte{opI64Mul}, op(opLocalSet, 1+n%20))
		}),
		after: repeat(20, func(n int) []byte { return append(op(opLocalGet, n+1), opI64Add) })},
	{name: "locals where ways meet", locals: many(100, wasm.I64),
		before: cat(
			repeat(100, func(n int) []byte { return cat(mixed(n), op(opLocalSet, n+1)) }),
			repeat(50, func(n int) []byte {
				return cat(mixed(n), []byte{0xA7, opIf, emptyBlock},
					repeat(100, func(k int) []byte { return cat(mixed(n+k), op(opLocalSet, k+1)) }), []byte{opEnd})
			})),
		after: repeat(100, func(n int) []byte { return append(op(opLocalGet, n+1), opI64Add) })},
	{name: "a table of branches into a chain of blocks", locals: many(100, wasm.I64),
		before: cat(
			repeat(50, func(int) []byte { return []byte{opBlock, emptyBlock} }),
			mixed(1), []byte{0xA7, opBrTable}, u32(49), repeat(50, u32),
			repeat(50, func(n int) []byte {
				return cat([]byte{opEnd}, repeat(2, func(k int) []byte { return cat(mixed(n), op(opLocalSet, 1+(2*n+k)%100)) }))
			})),
		after: repeat(100, func(n int) []byte { return append(op(opLocalGet, n+1), opI64Add) })},
	{name: "a loop that mixes locals", locals: many(100, wasm.I64),
		before: cat([]byte{opLoop, emptyBlock},
			repeat(99, func(n int) []byte {
				return cat(op(opLocalGet, n+1), op(opLocalGet, n+2), []byte{opI64Add}, op(opLocalSet, n+1))
			}),
			mixed(3), []byte{0xA7}, i32const(12345), []byte{0x46}, op(opBrIf, 0), []byte{opEnd}),
		after: repeat(100, func(n int) []byte { return append(op(opLocalGet, n+1), opI64Add) })},
	{name: "few locals across each of many calls", locals: many(8, wasm.I64),
		before: repeat(300, func(n int) []byte {
			return cat(
				repeat(6, func(k int) []byte { return cat(mixed(n+k), op(opLocalSet, k+1)) }),
				mixed(n), op(opCall, small),
				repeat(6, func(k int) []byte { return cat(op(opLocalGet, k+1), []byte{opI64Add}) }),
				op(opLocalGet, 8), []byte{opI64Add}, op(opLocalSet, 8))
		}),
		after: cat(op(opLocalGet, 8), []byte{opI64Add})},
	{name: "few operands across each of many calls", locals: many(1, wasm.I64),
		before: repeat(300, func(n int) []byte {
			return cat(repeat(5, func(k int) []byte { return mixed(n + k) }), op(opCall, small), sum(4),
				op(opLocalGet, 1), []byte{opI64Add}, op(opLocalSet, 1))
		}),
		after: cat(op(opLocalGet, 1), []byte{opI64Add})},
	{name: "vectors across each of many calls", locals: many(1, wasm.I64),
		before: repeat(300, func(n int) []byte {
			return cat(repeat(5, func(k int) []byte { return cat(mixed(n+k), []byte{prefixVector, 18}) }), mixed(n), op(opCall, small), []byte{prefixVector, 18},
				repeat(5, func(int) []byte { return []byte{prefixVector, 0xCE, 1} }), []byte{prefixVector, 29, 0},
				op(opLocalGet, 1), []byte{opI64Add}, op(opLocalSet, 1))
		}),
		after: cat(op(opLocalGet, 1), []byte{opI64Add})},
	{name: "locals carried around loops", locals: many(4, wasm.I64),
		before: repeat(200, func(n int) []byte {
			return cat(repeat(3, func(k int) []byte { return cat(mixed(n-k), op(opLocalSet, k+1)) }),
				[]byte{opLoop, emptyBlock}, i64const(0),
				repeat(3, func(k int) []byte { return cat(op(opLocalGet, k+1), []byte{opI64Add}) }), op(opLocalSet, 4),
				repeat(3, func(k int) []byte { return cat(mixed(n+k), op(opLocalGet, 4), []byte{opI64Add}, op(opLocalSet, k+1)) }),
				op(opLocalGet, 4), op(opCall, small), i64const(1), []byte{0x51}, op(opBrIf, 0), []byte{opEnd})
		}),
		after: cat(op(opLocalGet, 4), []byte{opI64Add})},
	{name: "many results", results: many(200, wasm.I64)},
}

// TestRecursionEnds runs recursions without an end. The memory that each takes
// from the host, all growths of the runtime's stack together, stays below 1 MiB.
func TestRecursionEnds(t *testing.T) {
	for _, r := range recursions {
		t.Run(r.name, func(t *testing.T) {
			m := newMetered(t, r.program(), false)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			used, err := m.run("run", enough)
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, "unreachable")
			assert.True(t, m.outOfStack())
			assert.False(t, m.outOfFuel())
			taken := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d units, %d KiB", used, taken>>10)
			assert.Less(t, taken, uint64(1<<20))
		})
	}
}
