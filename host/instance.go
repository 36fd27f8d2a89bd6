package host

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/hashicorp/go-hclog"
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/host/meter"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// InstanceConfig holds the parameters of an instance.
type InstanceConfig struct {
	// Name is the instance's name in logs and reports. When it is empty the manifest's
	// name is used.
	Name string
	// Settings holds the settings that the policy gives, by name (see the function
	// Settings).
	Settings map[string]string
	// Granted is the mask of the capabilities that the policy grants.
	Granted abi.Capability
	// Seed is the seed of the random numbers that the module can draw through WASI,
	// the interface of WebAssembly modules to their system.
	Seed uint64
	// Log gets the module's standard output and standard error, at level info, and its
	// traps, at level debug, under the name of the instance.
	Log hclog.Logger
}

// Instance is a module with a memory of its own. It belongs to one machine: its
// methods are for one goroutine at a time. It implements hooks.Detour and
// hooks.ChainUser.
type Instance struct {
	compiled *Compiled
	name     string
	granted  abi.Capability
	settings []int64
	seed     uint64
	log      hclog.Logger
	ctx      context.Context // a *callContext, in every call
	chain    hooks.ChainReader

	// The rest is replaced by Renew.
	module  api.Module
	hook    [abi.Hooks]api.Function
	fuel    counters
	frame   *abi.Frame
	life    uint64
	random  *rand.PCG
	waited  int64 // lower bound of the clock, nanoseconds
	console [2]console
}

var (
	_ hooks.Detour    = (*Instance)(nil)
	_ hooks.ChainUser = (*Instance)(nil)
)

// Instantiate makes an instance: it verifies the module against the granted
// capabilities, checks the settings, gives the module its memory and runs its start.
// An error that wraps ErrRefused says that the host does not run the module, a
// *TrapError that its start ended abnormally.
func (c *Compiled) Instantiate(_ context.Context, cfg InstanceConfig) (*Instance, error) {
	if err := Verify(c.Module, cfg.Granted).Err(); err != nil {
		return nil, err
	}
	values, err := Settings(c.Module.Manifest, cfg.Settings)
	if err != nil {
		return nil, err
	}
	i := &Instance{compiled: c, name: cfg.Name, granted: cfg.Granted, settings: values, seed: cfg.Seed, log: cfg.Log}
	if i.name == "" {
		i.name = c.Module.Name()
	}
	if i.log == nil {
		i.log = hclog.NewNullLogger()
	}
	i.log = i.log.Named(i.name)
	// Calls go on after the caller's context has ended, and a context that can be
	// cancelled costs time on every call.
	i.ctx = &callContext{context.Background(), i}
	if err := i.start(); err != nil {
		return nil, err
	}
	return i, nil
}

// start makes a fresh module instance, runs its start and adopts it.
func (i *Instance) start() error {
	i.frame, i.hook, i.waited = nil, [abi.Hooks]api.Function{}, 1
	i.fuel = counters{}
	i.random = source(i.seed, i.life)
	for n := range i.console {
		i.console[n] = console{log: i.log, level: hclog.Info}
	}
	m, err := i.compiled.engine.wazero.InstantiateModule(i.ctx, i.compiled.engine.code,
		wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return i.trap("its start", err)
	}
	if err := i.adopt(m); err != nil {
		_ = m.Close(i.ctx) // the error of adopt matters more
		return err
	}
	i.module = m
	return nil
}

// adopt finds the memory, the frame and the functions of a new module instance.
func (i *Instance) adopt(m api.Module) error {
	i.fuel.find(m, i.compiled.runtime.fuel)
	if f := m.ExportedFunction(meter.StartExport); f != nil && i.fuel.fuel != nil {
		if err := f.CallWithStack(i.ctx, nil); err != nil {
			return i.trap("its start", err)
		}
	}
	if f := i.fuel.function(m, initializeExport); f != nil {
		if err := f.CallWithStack(i.ctx, nil); err != nil {
			return i.trap(initializeExport, err)
		}
	}
	var result [1]uint64
	if err := i.fuel.function(m, abi.MarkerExport).CallWithStack(i.ctx, result[:]); err != nil {
		return i.trap(abi.MarkerExport, err)
	}
	frame, err := frameAt(m.Memory(), uint32(result[0]))
	if err != nil {
		return fmt.Errorf("%s: %w: %s: %w", i.name, ErrRefused, abi.MarkerExport, err)
	}
	i.frame = frame
	FillSettings(&frame.Settings, i.settings)
	for h := range i.hook {
		if i.compiled.Module.Manifest.Implements(abi.Hook(h)) {
			i.hook[h] = i.fuel.function(m, abi.Hook(h).Export())
		}
	}
	return nil
}

// Name returns the instance's name.
func (i *Instance) Name() string { return i.name }

// Module returns the module that the instance was made from.
func (i *Instance) Module() *Module { return i.compiled.Module }

// Granted returns the mask of the capabilities that the instance was granted.
func (i *Instance) Granted() abi.Capability { return i.granted }

// Frame returns the frame in the module's memory. It stays at its address until
// Renew or Close; after a Renew that failed it is nil.
func (i *Instance) Frame() *abi.Frame { return i.frame }

// Call runs a hook on the frame. Its error is a *TrapError, or says that the module
// does not have the hook or that the instance has been closed. A call allocates
// nothing unless it traps or logs.
func (i *Instance) Call(h abi.Hook) error {
	if h >= abi.Hooks || i.hook[h] == nil {
		return i.noHook(h)
	}
	i.console[1].said = i.console[1].said[:0]
	if err := i.hook[h].CallWithStack(i.ctx, nil); err != nil {
		return i.trap(h.Export(), err)
	}
	return nil
}

func (i *Instance) noHook(h abi.Hook) error {
	if i.module == nil {
		return fmt.Errorf("%s: call %s: %w", i.name, h, ErrClosed)
	}
	return fmt.Errorf("%s: has no hook %q: its manifest has %v", i.name, h.Export(), i.compiled.Module.Manifest.Hooks)
}

// UseChain gives the instance the reader that answers chain_read. Without a reader,
// or without the capability, chain_read copies nothing.
func (i *Instance) UseChain(r hooks.ChainReader) { i.chain = r }

// Renew replaces the module's memory and state by fresh ones, with the same settings
// and other random numbers from the same seed. The frame has another address
// afterwards.
func (i *Instance) Renew() error {
	if i.module == nil && i.life == closedLife {
		return fmt.Errorf("%s: renew: %w", i.name, ErrClosed)
	}
	i.life++
	return i.restart()
}

func (i *Instance) restart() error {
	if i.module != nil {
		old := i.module
		i.module = nil
		if err := old.Close(i.ctx); err != nil {
			return fmt.Errorf("%s: renew: %w", i.name, err)
		}
	}
	return i.start()
}

// closedLife is the value of Instance.life after Close.
const closedLife = ^uint64(0)

// Close frees the instance. Closing twice is no error.
func (i *Instance) Close() error {
	i.life, i.frame, i.hook = closedLife, nil, [abi.Hooks]api.Function{}
	if i.module == nil {
		return nil
	}
	old := i.module
	i.module = nil
	return old.Close(i.ctx)
}

// Attachment returns the instance in the form in which it is put on a slot.
func (i *Instance) Attachment(c hooks.Containment) *hooks.Attachment {
	return &hooks.Attachment{
		Name: i.name, Detour: i, Granted: i.granted, Containment: c, Records: hooks.NewRecords(i.compiled.Module.Manifest),
	}
}
