package meter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The official test suite of WebAssembly lies, compiled, in the runtime's own
// module, from where it is read. Each script runs three times side by side: as it
// is, metered, and with every instruction charged on its own. Results, traps,
// memories and globals must be the same, and the two that are metered must have
// used the same fuel.

// specSample is the share of the scripts that a short test runs: one of so many.
const specSample = 20

// wazeroDir is the folder of the runtime's module.
func wazeroDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	if _, e := os.Stat(dir); err != nil || e != nil {
		t.Skip("the runtime's module with the test suite is not there")
	}
	return dir
}

func TestSpecification(t *testing.T) {
	dir := wazeroDir(t)
	spectest, err := os.ReadFile(filepath.Join(dir, "testdata", "spectest.wasm"))
	require.NoError(t, err)
	total := new(specCounts)
	n := 0
	for _, version := range []string{"v1", "v2"} {
		scripts, err := filepath.Glob(filepath.Join(dir, version, "testdata", "*.json"))
		require.NoError(t, err)
		more, err := filepath.Glob(filepath.Join(dir, version, "testdata", "*", "*.json"))
		require.NoError(t, err)
		for _, script := range append(scripts, more...) {
			if n++; n%specSample != 0 && testing.Short() {
				continue
			}
			t.Run(version+"/"+filepath.Base(script), func(t *testing.T) {
				c := runScript(t, script, spectest)
				total.add(c)
			})
		}
	}
	t.Logf("%d scripts of %d: %d modules, %d refused by both, %d calls, %d traps, %d out of stack, %d units",
		total.scripts, n, total.modules, total.refused, total.calls, total.traps, total.exhausted, total.units)
	require.Positive(t, total.calls)
	require.Positive(t, total.traps)
}

// specCounts says how much a script has tested.
type specCounts struct {
	scripts, modules, refused, calls, traps, exhausted int
	units                                              int64
}

func (c *specCounts) add(o *specCounts) {
	c.scripts++
	c.modules += o.modules
	c.refused += o.refused
	c.calls += o.calls
	c.traps += o.traps
	c.exhausted += o.exhausted
	c.units += o.units
}

// specCommand is a line of a script, as wast2json writes it.
type specCommand struct {
	Type     string `json:"type"`
	Line     int    `json:"line"`
	Name     string `json:"name"`
	Filename string `json:"filename"`
	As       string `json:"as"`
	Kind     string `json:"module_type"`
	Action   struct {
		Type   string      `json:"type"`
		Field  string      `json:"field"`
		Module string      `json:"module"`
		Args   []specValue `json:"args"`
	} `json:"action"`
}

type specValue struct {
	Type  string `json:"type"`
	Lane  string `json:"lane_type"`
	Value any    `json:"value"`
}

// words gives a value as the runtime takes it.
func (v specValue) words(t *testing.T) []uint64 {
	number := func(text string, bits int) uint64 {
		if s, err := strconv.ParseInt(text, 10, bits); err == nil {
			return uint64(s) & (math.MaxUint64 >> (64 - bits))
		}
		u, err := strconv.ParseUint(text, 10, bits)
		require.NoError(t, err)
		return u
	}
	switch value := v.Value.(type) {
	case []any: // a vector's lanes
		bits := 128 / len(value)
		var words [2]uint64
		for n, lane := range value {
			words[n*bits/64] |= number(lane.(string), bits) << (n * bits % 64)
		}
		return words[:]
	case string:
		switch v.Type {
		case "i32", "f32":
			return []uint64{number(value, 32)}
		case "externref":
			if value == "null" {
				return []uint64{0}
			}
			return []uint64{number(value, 64) + 1}
		case "funcref":
			return []uint64{0}
		}
		return []uint64{number(value, 64)}
	}
	return []uint64{0}
}

// way is one of the ways in which a script is run.
type way struct {
	name    string
	meter   func([]byte) ([]byte, error)
	runtime wazero.Runtime
	last    api.Module
	named   map[string]api.Module
	all     []api.Module
}

// enough is fuel that no script uses up.
const enough = int64(1) << 60

// full fills all counters: a call may lead from module to module.
func (w *way) full() {
	for _, m := range w.all {
		for name, value := range map[string]int64{LimitExport: enough, FuelExport: enough, StackExport: MaxStack} {
			if g, ok := m.ExportedGlobal(name).(api.MutableGlobal); ok {
				g.Set(uint64(value))
			}
		}
	}
}

// used is the fuel that all modules have used since full.
func (w *way) used() int64 {
	n := int64(0)
	for _, m := range w.all {
		if g := m.ExportedGlobal(FuelExport); g != nil {
			n += enough - int64(g.Get())
		}
	}
	return n
}

var errMeter = errors.New("refused by the pass")

// instantiate makes an instance of a module and runs its start.
func (w *way) instantiate(ctx context.Context, code []byte, name string) (api.Module, error) {
	metered, err := w.meter(code)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMeter, err)
	}
	m, err := w.runtime.InstantiateWithConfig(ctx, metered, wazero.NewModuleConfig().WithName(name).WithStartFunctions())
	if err != nil {
		return nil, err
	}
	w.all = append(w.all, m)
	w.full()
	if f := m.ExportedFunction(StartExport); f != nil {
		if err := f.CallWithStack(ctx, nil); err != nil {
			return nil, errors.Join(err, m.Close(ctx))
		}
	}
	return m, nil
}

func (w *way) module(name string) api.Module {
	if name == "" {
		return w.last
	}
	return w.named[name]
}

// trap is the first line of an error: what happened, without the stack.
func trap(err error) string {
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// memoryOf is a sum of a module's memory.
func memoryOf(m api.Module, seed maphash.Seed) uint64 {
	mem := m.Memory()
	if reflect.ValueOf(mem).IsNil() {
		return 0
	}
	p, _ := mem.Read(0, mem.Size())
	return maphash.Bytes(seed, p)
}

func runScript(t *testing.T, script string, spectest []byte) *specCounts {
	ctx := context.Background()
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	var file struct {
		Commands []specCommand `json:"commands"`
	}
	require.NoError(t, json.Unmarshal(text, &file))

	ways := []*way{
		{name: "as it is", meter: func(b []byte) ([]byte, error) { return b, nil }},
		{name: "metered", meter: func(b []byte) ([]byte, error) { return meter(b, false) }},
		{name: "metered exactly", meter: func(b []byte) ([]byte, error) { return meter(b, true) }},
	}
	for _, w := range ways {
		w.named = make(map[string]api.Module)
		w.runtime = wazero.NewRuntime(ctx)
		defer w.runtime.Close(ctx)
		_, err := w.instantiate(ctx, spectest, "spectest")
		require.NoError(t, err)
	}
	counts := new(specCounts)
	for n, c := range file.Commands {
		at := fmt.Sprintf("%s:%d: %s %s", filepath.Base(script), c.Line, c.Type, c.Action.Field)
		switch c.Type {
		case "module", "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
			if c.Kind == "text" || strings.HasSuffix(c.Filename, ".wat") {
				continue
			}
			name := ""
			if n+1 < len(file.Commands) && file.Commands[n+1].Type == "register" {
				name = file.Commands[n+1].As
			}
			specModule(ctx, t, at, ways, script, &c, name, counts)
		case "action", "assert_return", "assert_trap":
			if c.Action.Type == "invoke" {
				specCall(ctx, t, at, ways, &c, counts)
			} else {
				want := ways[0].module(c.Action.Module).ExportedGlobal(c.Action.Field).Get()
				for _, w := range ways[1:] {
					require.Equal(t, want, w.module(c.Action.Module).ExportedGlobal(c.Action.Field).Get(), "%s, %s", at, w.name)
				}
			}
		case "assert_exhaustion":
			for _, w := range ways[1:] {
				w.full()
				m := w.module(c.Action.Module)
				_, err := m.ExportedFunction(c.Action.Field).Call(ctx, arguments(t, &c)...)
				require.Error(t, err, at)
				require.Negative(t, int64(m.ExportedGlobal(StackExport).Get()), "%s, %s", at, w.name)
			}
			counts.exhausted++
		}
	}
	return counts
}

func specModule(ctx context.Context, t *testing.T, at string, ways []*way, script string, c *specCommand, name string, counts *specCounts) {
	code, err := os.ReadFile(filepath.Join(filepath.Dir(script), c.Filename))
	require.NoError(t, err)
	counts.modules++
	var first error
	for n, w := range ways {
		m, err := w.instantiate(ctx, code, name)
		if n == 0 {
			first = err
		}
		switch {
		case first == nil:
			require.NoError(t, err, "%s, %s", at, w.name)
		case errors.Is(err, errMeter) || trap(err) == trap(first):
		default: // the compiler says what is wrong in other words where it counts globals or functions
			require.Error(t, err, "%s, %s: is accepted, was not: %v", at, w.name, first)
		}
		if c.Type == "module" && err == nil {
			w.last = m
			if c.Name != "" {
				w.named[c.Name] = m
			}
		}
	}
	if first != nil {
		counts.refused++
	}
}

func arguments(t *testing.T, c *specCommand) []uint64 {
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.words(t)...)
	}
	return args
}

func specCall(ctx context.Context, t *testing.T, at string, ways []*way, c *specCommand, counts *specCounts) {
	counts.calls++
	seed := maphash.MakeSeed()
	var results []uint64
	var cause string
	var memory uint64
	var used int64
	for n, w := range ways {
		w.full()
		m := w.module(c.Action.Module)
		got, err := m.ExportedFunction(c.Action.Field).Call(ctx, arguments(t, c)...)
		if n == 0 {
			results, cause, memory = got, trap(err), memoryOf(m, seed)
			if err != nil {
				counts.traps++
			}
			continue
		}
		require.Equal(t, cause, trap(err), "%s, %s", at, w.name)
		require.Equal(t, results, got, "%s, %s", at, w.name)
		require.Equal(t, memory, memoryOf(m, seed), "%s, %s: memory", at, w.name)
		switch {
		case cause != "":
		case n == 1:
			used = w.used()
			counts.units += used
		default:
			require.Equal(t, used, w.used(), "%s: fuel by pieces, and by instructions", at)
		}
	}
}
