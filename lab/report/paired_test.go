package report

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Differences are paired, so what both runs share does not widen the interval.
func TestCompareFindsAKnownShift(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var a, b Series
	const n = 50_000
	order := r.Perm(n) // completions are not in order of arrival
	for _, k := range order {
		shared := machine.Time(r.IntN(10_000_000))
		a.Record(int64(k), shared)
		b.Record(int64(k), shared+5000+machine.Time(r.IntN(2001)-1000))
	}
	d, err := Compare(&a, &b, 1)
	require.NoError(t, err)
	assert.EqualValues(t, n, d.Count)
	assert.Greater(t, d.Blocks, MaxBlocks/2-1)
	assert.LessOrEqual(t, d.Blocks, MaxBlocks)
	assert.InDelta(t, 5, d.MeanUS, 0.02)
	require.NotNil(t, d.Interval)
	assert.True(t, d.Significant)
	// The noise has a deviation of 0.577 µs, so the mean one of 0.0026 µs.
	assert.InDelta(t, 2*1.96*0.00258, d.Interval.HighUS-d.Interval.LowUS, 0.003)
	assert.Less(t, d.Interval.LowUS, d.MeanUS)
	assert.Greater(t, d.Interval.HighUS, d.MeanUS)

	again, err := Compare(&a, &b, 1)
	require.NoError(t, err)
	assert.Equal(t, d, again, "the seed decides")
	back, err := Compare(&b, &a, 1)
	require.NoError(t, err)
	assert.Equal(t, -d.MeanUS, back.MeanUS)
	assert.True(t, back.Significant)
}

func TestCompareEqualRuns(t *testing.T) {
	var a Series
	for k := range int64(1000) {
		a.Record(k, machine.Time(k*k))
	}
	d, err := Compare(&a, &a, 1)
	require.NoError(t, err)
	assert.Equal(t, Difference{Count: 1000, Blocks: 63, Interval: &Interval{0, 0, Confidence}}, d)
}

// Coverage: over many pairs of runs without a true difference whose noise is
// correlated over ten requests, about 5 % of the intervals exclude 0.
func TestCompareCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, on one goroutine")
	}
	const trials = 200
	wrong := 0
	for trial := range uint64(trials) {
		r := rand.New(rand.NewPCG(trial, 5))
		var a, b Series
		var noise float64
		for k := range int64(8000) {
			noise = 0.9*noise + r.NormFloat64()*1000
			a.Record(k, 1_000_000)
			b.Record(k, machine.Time(1_000_000+noise))
		}
		d, err := Compare(&a, &b, trial)
		require.NoError(t, err)
		if d.Significant {
			wrong++
		}
	}
	// 10 of 200 are expected; blocks of 32 under correlated noise make it some
	// more. Resampling single I/Os would be wrong in more than half.
	assert.InDelta(t, 0.05*trials, wrong, 16)
	assert.Positive(t, wrong)
	t.Logf("%d of %d intervals exclude the truth", wrong, trials)
}

func TestSeriesSumsWhateverTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	for _, n := range []int{1, firstBlock, MaxBlocks * firstBlock, MaxBlocks*firstBlock + 1, 100_001, MaxCells, MaxCells + 1, 3 * MaxCells} {
		var forward, mixed Series
		var sum int64
		order := r.Perm(n)
		for k := range n {
			forward.Record(int64(k), machine.Time(k))
			mixed.Record(int64(order[k]), machine.Time(order[k]))
			sum += int64(k)
		}
		assert.Equal(t, forward, mixed)
		var got int64
		for _, c := range forward.cells {
			got += c.sum
		}
		assert.Equal(t, sum, got)
		assert.EqualValues(t, n, forward.Count())
	}
}

func TestSeriesOfVastAndNegativeRequests(t *testing.T) {
	var s Series
	s.Record(-1, 5)
	assert.Zero(t, s.Count())
	s.Record(0, 5)
	s.Record(1<<62, 7)
	assert.EqualValues(t, 2, s.Count())
	assert.EqualValues(t, 5, s.cells[0].sum)
	assert.LessOrEqual(t, len(s.cells), MaxCells)
}

func TestCompareErrorsAndFewBlocks(t *testing.T) {
	var a, b, empty Series
	for k := range int64(100) {
		a.Record(k, 1000)
		if k != 40 {
			b.Record(k, 2000)
		}
	}
	_, err := Compare(&a, &b, 1)
	assert.EqualError(t, err, "paired comparison: requests 40 to 40: 1 I/Os against 0: want the same workload")
	_, err = Compare(&a, &empty, 1)
	assert.ErrorContains(t, err, "1 I/Os against 0")
	b.Record(40, 2000)
	d, err := Compare(&a, &b, 1)
	require.NoError(t, err)
	assert.Equal(t, Difference{Count: 100, Blocks: 7, MeanUS: 1}, d, "too few blocks for an interval")
	d, err = Compare(&empty, &empty, 1)
	require.NoError(t, err)
	assert.Equal(t, Difference{}, d)
}

func BenchmarkCompare(b *testing.B) {
	var x, y Series
	for k := range int64(100_000) {
		x.Record(k, machine.Time(k%1000))
		y.Record(k, machine.Time(k%1013))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compare(&x, &y, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCompareLeavesFailedPairsOut: what failed on either side is in no mean and
// no count, and the other pairs are compared as if it had not been there.
func TestCompareLeavesFailedPairsOut(t *testing.T) {
	const n = 4000
	failsA := func(k int64) bool { return k%100 == 7 }
	failsB := func(k int64) bool { return k%100 == 7 && k < 2000 || k >= 3500 }
	var a, b, pureA, pureB Series
	for k := range int64(n) {
		latency := machine.Time(k%977) * 1000
		if failsA(k) {
			a.Fail(k)
		} else {
			a.Record(k, latency)
		}
		if failsB(k) {
			b.Fail(k)
		} else {
			b.Record(k, latency+machine.Time(k%3)*1000)
		}
		if !failsA(k) && !failsB(k) {
			pureA.Record(k, latency)
			pureB.Record(k, latency+machine.Time(k%3)*1000)
		}
	}
	d, err := Compare(&a, &b, 1)
	require.NoError(t, err)
	// 40 fail in A; in B 20 of the same and the last 500, among which 5 of A's.
	assert.Equal(t, &LeftOut{Pairs: 40 + 500 - 5, Baseline: 40, Run: 20 + 500}, d.LeftOut)
	assert.EqualValues(t, n-535, d.Count)
	want, err := Compare(&pureA, &pureB, 1)
	require.NoError(t, err)
	d.LeftOut = nil
	assert.Equal(t, want, d)

	var all Series
	for k := range int64(n) {
		all.Fail(k)
	}
	d, err = Compare(even(n), &all, 1)
	require.NoError(t, err)
	assert.Equal(t, Difference{LeftOut: &LeftOut{Pairs: n, Run: n}}, d)
	_, err = Compare(&all, &Series{}, 1)
	assert.ErrorContains(t, err, "requests 0 to 0: 1 I/Os against 0: want the same workload", "a failed I/O is one of the workload")
}

// even is a series of n requests that took 1 µs each.
func even(n int64) *Series {
	s := new(Series)
	for k := range n {
		s.Record(k, 1000)
	}
	return s
}

// TestCompareLeavesNeighboursOut: a cell of several requests is left out whole,
// and the counts say so.
func TestCompareLeavesNeighboursOut(t *testing.T) {
	const n = 3 * MaxCells // cells of 4 requests
	var a, b Series
	for k := range int64(n) {
		a.Record(k, 1000)
		if k == 1 {
			b.Fail(k)
		} else {
			b.Record(k, 3000)
		}
	}
	d, err := Compare(&a, &b, 1)
	require.NoError(t, err)
	assert.Equal(t, &LeftOut{Pairs: 4, Run: 1}, d.LeftOut)
	assert.EqualValues(t, n-4, d.Count)
	assert.Equal(t, 2.0, d.MeanUS)
	assert.LessOrEqual(t, d.Blocks, MaxBlocks)
	assert.Greater(t, d.Blocks, MaxBlocks/2-1)
}

func TestSeriesAllocatesNothing(t *testing.T) {
	var s Series
	k := int64(0)
	require.Zero(t, testing.AllocsPerRun(20_000, func() {
		s.Record(k, machine.Time(k))
		k++
	}))
}

func BenchmarkSeries(b *testing.B) {
	var s Series
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		s.Record(i, machine.Time(i&0xFFFFF))
	}
}
