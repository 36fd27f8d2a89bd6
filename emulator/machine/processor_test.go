package machine_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// work is a unit of work that notes where and when it ran.
type work struct {
	machine.SRB
	name string
	cost machine.Time
	to   *[]run
	do   func(p *machine.Processor)
}

type run struct {
	name      string
	processor int
	at        machine.Time
}

func (w *work) Enter(p *machine.Processor, s *machine.SRB) {
	*w.to = append(*w.to, run{w.name, p.ID, p.Now()})
	if w.do != nil {
		w.do(p)
	}
	p.Charge(w.cost)
}

func newMachine(t *testing.T, processors int) *machine.Machine {
	t.Helper()
	m, err := machine.New(processors)
	require.NoError(t, err)
	return m
}

func (w *work) at(m *machine.Machine, at machine.Time) *work {
	w.Entry = w
	m.Dispatcher.Schedule(at, &w.SRB)
	return w
}

func drain(m *machine.Machine) {
	for m.Clock.Step() {
	}
}

func TestPriorities(t *testing.T) {
	m := newMachine(t, 1)
	var runs []run
	add := func(name string, at machine.Time, p machine.Priority) *work {
		w := &work{name: name, cost: 10, to: &runs}
		w.Priority = p
		return w.at(m, at)
	}
	add("first", 0, machine.PriorityTask)
	add("task", 1, machine.PriorityTask)
	add("normal 1", 2, machine.PriorityNormal)
	add("normal 2", 2, machine.PriorityNormal)
	add("high", 3, machine.PriorityHigh)
	add("interrupt", 9, machine.PriorityInterrupt)
	add("late", 55, machine.PriorityInterrupt)
	drain(m)
	assert.Equal(t, []run{{"first", 0, 0}, {"interrupt", 0, 10}, {"high", 0, 20}, {"normal 1", 0, 30}, {"normal 2", 0, 40}, {"task", 0, 50}, {"late", 0, 60}}, runs)
	assert.EqualValues(t, 70, m.Processors[0].BusyTime())
	assert.EqualValues(t, 7, m.Processors[0].Units())
	assert.Equal(t, 5, m.Dispatcher.Peak())
	assert.Zero(t, m.Dispatcher.Length())
}

func TestScheduleWhatIsScheduled(t *testing.T) {
	m := newMachine(t, 1)
	var runs []run
	w := &work{name: "w", cost: 5, to: &runs}
	w.Entry = w
	assert.True(t, m.Dispatcher.Schedule(3, &w.SRB))
	assert.True(t, w.Queued())
	assert.False(t, m.Dispatcher.Schedule(1, &w.SRB))
	again := true
	w.do = func(p *machine.Processor) {
		assert.False(t, w.Queued())
		if again {
			again = false
			assert.True(t, m.Dispatcher.Schedule(p.Now(), &w.SRB), "what runs can be scheduled again")
		}
	}
	drain(m)
	assert.Equal(t, []run{{"w", 0, 3}, {"w", 0, 8}}, runs)
}

// TestWorkMadeByWork: what a unit schedules is ready when the unit has ended,
// with the priority that it has, and another processor may take it.
func TestWorkMadeByWork(t *testing.T) {
	m := newMachine(t, 2)
	var runs []run
	low := &work{name: "low", cost: 1, to: &runs}
	low.Priority = machine.PriorityTask
	high := &work{name: "high", cost: 1, to: &runs}
	high.Priority = machine.PriorityHigh
	(&work{name: "maker", cost: 10, to: &runs, do: func(p *machine.Processor) {
		p.Mode = machine.Disabled
		low.at(m, p.Now())
		high.at(m, p.Now())
	}}).at(m, 0)
	(&work{name: "other", cost: 3, to: &runs, do: func(p *machine.Processor) {
		assert.Equal(t, machine.Enabled, p.Mode, "a unit begins enabled")
	}}).at(m, 0)
	drain(m)
	assert.Equal(t, []run{{"maker", 0, 0}, {"other", 1, 0}, {"high", 0, 10}, {"low", 1, 10}}, runs)
}

func TestWorkThatCostsNothing(t *testing.T) {
	m := newMachine(t, 1)
	var runs []run
	(&work{name: "", cost: 7, to: &runs}).at(m, 0)
	for range 100_000 {
		(&work{to: &runs}).at(m, 1)
	}
	drain(m)
	assert.Len(t, runs, 100_001)
	assert.EqualValues(t, 7, m.Clock.Now())
	assert.EqualValues(t, 7, m.Processors[0].BusyTime())
}

// TestNoProcessorIdlesWhileWorkWaits holds random work against what any
// dispatcher must keep to: each unit runs once, not before its time, no
// processor runs two at once, and none is idle while something waits.
func TestNoProcessorIdlesWhileWorkWaits(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		n := 1 + random.IntN(4)
		m := newMachine(t, n)
		var runs []run
		type unit struct {
			ready, start, end machine.Time
			processor         int
		}
		units := make([]unit, 200)
		for i := range units {
			u := &units[i]
			u.ready, u.start = machine.Time(random.IntN(600)), -1
			w := &work{cost: machine.Time(random.IntN(12)), to: &runs}
			w.Priority = machine.Priority(random.IntN(4))
			w.do = func(p *machine.Processor) {
				require.EqualValues(t, -1, u.start)
				u.start, u.end, u.processor = p.Now(), p.Now()+w.cost, p.ID
			}
			w.at(m, u.ready)
		}
		drain(m)
		for i, u := range units {
			require.GreaterOrEqual(t, u.start, u.ready, "seed %d", seed)
			for j, o := range units {
				if i != j && o.processor == u.processor && u.start < o.end && o.start < u.end {
					t.Fatalf("seed %d: two units at once on processor %d", seed, u.processor)
				}
			}
			for at := u.ready; at < u.start; at++ {
				busy := 0
				for _, o := range units {
					if o.start <= at && at < o.end {
						busy++
					}
				}
				require.Equal(t, n, busy, "seed %d: unit %d waits at %d", seed, i, at)
			}
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, n := range []int{-1, 0, machine.MaxProcessors + 1} {
		_, err := machine.New(n)
		assert.ErrorContains(t, err, "want 1 to 64")
	}
	assert.Equal(t, "disabled", machine.Disabled.String())
	assert.Equal(t, "enabled", machine.Enabled.String())
}
