package wasm_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/iosrun/iosrun/host/wasm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var head = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

func module(sections ...[]byte) []byte {
	return append(bytes.Clone(head), bytes.Join(sections, nil)...)
}

func sec(id byte, body ...byte) []byte {
	return append(wasm.AppendU32([]byte{id}, uint32(len(body))), body...)
}

// whole has one of nearly everything.
var whole = module(
	sec(0, 4, 'n', 'o', 't', 'e', 1, 2, 3),
	sec(1, 2, 0x60, 0, 0, 0x60, 2, 0x7F, 0x7E, 1, 0x7D),
	sec(2, 4, 1, 'm', 1, 'f', 0, 1, 1, 'm', 1, 't', 1, 0x70, 0, 5, 1, 'm', 1, 'g', 3, 0x7C, 1, 1, 'm', 1, 'h', 0, 0),
	sec(3, 2, 0, 1),
	sec(4, 1, 0x6F, 1, 1, 2),
	sec(5, 1, 1, 2, 0x80, 2),
	sec(6, 1, 0x7F, 0, 0x41, 0, 0x0B),
	sec(7, 2, 1, 'a', 0, 3, 2, 'b', 'b', 2, 0),
	sec(8, 2),
	sec(12, 1),
	sec(10, 2, 2, 0, 0x0B, 6, 1, 3, 0x7F, 0x43, 0, 0x0B),
	sec(11, 1, 1, 0),
)

func TestParse(t *testing.T) {
	m, err := wasm.Parse(whole)
	require.NoError(t, err)
	assert.Equal(t, "(i32, i64) -> (f32)", m.Types[1].String())
	require.Len(t, m.Imports, 4)
	assert.Equal(t, "f", m.Imports[0].Name)
	assert.Equal(t, wasm.KindTable, m.Imports[1].Kind)
	assert.Equal(t, uint32(5), m.Imports[1].Limits.Min)
	for _, i := range m.Imports {
		assert.Equal(t, []byte{1, 'm', 1, i.Name[0]}, whole[i.Offset:i.Offset+4])
	}
	assert.Equal(t, []wasm.Limits{{Min: 2, Max: 256, HasMax: true, Offset: m.Memories[0].Offset}}, m.Memories)
	assert.Equal(t, []byte{1, 2, 0x80, 2}, whole[m.Memories[0].Offset:][:4])
	assert.Equal(t, []wasm.Limits{{Min: 1, Max: 2, HasMax: true, Offset: m.Tables[0].Offset}}, m.Tables)
	assert.True(t, m.HasStart)
	assert.Equal(t, 1, m.Globals)
	assert.Equal(t, 2, m.Bodies)
	for index, want := range []string{"(i32, i64) -> (f32)", "() -> ()", "() -> ()", "(i32, i64) -> (f32)"} {
		f, ok := m.FunctionType(uint32(index))
		assert.True(t, ok)
		assert.Equal(t, want, f.String())
	}
	_, ok := m.FunctionType(4)
	assert.False(t, ok)
	e, ok := m.Export("a")
	assert.True(t, ok)
	assert.Equal(t, uint32(3), e.Index)
	assert.Equal(t, []byte{1, 'a'}, whole[e.Offset:][:2])
	c, ok := m.Custom("note")
	assert.True(t, ok)
	assert.Equal(t, []byte{1, 2, 3}, c.Data)
	assert.Equal(t, c.Data, whole[c.Offset:][:3])
}

func TestParseErrors(t *testing.T) {
	types := sec(1, 1, 0x60, 0, 0)
	for _, c := range []struct {
		name string
		code []byte
		at   int
		text string
	}{
		{"nothing", nil, 0, "not a WebAssembly module"},
		{"text", []byte("(module)"), 0, "not a WebAssembly module"},
		{"component", []byte{0, 'a', 's', 'm', 0x0D, 0, 1, 0}, 4, "want a core module"},
		{"section id", module(sec(13)), 8, "section id 13 is unknown"},
		{"section longer than the module", append(bytes.Clone(head), 1, 9, 0), 10, "the type section of 9 bytes does not fit the 1 that are left"},
		{"size that is no number", append(bytes.Clone(head), 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), 9, "not a number of at most 32 bits"},
		{"section twice", module(types, types), 14, "type section is there twice or out of order"},
		{"section out of order", module(sec(7, 0), types), 11, "type section is there twice or out of order"},
		{"bytes behind a section's end", module(sec(1, 0, 0)), 11, "type section has 1 bytes behind its end"},
		{"count beyond the section", module(sec(1, 0xFF, 0xFF, 3)), 10, "claims 65535 types in 0 bytes"},
		{"form of a type", module(sec(1, 1, 0x5F, 0, 0)), 11, "form 0x5f is not a function"},
		{"value type", module(sec(1, 1, 0x60, 1, 0x11, 0)), 13, "value type 0x11 is unknown"},
		{"type index", module(types, sec(3, 1, 1)), 17, "type 1: the module has 1 types"},
		{"kind of an import", module(sec(2, 1, 1, 'm', 1, 'n', 4, 0)), 15, "import m.n of kind 4"},
		{"name not UTF-8", module(sec(2, 1, 1, 0xFF, 1, 'n', 0, 0)), 11, "is not UTF-8"},
		{"64-bit memory", module(sec(5, 1, 4, 1)), 11, "memory limits with flags 0x4"},
		{"memory above 4 GiB", module(sec(5, 1, 0, 0x81, 0x80, 4)), 11, "a memory has at most 65536"},
		{"maximum below minimum", module(sec(5, 1, 1, 3, 2)), 11, "maximum 2 below its minimum 3"},
		{"export twice", module(sec(5, 1, 0, 1), sec(7, 2, 1, 'a', 2, 0, 1, 'a', 2, 0)), 20, `export "a" is there twice`},
		{"export of no function", module(sec(7, 1, 1, 'a', 0, 0)), 11, `export "a" is function 0: the module has 0`},
		{"kind of an export", module(sec(7, 1, 1, 'a', 9, 0)), 13, "of kind 9"},
		{"start of no function", module(sec(8, 0)), 11, "start function 0: the module has 0 functions"},
		{"functions without code", module(types, sec(3, 1, 0)), 18, "has 1 functions but code for 0"},
		{"locals", module(types, sec(3, 1, 0), sec(10, 1, 8, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x7F, 0x0B)), 21, "function with 4294967295 locals: at most 50000"},
		{"function longer than its section", module(types, sec(3, 1, 0), sec(10, 1, 8, 0)), 22, "a function of 8 bytes does not fit"},
		{"table of no references", module(sec(4, 1, 0x7F, 0, 1)), 11, "want funcref or externref"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := wasm.Parse(c.code)
			var e *wasm.Error
			require.True(t, errors.As(err, &e), "%v", err)
			assert.ErrorContains(t, err, c.text)
			assert.Equal(t, c.at, e.Offset)
		})
	}
}

// TestEveryTruncationIsAnError cuts the module at every byte: only a cut between
// sections can leave a module, and then one without code for its functions.
func TestEveryTruncationIsAnError(t *testing.T) {
	boundaries := map[int]bool{8: true}
	m, err := wasm.Parse(whole)
	require.NoError(t, err)
	for _, s := range m.Sections {
		boundaries[s.Offset+s.Size] = true
	}
	for n := range whole {
		if _, err := wasm.Parse(whole[:n]); err == nil {
			assert.True(t, boundaries[n], "cut at %d", n)
		}
	}
}

func TestRewrite(t *testing.T) {
	in := module(sec(0, 1, 'x', 9), sec(4, 2, 0x70, 0, 0x90, 0x4E, 0x70, 1, 1, 4), sec(5, 1, 0, 40), sec(0, 1, 'y', 8))
	out, err := wasm.Rewrite(in, wasm.Edit{MemoryMax: 256, Section: "x", Data: []byte("new")})
	require.NoError(t, err)
	assert.Equal(t, module(sec(4, 2, 0x70, 1, 0x90, 0x4E, 0x90, 0x4E, 0x70, 1, 1, 4), sec(5, 1, 1, 40, 0x80, 2),
		sec(0, 1, 'y', 8), sec(0, 1, 'x', 'n', 'e', 'w')), out)
	again, err := wasm.Rewrite(out, wasm.Edit{MemoryMax: 999, Section: "x", Data: []byte("new")})
	require.NoError(t, err)
	assert.Equal(t, out, again, "what is there already stays")

	same, err := wasm.Rewrite(whole, wasm.Edit{})
	require.NoError(t, err)
	assert.Equal(t, whole, same)

	_, err = wasm.Rewrite(in, wasm.Edit{MemoryMax: 39})
	assert.ErrorContains(t, err, "minimum above the maximum")
	_, err = wasm.Rewrite([]byte("x"), wasm.Edit{})
	assert.ErrorContains(t, err, "not a WebAssembly module")
}

// TestGoModule parses what Go's linker makes of a small program.
func TestGoModule(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the Go toolchain")
	}
	out := filepath.Join(t.TempDir(), "m.wasm")
	c := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "../testdata/empty")
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	text, err := c.CombinedOutput()
	require.NoError(t, err, "%s", text)
	code, err := os.ReadFile(out)
	require.NoError(t, err)
	m, err := wasm.Parse(code)
	require.NoError(t, err)
	e, ok := m.Export("front_end")
	require.True(t, ok)
	f, _ := m.FunctionType(e.Index)
	assert.Equal(t, "() -> ()", f.String())
	assert.False(t, m.Memories[0].HasMax)
	assert.Greater(t, m.Bodies, 500)
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add(head)
	f.Fuzz(func(t *testing.T, code []byte) {
		m, err := wasm.Parse(code)
		if err != nil {
			return
		}
		edit := wasm.Edit{MemoryMax: wasm.MaxPages, Section: "s", Data: []byte{1}}
		out, err := wasm.Rewrite(code, edit)
		if err != nil {
			t.Fatal(err)
		}
		after, err := wasm.Parse(out)
		if err != nil {
			t.Fatalf("what Rewrite made: %v", err)
		}
		if len(after.Exports) != len(m.Exports) || len(after.Memories) != len(m.Memories) {
			t.Fatal("Rewrite changed what it should not")
		}
		for _, l := range after.Memories {
			if !l.HasMax {
				t.Fatal("memory without a maximum")
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(whole)))
	for b.Loop() {
		if _, err := wasm.Parse(whole); err != nil {
			b.Fatal(err)
		}
	}
}
