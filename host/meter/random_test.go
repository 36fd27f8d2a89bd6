package meter

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// TestRandomModules runs modules that binaryen's wasm-opt makes up, where that is
// installed: as they are, metered, and with every instruction charged on its own.
func TestRandomModules(t *testing.T) {
	tool, err := exec.LookPath("wasm-opt")
	if err != nil {
		t.Skip("wasm-opt of binaryen is not installed")
	}
	modules := 60
	if testing.Short() {
		modules = 5
	}
	dir := t.TempDir()
	calls, units := 0, int64(0)
	for n := range modules {
		random := rand.New(rand.NewPCG(uint64(n), 1))
		seed, out := filepath.Join(dir, "seed"), filepath.Join(dir, "out.wasm")
		text := make([]byte, 500+random.IntN(8000))
		for k := range text {
			text[k] = byte(random.Uint32())
		}
		require.NoError(t, os.WriteFile(seed, text, 0o600))
		args := []string{seed, "-ttf", "-o", out, "--enable-bulk-memory", "--enable-simd", "--enable-multivalue",
			"--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals"}
		if n%2 == 0 {
			args = append(args, "-O2")
		}
		if text, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Skipf("wasm-opt: %v: %s", err, text)
		}
		code, err := os.ReadFile(out)
		require.NoError(t, err)
		c, u := runRandom(t, fmt.Sprintf("module %d", n), code, random.Uint64())
		calls += c
		units += u
	}
	t.Logf("%d modules, %d calls, %d units", modules, calls, units)
	require.Positive(t, units)
}

// runRandom calls each exported function of a module in three ways and compares.
func runRandom(t *testing.T, what string, code []byte, seed uint64) (calls int, units int64) {
	ctx := context.Background()
	var said [3][]uint64
	var ways [3]*way
	for n, pass := range []func([]byte) ([]byte, error){
		func(b []byte) ([]byte, error) { return b, nil },
		func(b []byte) ([]byte, error) { return meter(b, false) },
		func(b []byte) ([]byte, error) { return meter(b, true) },
	} {
		w := &way{name: fmt.Sprint("way ", n), meter: pass, runtime: wazero.NewRuntime(ctx)}
		defer w.runtime.Close(ctx)
		host := w.runtime.NewHostModuleBuilder("fuzzing-support")
		for name, types := range map[string][]api.ValueType{
			"log-i32": {api.ValueTypeI32}, "log-i64": {api.ValueTypeI64}, "log-f32": {api.ValueTypeF32},
			"log-f64": {api.ValueTypeF64}, "log-v128": {0x7B},
		} {
			host.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
				for _, word := range stack {
					if types[0] == api.ValueTypeI32 || types[0] == api.ValueTypeF32 {
						word &= math.MaxUint32 // the rest means nothing
					}
					said[n] = append(said[n], word)
				}
			}), types, nil).Export(name)
		}
		_, err := host.Instantiate(ctx)
		require.NoError(t, err)
		w.last, err = w.instantiate(ctx, code, "")
		require.NoError(t, err, what)
		ways[n] = w
	}
	functions := ways[0].last.ExportedFunctionDefinitions()
	names := make([]string, 0, len(functions))
	for n := range len(functions) { // in a fixed order
		for _, name := range []string{"func", fmt.Sprintf("func_%d", n), fmt.Sprintf("func_%d_invoker", n)} {
			if _, ok := functions[name]; ok && (n == 0 || name != "func") {
				names = append(names, name)
			}
		}
	}
	memory := maphash.MakeSeed()
	for _, name := range names {
		random := rand.New(rand.NewPCG(seed, 2))
		var args []uint64
		for _, p := range functions[name].ParamTypes() {
			args = append(args, random.Uint64()>>random.IntN(64))
			if p == 0x7B {
				args = append(args, random.Uint64())
			}
			if p == api.ValueTypeI32 || p == api.ValueTypeF32 {
				args[len(args)-1] &= 0xFFFFFFFF
			}
		}
		var results []uint64
		var cause string
		var sum uint64
		var used int64
		for n, w := range ways {
			_, err := w.last.ExportedFunction("hangLimitInitializer").Call(ctx)
			require.NoError(t, err, what)
			w.full()
			got, err := w.last.ExportedFunction(name).Call(ctx, args...)
			switch n {
			case 0:
				results, cause, sum = got, trap(err), memoryOf(w.last, memory)
			case 1:
				used = w.used()
				fallthrough
			case 2:
				require.Equal(t, cause, trap(err), "%s, %s, %s", what, name, w.name)
				require.Equal(t, results, got, "%s, %s, %s", what, name, w.name)
				require.Equal(t, sum, memoryOf(w.last, memory), "%s, %s, %s", what, name, w.name)
				require.Equal(t, said[0], said[n], "%s, %s, %s", what, name, w.name)
				if cause == "" {
					require.Equal(t, used, w.used(), "%s, %s: fuel by pieces, and by instructions", what, name)
				}
			}
		}
		calls++
		units += used
	}
	return calls, units
}
