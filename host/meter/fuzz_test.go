package meter

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/iosrun/iosrun/host/wasm"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

// FuzzMeter looks for bytes on which the pass panics, for a module that the
// compiler takes and does not take when it is metered, and for one that it takes
// only then. What the pass refuses it refuses with an offset.
func FuzzMeter(f *testing.F) {
	const large = 4 << 10 // compiling takes its time
	for _, r := range recursions {
		if code := r.program(); len(code) <= large {
			f.Add(code)
		}
	}
	for _, e := range endless {
		f.Add(program{functions: e.fn, start: len(e.fn) - 1}.encode())
	}
	// Modules of the test suite are seeds where they are there, one of forty.
	files, _ := filepath.Glob(filepath.Join(wazeroDir(f), "*", "testdata", "*.wasm"))
	for n := 0; n < len(files); n += 40 {
		if code, err := os.ReadFile(files[n]); err == nil && len(code) <= large {
			f.Add(code)
		}
	}
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, code []byte) {
		if len(code) > large {
			return
		}
		agree(ctx, t, code)
	})
}

// agree holds the compiler's opinion of a module against that of the metered one.
func agree(ctx context.Context, t *testing.T, code []byte) (accepted, refused bool) {
	t.Helper()
	out, err := Meter(code)
	if err != nil {
		var e *wasm.Error
		require.ErrorAs(t, err, &e)
		require.LessOrEqual(t, e.Offset, len(code))
		require.NotEmpty(t, e.Text)
		return false, true
	}
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	_, plain := r.CompileModule(ctx, code)
	_, metered := r.CompileModule(ctx, out)
	if plain == nil {
		require.NoError(t, metered)
	} else {
		require.Error(t, metered, "is accepted, was not: %v", plain)
	}
	return plain == nil, false
}

// TestExtensions does the same with the suites of extensions that the host does
// not have.
func TestExtensions(t *testing.T) {
	dir := wazeroDir(t)
	for _, suite := range []string{"exception-handling", "extended-const", "tail-call", "threads", "typed-function-references"} {
		files, err := filepath.Glob(filepath.Join(dir, suite, "testdata", "*.wasm"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		accepted, refused := 0, 0
		for _, file := range files {
			code, err := os.ReadFile(file)
			require.NoError(t, err)
			a, r := agree(t.Context(), t, code)
			if r {
				refused++
			}
			if a {
				accepted++
			}
		}
		t.Logf("%s: %d modules, %d accepted, %d refused by the pass", suite, len(files), accepted, refused)
	}
}
