package workload

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/trace"
)

func TestNextAllocatesNothing(t *testing.T) {
	config := DefaultGenerator()
	config.Count, config.Duration = 1<<40, 0
	config.Rate = MaxRate
	generator, err := NewGenerator(config)
	require.NoError(t, err)
	limited, err := Limit(generator, 1<<40)
	require.NoError(t, err)
	fast, err := Speedup(limited, 2)
	require.NoError(t, err)
	var q trace.Request
	allocs := testing.AllocsPerRun(20000, func() {
		if err := fast.Next(&q); err != nil {
			t.Fatal(err)
		}
	})
	require.Zero(t, allocs)
}

func BenchmarkGenerator(b *testing.B) {
	for _, skew := range []float64{0, 0.9} {
		b.Run(fmt.Sprintf("skew %v", skew), func(b *testing.B) {
			config := DefaultGenerator()
			config.Count, config.Duration, config.Skew, config.Rate = 1<<40, 0, skew, MaxRate
			g, err := NewGenerator(config)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var q trace.Request
			for b.Loop() {
				if err := g.Next(&q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
