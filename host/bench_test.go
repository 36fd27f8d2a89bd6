package host_test

import (
	"context"
	"testing"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// BenchmarkEmptyDetour measures a call of a detour that does nothing against
// wazero's own call of the same function. "ratio" is the quotient of the two
// within one run, each the best of many short rounds that take turns, because a
// machine's speed changes while it is measured.
func BenchmarkEmptyDetour(b *testing.B) {
	b.Run("wat", func(b *testing.B) { benchmarkEmpty(b, guest{}.encode()) })
	b.Run("go", func(b *testing.B) { benchmarkEmpty(b, builtGuest(b, "empty")) })
}

func benchmarkEmpty(b *testing.B, code []byte) {
	ctx := context.Background()
	bare := wazero.NewRuntime(ctx)
	defer bare.Close(ctx)
	wasi.MustInstantiate(ctx, bare)
	m, err := bare.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	require.NoError(b, err)
	f := m.ExportedFunction("front_end")
	i := instance(b, newRuntime(b), code, host.InstanceConfig{})

	b.ReportAllocs()
	best := [2]time.Duration{time.Hour, time.Hour}
	const round = 2000
	for b.Loop() {
		start := time.Now()
		for range round {
			if err := f.CallWithStack(ctx, nil); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for range round {
			if err := i.Call(abi.FrontEnd); err != nil {
				b.Fatal(err)
			}
		}
		best[0], best[1] = min(best[0], middle.Sub(start)), min(best[1], time.Since(middle))
	}
	b.ReportMetric(float64(best[0])/round, "bare-ns/call")
	b.ReportMetric(float64(best[1])/round, "detour-ns/call")
	b.ReportMetric(float64(best[1])/float64(best[0]), "ratio")
}

// BenchmarkRenew is what a trap costs beyond the call: a fresh instance.
func BenchmarkRenew(b *testing.B) {
	for _, c := range []struct {
		name string
		code []byte
	}{{"wat", guest{}.encode()}, {"go", builtGuest(b, "empty")}} {
		b.Run(c.name, func(b *testing.B) {
			i := instance(b, cachingRuntime(b), c.code, host.InstanceConfig{})
			b.ReportAllocs()
			for b.Loop() {
				if err := i.Renew(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad is the way of a Go guest of 2 MB from its bytes to a rehearsed
// instance, with its code in the cache on disk.
func BenchmarkLoad(b *testing.B) {
	code := builtGuest(b, "empty")
	ctx := context.Background()
	dir := b.TempDir()
	load := func() {
		r, err := host.NewRuntime(ctx, host.RuntimeConfig{CacheDir: dir})
		require.NoError(b, err)
		c, err := r.Load(ctx, inspect(b, code))
		require.NoError(b, err)
		i, err := c.Instantiate(ctx, host.InstanceConfig{})
		require.NoError(b, err)
		require.NoError(b, host.Rehearse(i))
		require.NoError(b, r.Close(ctx))
	}
	start := time.Now()
	load()
	cold := time.Since(start)
	b.ReportAllocs()
	for b.Loop() {
		load()
	}
	b.ReportMetric(float64(cold.Nanoseconds()), "cold-ns/op")
}
