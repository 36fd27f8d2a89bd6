package workload

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

func open(t testing.TB, data string) *Trace {
	trace, err := NewTrace("x", strings.NewReader(data), TraceOptions{})
	require.NoError(t, err)
	return trace
}

func TestSpeedup(t *testing.T) {
	fast, err := Speedup(open(t, eventRows), 4)
	require.NoError(t, err)
	got := all(t, fast)
	require.Len(t, got, len(eventRequests))
	for i, q := range got {
		want := eventRequests[i]
		want.At /= 4
		assert.Equal(t, want, q)
	}
	slow, err := Speedup(open(t, eventRows), 1e-9)
	require.NoError(t, err)
	_, err = Describe(slow)
	assert.EqualError(t, err, "speedup 1e-09: request at 1s would arrive after more than 366 days")
	for _, factor := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := Speedup(open(t, eventRows), factor)
		assert.ErrorContains(t, err, "want more than 0")
	}
	source := open(t, eventRows)
	same, err := Speedup(source, 1)
	require.NoError(t, err)
	assert.Same(t, source, same)
}

func TestLimit(t *testing.T) {
	// The third write is the last row; a flush and a trim stand before it.
	for n, want := range map[int64]int{0: 0, 2: 2, 3: len(eventRequests), 99: len(eventRequests)} {
		source, err := Limit(open(t, eventRows), n)
		require.NoError(t, err)
		assert.Len(t, all(t, source), want)
		assert.Equal(t, io.EOF, source.Next(new(Request)))
		assert.NoError(t, source.Close())
	}
	_, err := Limit(open(t, eventRows), -1)
	assert.EqualError(t, err, "limit of -1 requests: want 0 or more")
}

func TestDescribe(t *testing.T) {
	d, err := Describe(open(t, eventRows))
	require.NoError(t, err)
	assert.Equal(t, Description{
		Requests:      5,
		Reads:         Class{1, 4096, 4096, 4096},
		Writes:        Class{1, 512, 512, 512},
		Flushes:       Class{1, 0, 0, 0},
		Trims:         Class{2, 121811968, 1024, 121810944},
		Span:          machine.Second + machine.Microsecond,
		MaxAddress:    8589873152,
		PeakPerSecond: 2,
	}, d)

	d, err = Describe(open(t, eventRows+"x\n"))
	assert.Error(t, err)
	assert.EqualValues(t, 5, d.Requests, "what came before the error")
}

func TestOpNames(t *testing.T) {
	assert.Equal(t, "read write flush trim op 9", strings.Join([]string{Read.String(), Write.String(), Flush.String(), Trim.String(), Op(9).String()}, " "))
}
