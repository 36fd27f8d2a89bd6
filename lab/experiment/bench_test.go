package experiment

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/workload"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/trace/steps"
)

// loader loads the modules that the program carries.
func loader(t testing.TB) *catalog.Loader {
	t.Helper()
	cache, err := host.DefaultCacheDir()
	require.NoError(t, err)
	rt, err := host.NewRuntime(context.Background(), host.RuntimeConfig{CacheDir: cache})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(context.Background())) })
	return &catalog.Loader{Runtime: rt}
}

// manned is a machine with a policy on its slots, and no workload.
func manned(t testing.TB, c Config, l *catalog.Loader) *run {
	t.Helper()
	require.NoError(t, c.Check())
	p, err := Prepare(context.Background(), c, l)
	require.NoError(t, err)
	r, err := p.begin(context.Background(), 0, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.rig.Close()) })
	return r
}

// writer submits 4 KiB writes, each to another track, window of them under way at
// once.
type writer struct {
	tb     testing.TB
	r      *run
	window int64
	k      int64
}

func (w *writer) write() {
	if _, err := w.r.player.Submit(true, w.k*7919%4096*4096*12, 4096); err != nil {
		w.tb.Fatal(err)
	}
	w.k++
	for n := w.r.player.Tally(); n.Issued-n.Ended >= w.window; {
		w.r.rig.Machine.Clock.Step()
	}
}

// warm fills pools and formats tracks.
func (w *writer) warm() {
	for w.k < 20_000 {
		w.write()
	}
}

// drain lets what is under way end.
func (w *writer) drain() {
	for n := w.r.player.Tally(); n.Issued != n.Ended; {
		w.r.rig.Machine.Clock.Step()
	}
}

// check fails a benchmark that did not measure mirrored writes.
func (w *writer) check() {
	m := w.r.rig.Mirror(1, 1)
	if w.r.rig.Intercept.Counts().Mirrored == 0 || w.r.player.Tally().Failed != (player.Failures{}) || m.State != abi.MirrorInSync || m.OutOfSync() != 0 {
		w.tb.Fatalf("%d writes mirrored, mirror is %s, %d tracks marked", w.r.rig.Intercept.Counts().Mirrored, stateNames[m.State], m.OutOfSync())
	}
}

// BenchmarkMirroredWrite is 4 KiB writes through the whole machine under the
// policy sync: access method, I/O supervisor, detours, channel, devices, both
// sides.
func BenchmarkMirroredWrite(b *testing.B) {
	l := loader(b)
	var perWrite [2]float64
	for i, native := range []bool{true, false} {
		name := "wasm"
		if native {
			name = "native"
		}
		b.Run(name, func(b *testing.B) {
			c := Default()
			c.Policies, c.Native = []string{"sync"}, native
			w := writer{tb: b, r: manned(b, c, l), window: 64}
			w.warm()
			b.ReportAllocs()
			for b.Loop() {
				w.write()
			}
			perWrite[i] = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(1e9/perWrite[i], "writes/s")
			if !native && perWrite[0] != 0 {
				b.ReportMetric(perWrite[0]/perWrite[1], "of-native")
			}
			w.check()
		})
	}
}

// BenchmarkTracing is the same writes with nobody looking at the steps and with a
// recorder that counts them: who does not look pays nothing.
func BenchmarkTracing(b *testing.B) {
	l := loader(b)
	for _, on := range []bool{false, true} {
		b.Run(map[bool]string{false: "off", true: "on"}[on], func(b *testing.B) {
			c := Default()
			c.Policies = []string{"sync"}
			w := writer{tb: b, r: manned(b, c, l), window: 64}
			var counter steps.Counter
			if on {
				w.r.rig.Machine.Steps = &counter
			}
			w.warm()
			b.ReportAllocs()
			for b.Loop() {
				w.write()
			}
			w.check()
		})
	}
}

// spent is what a machine has done so far.
type spent struct {
	startio, ssch, rsch, dispatches uint64
	busy, now                       machine.Time
}

func spentBy(r *run) (s spent) {
	n := r.rig.Supervisor.Counts()
	s.startio, s.ssch, s.rsch, s.now = n.STARTIO, n.SSCH, n.RSCH, r.rig.Machine.Clock.Now()
	for i := range r.rig.Machine.Processors {
		s.dispatches += r.rig.Machine.Processors[i].Units()
		s.busy += r.rig.Machine.Processors[i].BusyTime()
	}
	return s
}

// standingRun plays n writes to a mirror without aliases, with or without a
// standing chain, and gives what they cost.
func standingRun(tb testing.TB, l *catalog.Loader, standing bool, window int64, n int) (per [6]float64) {
	c := Default()
	c.Policies = []string{"sync"}
	c.Mirror.Aliases, c.Mirror.Standing = 0, standing
	w := writer{tb: tb, r: manned(tb, c, l), window: window}
	w.r.rig.StartStanding()
	w.r.rig.Machine.Clock.RunUntil(10 * machine.Millisecond) // it is suspended
	for range 100 {
		w.write()
	}
	w.drain()
	a := spentBy(w.r)
	for range n {
		w.write()
	}
	w.drain()
	z := spentBy(w.r)
	w.check()
	if resumed := w.r.rig.Intercept.Counts().Resumed != 0; resumed != standing {
		tb.Fatalf("standing chain: %v, mirror I/Os joined to one: %v", standing, resumed)
	}
	for i, v := range []float64{
		float64(z.startio - a.startio), float64(z.ssch - a.ssch), float64(z.rsch - a.rsch), float64(z.dispatches - a.dispatches),
		float64(z.busy-a.busy) / float64(machine.Microsecond), float64(z.now-a.now) / float64(machine.Microsecond),
	} {
		per[i] = v / float64(n)
	}
	return per
}

// BenchmarkStandingChain compares mirror writes that are joined to a standing
// suspended chain with a STARTIO each: supervisor calls, dispatches, processor
// time and elapsed time of the machine, a write.
func BenchmarkStandingChain(b *testing.B) {
	l := loader(b)
	for _, window := range []int64{1, 8} {
		for _, standing := range []bool{false, true} {
			name := map[bool]string{false: "startio", true: "standing"}[standing]
			b.Run(fmt.Sprintf("%s/%d-at-once", name, window), func(b *testing.B) {
				var per [6]float64
				for b.Loop() {
					per = standingRun(b, l, standing, window, 10_000)
				}
				for i, unit := range []string{"STARTIO/write", "SSCH/write", "RSCH/write", "dispatches/write", "cpu-us/write", "virtual-us/write"} {
					b.ReportMetric(per[i], unit)
				}
			})
		}
	}
}

// TestStandingChainSaves: with a standing chain a mirrored write needs one STARTIO
// and one SSCH instead of two, and fewer dispatches.
func TestStandingChainSaves(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	for _, window := range []int64{1, 8} {
		each, standing := standingRun(t, l, false, window, 500), standingRun(t, l, true, window, 500)
		assert.InDelta(t, 2, each[0], 0.01, "STARTIO")
		assert.InDelta(t, 1, standing[0], 0.01, "STARTIO")
		assert.InDelta(t, 1, standing[1], 0.01, "SSCH")
		assert.InDelta(t, 1, standing[2], 0.01, "RSCH")
		assert.Less(t, standing[3], each[3], "dispatches")
		assert.Less(t, standing[4], each[4], "processor time")
		assert.Less(t, standing[5], each[5], "elapsed time")
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
