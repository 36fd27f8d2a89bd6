package trace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// eventsAt is a trace of reads at times in microseconds, each at an offset of its
// own.
func eventsAt(times ...uint64) []byte {
	var b strings.Builder
	b.WriteString(eventsHeader + "\n")
	for i, at := range times {
		fmt.Fprintf(&b, "%d,read,%d,512,-,1\n", at, i*512)
	}
	return []byte(b.String())
}

// TestOrderIsRestored: rows that are out of order by no more than the window come
// in order of time, those of one time in the order of the file.
func TestOrderIsRestored(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type row struct{ at, written uint64 }
	rows := make([]row, 20000)
	at := uint64(1 << 40)
	for i := range rows {
		at += random.Uint64N(40) * random.Uint64N(40)
		rows[i] = row{at, at + random.Uint64N(uint64(lateByProcessors/machine.Microsecond))}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.written) - int(b.written) })
	times := make([]uint64, len(rows))
	for i := range rows {
		times[i] = rows[i].at
	}
	trace := mustTrace(t, eventsAt(times...), Options{})
	got := all(t, trace)
	require.Len(t, got, len(rows))
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(times[a]) - int(times[b]) })
	for i, q := range got {
		require.Equal(t, int64(order[i])*512, q.Offset)
		require.EqualValues(t, times[order[i]]-times[order[0]], q.At/machine.Microsecond)
	}
	late := 0
	var high uint64
	for _, at := range times {
		if at < high {
			late++
		}
		high = max(high, at)
	}
	f := trace.Findings()
	assert.EqualValues(t, late, f.Reordered)
	assert.Greater(t, f.Reordered, int64(1000))
	assert.Less(t, f.ReorderedBy, lateByProcessors.Duration())
}

// TestOddTimes: the row whose time is wrong is the bad one, and it moves nothing
// for the others.
func TestOddTimes(t *testing.T) {
	steady := func(n int, from uint64) []uint64 {
		var times []uint64
		for i := range n {
			times = append(times, from+uint64(i)*1000)
		}
		return times
	}
	const hour = 3600_000_000
	const start = 5_629_871_279_906
	for name, test := range map[string]struct {
		times []uint64
		bad   []int64 // rows, the header being the first
	}{
		"first at 0":             {append([]uint64{0}, steady(100, 1<<50)...), []int64{2}},
		"first an hour late":     {append([]uint64{start + hour}, steady(100, start)...), []int64{2}},
		"two late in front":      {append([]uint64{start + hour, start + 2*hour}, steady(100, start)...), []int64{2, 3}},
		"late in the middle":     {slices.Insert(steady(100, start), 50, start+hour), []int64{52}},
		"far away in the middle": {slices.Insert(steady(100, start), 50, 1<<62), []int64{52}},
		"early in the middle":    {slices.Insert(steady(100, start), 50, start-hour), []int64{52}},
		"0 in the middle":        {slices.Insert(steady(100, start), 50, 0), []int64{52}},
		"0 at the end":           {append(steady(100, start), 0), []int64{102}},
		"several":                {slices.Insert(slices.Insert(steady(100, start), 70, start), 20, start+hour), []int64{22, 73}},
		"a pause of an hour":     {append(steady(100, start), steady(100, start+hour)...), nil},
		"a pause near the end":   {append(steady(100, start), start+hour), nil},
		"a clock set back":       {append(steady(5, start+hour), steady(3, start)...), []int64{7, 8, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			trace := mustTrace(t, eventsAt(test.times...), Options{SkipBad: 10})
			got := all(t, trace)
			f := trace.Findings()
			var bad []int64
			for _, r := range f.Reasons {
				bad = append(bad, r.Row)
			}
			assert.Equal(t, test.bad, bad)
			assert.Len(t, got, len(test.times)-len(test.bad))
			assert.True(t, slices.IsSortedFunc(got, func(a, b Request) int { return int(a.At - b.At) }))
			assert.Zero(t, got[0].At)

			// Without tolerance the first of them is named, and what is above it is
			// played.
			strict := mustTrace(t, eventsAt(test.times...), Options{})
			d, err := Describe(strict)
			if len(test.bad) == 0 {
				require.NoError(t, err)
				return
			}
			var row *RowError
			require.ErrorAs(t, err, &row)
			assert.Equal(t, test.bad[0], row.Row)
			assert.Equal(t, test.bad[0]-2, d.Requests)
		})
	}
}

// TestOrderHasALimitOfRows: so many rows at one time are not held back for ever.
func TestOrderHasALimitOfRows(t *testing.T) {
	times := make([]uint64, OrderRows+100)
	for i := range times {
		times[i] = 1000
	}
	times = append(times, 999) // behind rows that have been handed out
	trace := mustTrace(t, eventsAt(times...), Options{SkipBad: 1})
	assert.Len(t, all(t, trace), len(times)-1)
	n, first := trace.Bad()
	assert.EqualValues(t, 1, n)
	assert.ErrorContains(t, first, "time 999 is before 1000, and more than 16384 rows lie between")

	// Far fewer rows are kept for a trace that is in order.
	var in []uint64
	for i := range 50_000 {
		in = append(in, uint64(i)*100)
	}
	trace = mustTrace(t, eventsAt(in...), Options{})
	assert.Len(t, all(t, trace), len(in))
	assert.LessOrEqual(t, len(trace.order.rows), 256)
}

// TestCompletionOrder: layouts whose rows are written when requests end, or have
// times in seconds, are allowed more.
func TestCompletionOrder(t *testing.T) {
	systor := systorHeader + "\n" + `1455592511.5,0.1,R,4,0,512
1455592511.1,2.5,W,4,512,512
1455592512.1,0.1,,4,512,512
1455592480.0,40.5,R,4,1024,512
`
	trace := mustTrace(t, []byte(systor), Options{})
	got := all(t, trace)
	require.Len(t, got, 3)
	assert.Equal(t, []int64{1024, 512, 0}, []int64{got[0].Offset, got[1].Offset, got[2].Offset})
	f := trace.Findings()
	assert.Equal(t, []Count{{"row without a type", 1}}, f.NotPlayed)
	assert.EqualValues(t, 2, f.Reordered)
	assert.Equal(t, 31500*time.Millisecond, f.ReorderedBy)

	tencent := "1538323260,0,8,0,7\n1538323201,8,8,1,7\n1538323262,8,8,1,7\n"
	assert.Len(t, all(t, mustTrace(t, []byte(tencent), Options{})), 3)
}
