package steps

import "github.com/iosrun/iosrun/emulator/machine"

// Taken is a step and the component that took it.
type Taken struct {
	Step machine.Step
	Who  string
}

// Counter counts the steps that a machine takes. It implements
// machine.StepRecorder and belongs to its machine.
type Counter struct {
	counts map[Taken]uint64
}

// Step counts a step.
func (c *Counter) Step(_ machine.Time, step machine.Step, who string, _ uint64) {
	if c.counts == nil {
		c.counts = make(map[Taken]uint64)
	}
	c.counts[Taken{step, who}]++
}

// Transition does nothing: the machine counts its transitions itself.
func (c *Counter) Transition(machine.Time, string, int, string, string, uint64) {}

// Count returns the number of times that the component named by the row took the
// step.
func (c *Counter) Count(r Row) uint64 { return c.counts[Taken{r.Step, r.Actor}] }

// Add adds the counts of another counter.
func (c *Counter) Add(o *Counter) {
	for t, n := range o.counts {
		if c.counts == nil {
			c.counts = make(map[Taken]uint64)
		}
		c.counts[t] += n
	}
}

// Both tells two recorders of each step; one of them may be nil.
func Both(a, b machine.StepRecorder) machine.StepRecorder {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return both{a, b}
}

type both struct{ a, b machine.StepRecorder }

func (t both) Step(at machine.Time, step machine.Step, who string, io uint64) {
	t.a.Step(at, step, who, io)
	t.b.Step(at, step, who, io)
}

func (t both) Transition(at machine.Time, of string, leg int, from, to string, io uint64) {
	t.a.Transition(at, of, leg, from, to, io)
	t.b.Transition(at, of, leg, from, to, io)
}
