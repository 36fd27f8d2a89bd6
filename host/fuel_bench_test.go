package host_test

import (
	"context"
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// BenchmarkBound measures what a bound on a call costs: the same function
// without one, metered, and with the runtime's own way, which looks at a context
// (CloseOnContextDone). The three take turns in short rounds, and the best round
// of each counts, because a machine's speed changes while it is measured.
func BenchmarkBound(b *testing.B) {
	b.Run("empty", func(b *testing.B) { benchmarkBound(b, guest{}.encode(), 2000, nil) })
	b.Run("standard", func(b *testing.B) {
		benchmarkBound(b, builtGuest(b, "../../plugins/frontend/standard/wasm"), 500, func(f *abi.Frame) {
			f.Head.Hook, f.Target.Role, f.Pair.Mirrors = abi.FrontEnd, abi.RolePrimary, 1
			f.Pair.Mirror[0].State = abi.MirrorInSync
			f.Chain.Count, f.Chain.Inline, f.Chain.Parameters = 3, 3, 2
			f.Chain.CCW[0] = abi.CCW{Command: 0x63, Flags: 0x40, Count: 16, Address: 0x2000, Location: 0x1000, Parameter: 1}
			f.Chain.CCW[1] = abi.CCW{Command: 0x47, Flags: 0x40, Count: 16, Address: 0x2010, Location: 0x1008, Parameter: 2}
			f.Chain.CCW[2] = abi.CCW{Command: 0x85, Count: 4096, Address: 0x3000, Location: 0x1010}
		})
	})
	b.Run("loop-1000", func(b *testing.B) { benchmarkBound(b, guest{body: countTo(1000)}.encode(), 100, nil) })
}

// countTo is code that counts a cell of the memory up to n.
func countTo(n int32) []byte {
	const cell = 16
	load := []byte{opI32Const, cell, opI32Load, 2, 0}
	return cat(store(cell, 0), []byte{opLoop, empty},
		[]byte{opI32Const, cell}, load, []byte{opI32Const, 1, opI32Add, opI32Store, 2, 0},
		load, []byte{opI32Const}, s32(n), []byte{opI32LtU, opBranchIf, 0, opEnd})
}

func benchmarkBound(b *testing.B, code []byte, round int, fill func(*abi.Frame)) {
	ctx := context.Background()
	free := instance(b, newRuntimeWith(b, host.RuntimeConfig{Fuel: host.Unmetered}), code, host.InstanceConfig{})
	metered := instance(b, newRuntime(b), code, host.InstanceConfig{})

	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true))
	defer r.Close(ctx)
	wasi.MustInstantiate(ctx, r)
	_, err := r.NewHostModuleBuilder(abi.HostModule).NewFunctionBuilder().
		WithFunc(func(context.Context, api.Module, uint32, uint32, uint32) uint32 { return 0 }).Export("chain_read").Instantiate(ctx)
	require.NoError(b, err)
	m, err := r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	require.NoError(b, err)
	f := m.ExportedFunction("front_end")
	at, err := m.ExportedFunction(abi.MarkerExport).Call(ctx)
	require.NoError(b, err)
	p, ok := m.Memory().Read(uint32(at[0]), uint32(unsafe.Sizeof(abi.Frame{})))
	require.True(b, ok)

	frames := [...]*abi.Frame{free.Frame(), metered.Frame(), (*abi.Frame)(unsafe.Pointer(unsafe.SliceData(p)))}
	calls := [...]func() error{
		func() error { return free.Call(abi.FrontEnd) },
		func() error { return metered.Call(abi.FrontEnd) },
		func() error { return f.CallWithStack(watched, nil) },
	}
	var best [len(calls)]float64 // nanoseconds a call
	for n := range best {
		best[n] = math.Inf(1)
		if fill != nil {
			fill(frames[n])
		}
	}
	rounds := [...]int{round, round, max(round/20, 1)} // the last one is slow
	for b.Loop() {
		for n, call := range calls {
			start := time.Now()
			for range rounds[n] {
				frames[n].Response.Intents = 0
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
			best[n] = min(best[n], float64(time.Since(start))/float64(rounds[n]))
		}
	}
	for n, name := range [...]string{"free-ns", "metered-ns", "context-ns"} {
		b.ReportMetric(best[n], name)
	}
	b.ReportMetric(best[1]/best[0], "metered/free")
	b.ReportMetric(best[2]/best[0], "context/free")
	b.ReportMetric(testing.AllocsPerRun(100, func() { _ = metered.Call(abi.FrontEnd) }), "metered-allocs")
	b.ReportMetric(0, "ns/op")
}
