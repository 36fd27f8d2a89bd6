package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

func TestLatencyAgainstSortedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	whole, half := New(), New()
	var values []float64
	var sum float64
	for i := range 100_000 {
		v := math.Floor(math.Exp(r.NormFloat64()*2 + 12)) // around 160 µs, from 1 µs to seconds
		values = append(values, v)
		sum += v
		if i%2 == 0 {
			whole.Record(machine.Time(v))
		} else {
			half.Record(machine.Time(v))
		}
	}
	whole.Merge(half)
	slices.Sort(values)
	for _, p := range []float64{0, 50, 95, 99, 99.9, 100} {
		want := values[max(0, int(math.Round(p/100*float64(len(values))))-1)]
		assert.InEpsilon(t, want, float64(whole.Percentile(p)), 0.001, "p%v", p)
	}
	assert.EqualValues(t, 100_000, whole.Count())
	assert.Equal(t, sum/100_000, whole.Mean())
	assert.EqualValues(t, values[len(values)-1], whole.Max())
	s := whole.Summary()
	assert.Equal(t, float64(whole.Percentile(99.9))/1000, s.P999US)
	assert.Equal(t, float64(whole.Percentile(50))/1000, s.P50US)
	assert.Equal(t, whole.Mean()/1000, s.MeanUS)
	assert.Zero(t, s.Outside)
}

func TestLatencyAtItsEdges(t *testing.T) {
	l := New()
	assert.Equal(t, Summary{}, l.Summary(), "nothing recorded")
	assert.Zero(t, l.Percentile(50))
	l.Record(-1)
	l.Record(0)
	l.Record(MaxLatency)
	l.Record(machine.Never)
	l.Record(machine.Never)
	l.Record(machine.Never)
	assert.EqualValues(t, 6, l.Count())
	assert.EqualValues(t, 4, l.Outside())
	assert.Equal(t, machine.Never, l.Max())
	assert.InEpsilon(t, float64(MaxLatency), float64(l.Percentile(99)), 0.001)
	assert.InEpsilon(t, (3*float64(machine.Never)+float64(MaxLatency))/6, l.Mean(), 1e-12, "no overflow")
}

func TestRecordAllocatesNothing(t *testing.T) {
	l := New()
	k := int64(0)
	require.Zero(t, testing.AllocsPerRun(20_000, func() {
		l.Record(machine.Time(k * 7919))
		k++
	}))
}

func TestEnoughFor(t *testing.T) {
	for _, c := range []struct {
		p      float64
		enough int64
	}{{50, 2}, {95, 20}, {99, 100}, {99.9, 1000}, {0, 1}} {
		assert.True(t, EnoughFor(c.p, c.enough), "%v of %d", c.p, c.enough)
		assert.False(t, EnoughFor(c.p, c.enough-1), "%v of %d", c.p, c.enough-1)
	}
}

func BenchmarkRecord(b *testing.B) {
	l := New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Record(machine.Time(i & 0xFFFFF))
	}
}
