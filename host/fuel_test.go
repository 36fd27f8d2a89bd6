package host_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var forEver = []byte{opLoop, empty, opBranch, 0, opEnd}

// TestEndlessCallsEnd: whatever a hook does without an end, its call ends with
// the limit in the error, at the rehearsal and later, and the instance can be
// renewed.
func TestEndlessCallsEnd(t *testing.T) {
	fill := cat([]byte{opI32Const}, s32(0), []byte{opI32Const}, s32(0), []byte{opI32Const}, s32(60<<20), []byte{0xFC, 11, 0})
	for _, c := range []struct {
		name  string
		guest guest
		want  error
	}{
		{"a loop", guest{body: forEver}, host.ErrOutOfFuel},
		{"a loop by a table", guest{body: []byte{opLoop, empty, opI32Const, 1, opBranchTable, 1, 0, 0, opEnd}}, host.ErrOutOfFuel},
		{"a fill of 60 MB", guest{body: fill, minPages: 1024, maxPages: 1024}, host.ErrOutOfFuel},
		{"a loop of calls of the host", guest{
			body:    cat([]byte{opLoop, empty}, call(0, 2, 0, 0, 0), []byte{opDrop, opBranch, 0, opEnd}),
			imports: [][2]string{{"wasi_snapshot_preview1", "fd_write"}}, types: []string{"iiii:i"}}, host.ErrOutOfFuel},
		{"lines of much", guest{
			body:    cat([]byte{opLoop, empty}, store(4096, 0), store(4100, 60<<20), call(0, 2, 4096, 1, 8192), []byte{opDrop, opBranch, 0, opEnd}),
			imports: [][2]string{{"wasi_snapshot_preview1", "fd_write"}}, types: []string{"iiii:i"}, minPages: 1024, maxPages: 1024}, host.ErrOutOfFuel},
		{"random numbers", guest{
			body:    cat([]byte{opLoop, empty}, call(0, 8192, 32768), []byte{opDrop, opBranch, 0, opEnd}),
			imports: [][2]string{{"wasi_snapshot_preview1", "random_get"}}, types: []string{"ii:i"}}, host.ErrOutOfFuel},
		{"a recursion", guest{body: call(1)}, host.ErrOutOfStack},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			log := hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Debug})
			i := instance(t, newRuntime(t), c.guest.encode(), host.InstanceConfig{Log: log})
			for range 2 {
				err := i.Call(abi.FrontEnd)
				var trap *host.TrapError
				require.True(t, errors.As(err, &trap), "%v", err)
				require.ErrorIs(t, err, c.want)
				require.ErrorIs(t, err, hooks.ErrExhausted)
				var limit *host.LimitError
				require.True(t, errors.As(err, &limit))
				assert.Equal(t, "front_end", trap.Function)
				if c.want == host.ErrOutOfFuel {
					assert.Regexp(t, `^test/guest: front_end trapped: out of fuel after 10000000 units(, after writing ".*")?$`, err.Error())
				} else {
					assert.EqualError(t, err, "test/guest: front_end trapped: out of stack: functions within each other need more than 262144 bytes")
				}
				require.NoError(t, i.Renew())
			}
			assert.Contains(t, out.String(), "out of "+map[bool]string{true: "fuel", false: "stack"}[c.want == host.ErrOutOfFuel])
			err := host.Rehearse(i)
			require.ErrorIs(t, err, host.ErrRefused)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// TestEndlessStartsEnd: what runs before the first hook has the same limit.
func TestEndlessStartsEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		guest guest
		want  string
	}{
		{"start section", guest{start: forEver}, "its start"},
		{"_initialize", guest{initialize: forEver}, "_initialize"},
		{"marker", guest{markerCode: forEver}, "iosrun_abi_1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			compiled, err := newRuntime(t).Load(context.Background(), inspect(t, c.guest.encode()))
			require.NoError(t, err)
			_, err = compiled.Instantiate(context.Background(), host.InstanceConfig{})
			require.ErrorIs(t, err, host.ErrOutOfFuel)
			assert.EqualError(t, err, "test/guest: "+c.want+" trapped: out of fuel after 10000000 units")
		})
	}
}

// TestStartRuns: the start section still runs, before _initialize.
func TestStartRuns(t *testing.T) {
	const cell = 16
	load := []byte{opI32Const, cell, opI32Load, 2, 0}
	for _, fuel := range []int64{0, host.Unmetered} {
		i := instance(t, newRuntimeWith(t, host.RuntimeConfig{Fuel: fuel}), guest{
			start:      store(cell, 3),
			initialize: cat([]byte{opI32Const, cell}, load, []byte{opI32Const, 4, opI32Add, opI32Store, 2, 0}),
			body:       cat([]byte{opI32Const}, s32(scratch), load, []byte{opI32Store, 2, 0}),
		}.encode(), host.InstanceConfig{})
		require.NoError(t, i.Call(abi.FrontEnd))
		assert.Equal(t, byte(7), i.Frame().Scratch[0])
	}
}

// TestFuelIsPerCall: each call begins with the whole limit, and the limit is exact.
func TestFuelIsPerCall(t *testing.T) {
	body := countTo(1000) // 3 units in front, then 1000 rounds of 11
	const cost = 3 + 1000*11
	code := guest{body: body}.encode()
	enough := instance(t, newRuntimeWith(t, host.RuntimeConfig{Fuel: cost}), code, host.InstanceConfig{})
	for range 100 {
		require.NoError(t, enough.Call(abi.FrontEnd))
	}
	less := instance(t, newRuntimeWith(t, host.RuntimeConfig{Fuel: cost - 1}), code, host.InstanceConfig{})
	require.ErrorIs(t, less.Call(abi.FrontEnd), host.ErrOutOfFuel)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = enough.Call(abi.FrontEnd) }))
}

func TestFuelSetting(t *testing.T) {
	for fuel, want := range map[int64]string{
		-2:            "fuel of -2 units a call: want 1 to",
		math.MaxInt64: "want 1 to 2305843009213693951",
	} {
		_, err := host.NewRuntime(context.Background(), host.RuntimeConfig{Fuel: fuel})
		assert.ErrorContains(t, err, want)
	}
	i := instance(t, newRuntimeWith(t, host.RuntimeConfig{Fuel: host.Unmetered}), guest{body: countTo(30_000_000)}.encode(), host.InstanceConfig{})
	require.NoError(t, i.Call(abi.FrontEnd), "unmetered")
}

// TestRecursionTakesLittle: a recursion without an end, which took 450 MB for its
// 16 traps, takes less than 1 MiB each time.
func TestRecursionTakesLittle(t *testing.T) {
	i := instance(t, newRuntime(t), guest{body: call(1)}.encode(), host.InstanceConfig{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.ErrorIs(t, i.Call(abi.FrontEnd), host.ErrOutOfStack)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// TestRefusedByTheMeter: what the pass does not understand is refused with a place
// in the file.
func TestRefusedByTheMeter(t *testing.T) {
	_, err := newRuntime(t).Load(context.Background(), inspect(t, guest{body: []byte{0x12, 0}}.encode()))
	require.ErrorIs(t, err, host.ErrRefused)
	assert.ErrorContains(t, err, "test/guest: refused: wasm module at byte 0x")
	assert.ErrorContains(t, err, "tail calls")
}

// TestDocumentSaysTheLimit holds the limit in docs/fuel.md against the code.
func TestDocumentSaysTheLimit(t *testing.T) {
	text, err := os.ReadFile("../docs/fuel.md")
	require.NoError(t, err)
	assert.Equal(t, 10_000_000, host.DefaultFuel)
	assert.Contains(t, string(text), "The limit is 10,000,000 units a call")
}
