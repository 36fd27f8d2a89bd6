package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/iosrun/iosrun/abi"
)

// RuntimeConfig holds the parameters of a Runtime. The zero value keeps compiled
// code in memory alone and logs nothing.
type RuntimeConfig struct {
	// CacheDir is a folder, made when needed, for compiled code. It may be shared by
	// processes. The code in it is executed: each entry is checked before, and a
	// folder that others may write to is not used. When the folder cannot be used a
	// warning is logged, and modules are compiled each time.
	CacheDir string
	// Fuel is the number of units that one call of a module may use, its start
	// included: DefaultFuel when 0, no bound when Unmetered.
	Fuel int64
	// Logger gets messages about the runtime's work.
	Logger hclog.Logger
}

// Runtime compiles modules and holds the code. It is shared by machines and safe
// for use by several goroutines.
type Runtime struct {
	fuel  int64      // units that a call may use, or Unmetered
	cache *codeCache // nil for none
	log   hclog.Logger

	mu     sync.Mutex
	loaded map[[32]byte]*Compiled
	closed bool
}

// ErrClosed says that a runtime or an instance has been closed.
var ErrClosed = errors.New("closed")

// DefaultCacheDir returns the folder for compiled code that is used when the user
// names none.
func DefaultCacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache of compiled code: %w: name a folder for it", err)
	}
	return filepath.Join(base, "iosrun", "code"), nil
}

// NewRuntime makes a runtime.
func NewRuntime(_ context.Context, c RuntimeConfig) (*Runtime, error) {
	if !littleEndian() {
		return nil, errors.New("host: detours run on little-endian hosts alone")
	}
	fuel, err := limitOfFuel(c.Fuel)
	if err != nil {
		return nil, err
	}
	r := &Runtime{fuel: fuel, log: c.Logger, loaded: make(map[[32]byte]*Compiled)}
	if r.log == nil {
		r.log = hclog.NewNullLogger()
	}
	if c.CacheDir != "" {
		if r.cache, err = openCodeCache(c.CacheDir, r.log); err != nil {
			r.log.Warn("cache of compiled code cannot be used: modules are compiled each time", "folder", c.CacheDir, "error", err)
		}
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
	var errs []error
	for _, c := range r.loaded {
		if c.engine != nil {
			errs = append(errs, c.engine.close(ctx))
		}
	}
	clear(r.loaded)
	return errors.Join(append(errs, r.cache.close())...)
}

// Compiled is a module's code, ready for instances. It lives as long as its
// runtime and is safe for use by several goroutines.
type Compiled struct {
	// Module is the module that the code was compiled from.
	Module *Module

	runtime *Runtime
	once    sync.Once
	engine  *engine
	err     error
}

// Load compiles a module, or returns its code if the runtime has it already. A
// module that does not pass Verify with all capabilities granted is refused.
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

func (c *Compiled) compile(ctx context.Context) {
	c.engine, c.err = c.runtime.compile(ctx, c.Module)
	switch {
	case c.err == nil:
		c.runtime.log.Debug("compiled", "module", c.Module.Name(), "sha256", c.Module.Hash(), "bytes", c.Module.Size)
	case ctx.Err() != nil:
		c.err = ctx.Err()
	case errors.Is(c.err, ErrRefused): // by the pass in front of the compiler
	default:
		c.err = fmt.Errorf("%s: %w: does not compile: %w", c.Module.Name(), ErrRefused, c.err)
	}
}
