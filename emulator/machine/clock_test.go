package machine_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// log is an actor that writes down its events and may ask for more.
type log struct {
	clock *machine.Clock
	args  []uint64
	times []machine.Time
	more  func(arg uint64)
}

func (l *log) Event(_ machine.Kind, arg uint64) {
	l.args = append(l.args, arg)
	l.times = append(l.times, l.clock.Now())
	if l.more != nil {
		l.more(arg)
	}
}

// TestEventsHappenInOrder holds the heap against a stable sort by time, with
// events that ask for others while they happen.
func TestEventsHappenInOrder(t *testing.T) {
	type asked struct {
		at  machine.Time
		arg uint64
	}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var c machine.Clock
		l := &log{clock: &c}
		var all []asked
		ask := func() {
			a := asked{c.Now() + machine.Time(random.IntN(20)) - 3, uint64(len(all))}
			c.At(a.at, l, 0, a.arg)
			a.at = max(a.at, c.Now())
			all = append(all, a)
		}
		for range random.IntN(200) {
			ask()
		}
		l.more = func(uint64) {
			if len(all) < 500 {
				for range random.IntN(3) {
					ask()
				}
			}
		}
		for c.Step() {
		}
		slices.SortStableFunc(all, func(a, b asked) int { return int(a.at - b.at) })
		require.Len(t, l.args, len(all), "seed %d", seed)
		for i, a := range all {
			require.Equal(t, a, asked{l.times[i], l.args[i]}, "seed %d, event %d", seed, i)
		}
		require.EqualValues(t, len(all), c.Events())
		require.Zero(t, c.Pending())
		require.Equal(t, machine.Never, c.Next())
	}
}

func TestClock(t *testing.T) {
	var c machine.Clock
	l := &log{clock: &c}
	c.At(machine.Never, l, 0, 1)
	assert.Zero(t, c.Pending(), "never comes")
	c.At(50, l, 0, 2)
	c.At(60, l, 0, 3)
	c.RunUntil(55)
	assert.EqualValues(t, 55, c.Now())
	assert.EqualValues(t, 60, c.Next())
	c.At(10, l, 0, 4)
	c.RunUntil(machine.Never)
	assert.Equal(t, []uint64{2, 4, 3}, l.args)
	assert.Equal(t, []machine.Time{50, 55, 60}, l.times)
	assert.False(t, c.Step())
	assert.Equal(t, "never", machine.Never.String())
	assert.Equal(t, "1.5ms", (1500 * machine.Microsecond).String())
}

// TestHashCovers: the hash tells apart runs that differ in the time, kind,
// argument or order of one event, or in an outcome.
func TestHashCovers(t *testing.T) {
	run := func(events ...[3]int) uint64 {
		var c machine.Clock
		l := &log{clock: &c}
		for _, e := range events {
			c.At(machine.Time(e[0]), l, machine.Kind(e[1]), uint64(e[2]))
		}
		for c.Step() {
		}
		return c.Hash()
	}
	base := run([3]int{1, 2, 3}, [3]int{5, 2, 4})
	assert.Equal(t, base, run([3]int{1, 2, 3}, [3]int{5, 2, 4}))
	for _, other := range []uint64{
		run([3]int{1, 2, 3}), run([3]int{1, 2, 3}, [3]int{6, 2, 4}), run([3]int{1, 2, 3}, [3]int{5, 1, 4}),
		run([3]int{1, 2, 3}, [3]int{5, 2, 5}), run([3]int{1, 2, 4}, [3]int{5, 2, 3}),
	} {
		assert.NotEqual(t, base, other)
	}
	var c machine.Clock
	c.Mix(1)
	assert.NotZero(t, c.Hash())
	seen := 0
	c.Observe(func(at machine.Time, kind machine.Kind, arg uint64) {
		seen++
		assert.Equal(t, [3]int{7, 8, 9}, [3]int{int(at), int(kind), int(arg)})
	})
	c.At(7, &log{clock: &c}, 8, 9)
	c.Step()
	assert.Equal(t, 1, seen)
}

func BenchmarkClock(b *testing.B) {
	for _, depth := range []int{1, 16, 1024} {
		b.Run(strconv.Itoa(depth), func(b *testing.B) {
			var c machine.Clock
			random := rand.New(rand.NewPCG(1, 1))
			a := idle{}
			for range depth {
				c.At(machine.Time(random.IntN(1000)), a, 0, 0)
			}
			b.ReportAllocs()
			for b.Loop() {
				c.At(c.Now()+machine.Time(random.IntN(1000)), a, 0, 0)
				c.Step()
			}
		})
	}
}

type idle struct{}

func (idle) Event(machine.Kind, uint64) {}
