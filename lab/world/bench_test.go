package world

import "testing"

// BenchmarkWorlds plays worlds one after the other, with modules and with the detours
// linked in.
func BenchmarkWorlds(b *testing.B) {
	if shipped.err != nil {
		b.Fatal(shipped.err)
	}
	for _, native := range []bool{true, false} {
		name := "modules"
		if native {
			name = "native"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for seed := uint64(0); b.Loop(); seed++ {
				w := New(seed, DefaultLimits())
				w.Scenario.Machine["native"] = native
				if _, err := Run(b.Context(), shipped.loader, w); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "worlds/s")
		})
	}
}
