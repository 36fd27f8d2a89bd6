package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/tetratelabs/wazero"
)

// engine is a compiler and the code that it made of one module. Each module has an
// engine of its own, so that a compiler that fails affects no other module and its
// files on disk belong to one module.
type engine struct {
	wazero wazero.Runtime
	memory wazero.CompilationCache
	code   wazero.CompiledModule
}

func (e *engine) close(ctx context.Context) error {
	return errors.Join(e.wazero.Close(ctx), e.memory.Close(ctx))
}

// compile meters a module and compiles the result, or takes the code from the cache.
func (r *Runtime) compile(ctx context.Context, m *Module) (*engine, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	code, err := r.meter(m)
	if err != nil {
		return nil, err
	}
	var without error // the reason why the cache is not used
	if r.cache != nil {
		e, err := r.compileKept(ctx, code)
		if errors.Is(err, errDiscarded) {
			e, err = r.compileKept(ctx, code)
		}
		if err == nil || ctx.Err() != nil {
			return e, err
		}
		without = err
	}
	e, err := newEngine(ctx, wazero.NewCompilationCache())
	if err != nil {
		return nil, err
	}
	if err := e.compile(ctx, code); err != nil {
		return nil, err
	}
	if without != nil {
		r.cache.unwritable(without)
	}
	return e, nil
}

// errDiscarded says that the cached code could not be used and has been removed.
var errDiscarded = errors.New("discarded the cached code")

// compileKept compiles through the cache. wazero, the WebAssembly runtime, reads and
// writes files whose content it trusts. So it gets a temporary folder for this one
// module, with the checked entries, and the files that it leaves there go into the
// cache.
//
// Entries belong to the metered code: another version of the metering has other
// entries.
func (r *Runtime) compileKept(ctx context.Context, code []byte) (*engine, error) {
	digest := sha256.Sum256(code)
	dir, err := r.cache.workplace()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	memory, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	e, err := newEngine(ctx, memory)
	if err != nil {
		return nil, err
	}
	edition, err := onlyEntry(dir)
	if err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	had := make(map[string]bool)
	for _, k := range r.cache.find(digest, edition) {
		if err := os.WriteFile(filepath.Join(dir, edition, k.key), k.code, 0o600); err != nil {
			return nil, errors.Join(err, e.close(ctx))
		}
		had[k.key] = true
	}
	if err := e.compile(ctx, code); err != nil {
		if len(had) != 0 && ctx.Err() == nil {
			r.cache.discard(digest, err)
			err = errors.Join(errDiscarded, err)
		}
		return nil, err
	}
	made, err := os.ReadDir(filepath.Join(dir, edition))
	if err != nil {
		return e, nil // the code is there, it is kept for nobody else
	}
	for _, f := range made {
		if had[f.Name()] || !f.Type().IsRegular() {
			continue
		}
		if code, err := os.ReadFile(filepath.Join(dir, edition, f.Name())); err == nil {
			r.cache.keep(digest, codeEntry{edition, f.Name(), code})
		}
	}
	return e, nil
}

// onlyEntry returns the name of the only entry of a folder: wazero makes one that
// names its version and the machine.
func onlyEntry(dir string) (string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(list) != 1 || !list[0].IsDir() {
		return "", fmt.Errorf("%s: %w: want the one folder that the compiler makes", dir, fs.ErrInvalid)
	}
	return list[0].Name(), nil
}

func newEngine(ctx context.Context, memory wazero.CompilationCache) (*engine, error) {
	// The capacity from the maximum keeps a memory where it is when it grows, so
	// that the host's view of a frame stays valid.
	e := &engine{memory: memory, wazero: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(memory).
		WithMemoryLimitPages(MaxMemoryPages).
		WithDebugInfoEnabled(false). // its offsets would refer to the code before metering
		WithMemoryCapacityFromMax(true))}
	if err := offer(ctx, e.wazero); err != nil {
		return nil, errors.Join(fmt.Errorf("host functions: %w", err), e.close(ctx))
	}
	return e, nil
}

// compile compiles the code of a module. After an error the engine is closed. A compiler
// that panics gives an error, and its engine is left as it is: it may hold its
// own locks.
func (e *engine) compile(ctx context.Context, code []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the compiler failed: %v", p)
		}
	}()
	if e.code, err = e.wazero.CompileModule(ctx, code); err != nil {
		// wazero spreads an error over several lines.
		err = errors.New(abi.Visible(strings.Join(strings.Fields(err.Error()), " ")))
		return errors.Join(err, e.close(ctx))
	}
	return nil
}
