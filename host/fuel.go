package host

import (
	"errors"
	"fmt"
	"math"

	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/host/meter"
	"github.com/tetratelabs/wazero/api"
)

const (
	// DefaultFuel is the number of units of fuel that one call may use when
	// RuntimeConfig.Fuel is 0. It is enough for about 10 ms of arithmetic.
	DefaultFuel = 10_000_000
	// Unmetered, as RuntimeConfig.Fuel, runs modules without a limit. An endless loop
	// in a module then ends only with the process.
	Unmetered = -1
	// MaxFuel is the largest limit in units. A call would run for years to use it up,
	// and counters do not overflow.
	MaxFuel = math.MaxInt64 >> 2
)

// The limits that end a call. Errors that say so wrap one of them and
// hooks.ErrExhausted.
var (
	ErrOutOfFuel  = fmt.Errorf("out of fuel: %w", hooks.ErrExhausted)
	ErrOutOfStack = fmt.Errorf("out of stack: %w", hooks.ErrExhausted)
)

// LimitError says which limit a call has exceeded.
type LimitError struct {
	What  error // ErrOutOfFuel or ErrOutOfStack
	Limit int64 // units of fuel, or bytes of stack
}

func (e *LimitError) Error() string {
	if e.What == ErrOutOfStack {
		return fmt.Sprintf("out of stack: functions within each other need more than %d bytes", e.Limit)
	}
	return fmt.Sprintf("out of fuel after %d units", e.Limit)
}

// Unwrap returns the kind of the limit.
func (e *LimitError) Unwrap() error { return e.What }

func limitOfFuel(fuel int64) (int64, error) {
	switch {
	case fuel == 0:
		return DefaultFuel, nil
	case fuel == Unmetered, fuel > 0 && fuel <= MaxFuel:
		return fuel, nil
	}
	return 0, fmt.Errorf("fuel of %d units a call: want 1 to %d", fuel, int64(MaxFuel))
}

// meter returns the code of a module that goes to the compiler: metered, or
// unchanged when the runtime is Unmetered.
func (r *Runtime) meter(m *Module) ([]byte, error) {
	if r.fuel == Unmetered {
		return m.code, nil
	}
	code, err := meter.Meter(m.code)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", m.Name(), ErrRefused, err)
	}
	return code, nil
}

// counters are the globals that count fuel and stack in a module instance; they are
// nil when it is not metered.
type counters struct {
	fuel, stack api.MutableGlobal
}

// find finds the counters of a new module instance and sets the fuel of a call.
func (c *counters) find(m api.Module, fuel int64) {
	if fuel == Unmetered {
		return
	}
	m.ExportedGlobal(meter.LimitExport).(api.MutableGlobal).Set(uint64(fuel))
	c.fuel = m.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	c.stack = m.ExportedGlobal(meter.StackExport).(api.MutableGlobal)
}

// crossed returns the error of the limit that a call has exceeded, or nil.
func (c *counters) crossed(fuel int64) error {
	switch {
	case c.fuel == nil:
		return nil
	case int64(c.fuel.Get()) < 0:
		return &LimitError{ErrOutOfFuel, fuel}
	case int64(c.stack.Get()) < 0:
		return &LimitError{ErrOutOfStack, meter.MaxStack}
	}
	return nil
}

// function finds an exported function. In a metered module it is the wrapper that
// sets the counters before the call.
func (c *counters) function(m api.Module, name string) api.Function {
	if c.fuel != nil {
		name = meter.CallPrefix + name
	}
	return m.ExportedFunction(name)
}

// errUsed ends a call from within a function of the host. The counter says why.
var errUsed = errors.New("limit")

// charge takes fuel for work in the host, before it is done.
func (i *Instance) charge(units int64) {
	f := i.fuel.fuel
	if f == nil {
		return
	}
	left := int64(f.Get()) - units
	f.Set(uint64(left))
	if left < 0 {
		panic(errUsed)
	}
}
