package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/iosrun/iosrun/abi"
	"github.com/tetratelabs/wazero"
)

// RuntimeConfig is what a Runtime is made with. The zero value keeps compiled
// code in memory alone and logs nothing.
type RuntimeConfig struct {
	// CacheDir is a folder, made when needed, for compiled code. It may be shared
	// by processes. What lies there is executed: it must not be writable by others.
	CacheDir string
	// Fuel is the number of units that one call of a module may use, its start
	// included: DefaultFuel when 0, no bound when Unmetered.
	Fuel int64
	// Logger gets what the runtime does.
	Logger hclog.Logger
}

// Runtime compiles modules and holds the code. It is shared by machines and safe
// for use by several goroutines.
type Runtime struct {
	wazero wazero.Runtime
	cache  wazero.CompilationCache
	dir    string
	fuel   int64 // units a call, or Unmetered
	log    hclog.Logger

	mu     sync.Mutex
	loaded map[[32]byte]*Compiled
	closed bool
}

// ErrClosed says that a runtime or an instance has been closed.
var ErrClosed = errors.New("closed")

// DefaultCacheDir is the folder for compiled code when nothing else is said.
func DefaultCacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache of compiled code: %w: name a folder for it", err)
	}
	return filepath.Join(base, "iosrun", "code"), nil
}

// NewRuntime makes a runtime.
func NewRuntime(ctx context.Context, c RuntimeConfig) (*Runtime, error) {
	if !littleEndian() {
		return nil, errors.New("host: detours run on little-endian hosts alone")
	}
	fuel, err := limitOfFuel(c.Fuel)
	if err != nil {
		return nil, err
	}
	r := &Runtime{dir: c.CacheDir, fuel: fuel, log: c.Logger, loaded: make(map[[32]byte]*Compiled)}
	if r.log == nil {
		r.log = hclog.NewNullLogger()
	}
	r.cache = wazero.NewCompilationCache()
	if c.CacheDir != "" {
		if r.cache, err = wazero.NewCompilationCacheWithDir(c.CacheDir); err != nil {
			return nil, fmt.Errorf("cache of compiled code in %s: %w", c.CacheDir, err)
		}
	}
	// The capacity from the maximum keeps a memory where it is when it grows, so
	// that the host's view of a frame stays valid.
	r.wazero = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(r.cache).
		WithMemoryLimitPages(MaxMemoryPages).
		WithDebugInfoEnabled(false). // its offsets are those of the code before metering
		WithMemoryCapacityFromMax(true))
	if err := offer(ctx, r.wazero); err != nil {
		return nil, errors.Join(fmt.Errorf("host functions: %w", err), r.Close(ctx))
	}
	return r, nil
}

// Close closes every instance and frees the code. No call may be under way.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	clear(r.loaded)
	return errors.Join(r.wazero.Close(ctx), r.cache.Close(ctx))
}

// Compiled is a module's code, ready for instances. It lives as long as its
// runtime and is safe for use by several goroutines.
type Compiled struct {
	// Module is what was compiled.
	Module *Module

	runtime *Runtime
	once    sync.Once
	code    wazero.CompiledModule
	err     error
}

// Load compiles a module, or gives the code if the runtime has it. The module
// must pass Verify with everything granted, or it is refused.
func (r *Runtime) Load(ctx context.Context, m *Module) (*Compiled, error) {
	if err := Verify(m, abi.CapabilitiesKnown).Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, fmt.Errorf("load %s: runtime: %w", m.Name(), ErrClosed)
	}
	c := r.loaded[m.SHA256]
	if c == nil {
		c = &Compiled{Module: m, runtime: r}
		r.loaded[m.SHA256] = c
	}
	r.mu.Unlock()
	c.once.Do(func() { c.compile(ctx) })
	if c.err != nil {
		r.mu.Lock()
		if r.loaded[m.SHA256] == c { // another attempt may have another context
			delete(r.loaded, m.SHA256)
		}
		r.mu.Unlock()
		return nil, c.err
	}
	return c, nil
}

// compile meters the module and compiles the result.
func (c *Compiled) compile(ctx context.Context) {
	if c.err = ctx.Err(); c.err != nil {
		return
	}
	code, err := c.runtime.meter(c.Module)
	if err != nil {
		c.err = err
		return
	}
	c.code, c.err = c.runtime.wazero.CompileModule(ctx, code)
	if c.err == nil {
		c.runtime.log.Debug("compiled", "module", c.Module.Name(), "sha256", c.Module.Hash(), "bytes", c.Module.Size)
		return
	}
	// wazero explains what does not match on lines of their own.
	c.err = errors.New(abi.Visible(strings.Join(strings.Fields(c.err.Error()), " ")))
	if c.runtime.dir != "" {
		c.err = fmt.Errorf("%w (compiled code is kept in %s, which may be removed)", c.err, c.runtime.dir)
	}
	c.err = fmt.Errorf("%s: %w: does not compile: %w", c.Module.Name(), ErrRefused, c.err)
}
