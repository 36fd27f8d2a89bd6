package workload

import (
	"io"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/trace"
)

// list is a source of requests that are held in memory.
type list []trace.Request

func (l *list) Next(q *trace.Request) error {
	if len(*l) == 0 {
		return io.EOF
	}
	*q, *l = (*l)[0], (*l)[1:]
	return nil
}

func (l *list) Close() error { return nil }

var requests = list{
	{Op: trace.Read, Offset: 8192, Length: 4096},
	{Op: trace.Write, Length: 512},
	{At: machine.Second, Op: trace.Flush},
	{At: machine.Second + machine.Microsecond, Op: trace.Trim, Length: 1024},
	{At: machine.Second + machine.Microsecond, Op: trace.Write, Length: 512},
}

func source() *list { return new(slices.Clone(requests)) }

func all(t *testing.T, s trace.Source) []trace.Request {
	t.Helper()
	var got []trace.Request
	for {
		var q trace.Request
		err := s.Next(&q)
		if err == io.EOF {
			return got
		}
		require.NoError(t, err)
		got = append(got, q)
	}
}

func TestSpeedup(t *testing.T) {
	fast, err := Speedup(source(), 4)
	require.NoError(t, err)
	got := all(t, fast)
	require.Len(t, got, len(requests))
	for i, q := range got {
		want := requests[i]
		want.At /= 4
		assert.Equal(t, want, q)
	}
	slow, err := Speedup(source(), 1e-9)
	require.NoError(t, err)
	_, err = trace.Describe(slow)
	assert.EqualError(t, err, "speedup 1e-09: request at 1s would arrive after more than 366 days")
	for _, factor := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := Speedup(source(), factor)
		assert.ErrorContains(t, err, "want more than 0")
	}
	at := source()
	same, err := Speedup(at, 1)
	require.NoError(t, err)
	assert.Same(t, at, same)
}

func TestLimit(t *testing.T) {
	// The third read or write is the last request; a flush and a trim stand before it.
	for n, want := range map[int64]int{0: 0, 2: 2, 3: len(requests), 99: len(requests)} {
		few, err := Limit(source(), n)
		require.NoError(t, err)
		assert.Len(t, all(t, few), want)
		assert.Equal(t, io.EOF, few.Next(new(trace.Request)))
		assert.NoError(t, few.Close())
	}
	_, err := Limit(source(), -1)
	assert.EqualError(t, err, "limit of -1 requests: want 0 or more")
}
