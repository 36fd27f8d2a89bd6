package steps

import "github.com/iosrun/iosrun/emulator/machine"

// MaxEvents is the most events that a Way keeps.
const MaxEvents = 100_000

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

// Count is how often the step was taken by the component that the row names.
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

// Event is a step that one I/O took.
type Event struct {
	At   machine.Time `json:"at_ns"`
	Step string       `json:"step"`
	Who  string       `json:"who"`
	IO   uint64       `json:"io"`
}

// Way records the way of one I/O, and of what happens for no I/O in particular
// (identity 0). It implements machine.StepRecorder.
type Way struct {
	// IO is the identity of the I/O.
	IO     uint64
	Events []Event
}

// Step records a step of the I/O.
func (w *Way) Step(at machine.Time, step machine.Step, who string, io uint64) {
	if io != w.IO && io != 0 || len(w.Events) == MaxEvents {
		return
	}
	w.Events = append(w.Events, Event{at, Name(step), who, io})
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
