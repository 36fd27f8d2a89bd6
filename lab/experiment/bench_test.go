package experiment

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/lab/catalog"
	"github.com/iosrun/iosrun/lab/workload"
)

// loader builds the shipped modules that a test needs, once.
func loader(t testing.TB) *catalog.Loader {
	t.Helper()
	dir := t.TempDir()
	for _, n := range catalog.Shipped() {
		path, err := build.Build(context.Background(), filepath.Join("../..", catalog.SourceFolder(n)), "")
		require.NoError(t, err)
		code, err := os.ReadFile(path)
		require.NoError(t, err)
		to := filepath.Join(dir, filepath.FromSlash(n)+catalog.Suffix)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.WriteFile(to, code, 0o600))
	}
	cache, err := host.DefaultCacheDir()
	require.NoError(t, err)
	rt, err := host.NewRuntime(context.Background(), host.RuntimeConfig{CacheDir: cache})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(context.Background())) })
	return &catalog.Loader{Catalog: catalog.Catalog{Dir: dir}, Runtime: rt}
}

// rig is a machine with a policy on its slots, and no workload.
func rig(t testing.TB, c Config, l *catalog.Loader) *run {
	t.Helper()
	require.NoError(t, c.Check())
	p, err := Prepare(context.Background(), c, l)
	require.NoError(t, err)
	r, err := p.machine(context.Background(), 0, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.ios.Hooks.Close()) })
	return r
}

// BenchmarkMirroredWrite is 4 KiB writes through the whole machine under the
// policy sync: access method, I/O supervisor, detours, channel, devices, both
// sides. window is how many are under way at once.
func BenchmarkMirroredWrite(b *testing.B) {
	l := loader(b)
	var perWrite [2]float64
	for i, native := range []bool{true, false} {
		name := "wasm"
		if native {
			name = "native"
		}
		b.Run(name, func(b *testing.B) {
			const window = 64
			c := Default()
			c.Policies, c.Native = []string{"sync"}, native
			r := rig(b, c, l)
			submit := func(k int64) {
				r.issued++
				r.inflight.put(inflight{number: k, at: r.m.Clock.Now(), write: true, bytes: 4096})
				if err := r.block.Submit(uint64(k), true, k*7919%4096*4096*12, 4096); err != nil {
					b.Fatal(err)
				}
			}
			var k int64
			for ; k < 20_000; k++ { // pools filled, tracks formatted
				submit(k)
				for r.issued-r.ended >= window {
					r.m.Clock.Step()
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				submit(k)
				k++
				for r.issued-r.ended >= window {
					r.m.Clock.Step()
				}
			}
			perWrite[i] = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(1e9/perWrite[i], "writes/s")
			if !native && perWrite[0] != 0 {
				b.ReportMetric(perWrite[0]/perWrite[1], "of-native")
			}
			if r.x.Counts().Mirrored == 0 || r.failed != [256]int64{} {
				b.Fatal("nothing was mirrored, or requests failed")
			}
		})
	}
}

// BenchmarkReplay plays a generated workload of some length from end to end:
// ten times the requests should take ten times the time.
func BenchmarkReplay(b *testing.B) {
	l := loader(b)
	for _, n := range []int64{20_000, 200_000} {
		b.Run(map[int64]string{20_000: "20k", 200_000: "200k"}[n], func(b *testing.B) {
			c := Default()
			g := generator(n)
			c.Policies, c.Workload.Trace, c.Workload.Generator = []string{"sync"}, "", &g
			p, err := Prepare(context.Background(), c, l)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, err := p.Run(context.Background(), 0, Options{Completed: func(int64, bool, uint8, machine.Time) {}})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/request")
		})
	}
}

// generator describes n writes and reads at a rate that the machine keeps up
// with.
func generator(n int64) workload.GeneratorConfig {
	g := workload.DefaultGenerator()
	g.Count, g.Duration, g.ReadShare, g.Rate = n, 0, 0.3, 5000
	return g
}
