package steps

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/emulator/machine"
)

// MaxEvents is the largest number of events that a Way keeps.
const MaxEvents = 100_000

// Event is a step on the way of an I/O.
type Event struct {
	At     machine.Time `json:"at_ns"`
	Who    string       `json:"who"`
	Step   string       `json:"step"`
	Figure string       `json:"figure"`
	What   string       `json:"what"`
	IO     uint64       `json:"io"`
}

// Way records the events of the I/Os that it follows, and the events meanwhile that
// belong to no I/O (identity 0). It implements machine.StepRecorder and belongs to
// its machine.
type Way struct {
	// All says that every I/O is followed.
	All bool
	// States says that changes of state are recorded, too.
	States bool

	ios    map[uint64]bool
	taken  []taken
	own    int  // number of events up to the last one of an I/O that is followed
	Missed bool // there were more than MaxEvents
}

// taken is a step, or, when from and to are set, a change of state.
type taken struct {
	at       machine.Time
	step     machine.Step
	who      string
	io       uint64
	from, to string
}

// Follow makes w record the events of an I/O from now on. The mirror I/Os of an I/O
// have the same identity.
func (w *Way) Follow(io uint64) {
	if w.ios == nil {
		w.ios = make(map[uint64]bool)
	}
	w.ios[io] = true
}

// Step records a step.
func (w *Way) Step(at machine.Time, step machine.Step, who string, io uint64) {
	w.take(taken{at: at, step: step, who: who, io: io})
}

// Transition records a change of state.
func (w *Way) Transition(at machine.Time, of string, leg int, from, to string, io uint64) {
	if !w.States {
		return
	}
	if leg != 0 || of == "leg" {
		of = fmt.Sprintf("%s %d", of, leg)
	}
	w.take(taken{at: at, who: of, io: io, from: from, to: to})
}

func (w *Way) take(t taken) {
	io := t.io
	follows := w.All || w.ios[io]
	if !follows && (io != 0 || w.own == 0) {
		return
	}
	if len(w.taken) == MaxEvents {
		w.Missed = true
		return
	}
	w.taken = append(w.taken, t)
	if follows {
		w.own = len(w.taken)
	}
}

// Events returns the events in the order of their times, up to the last one of an
// I/O that is followed.
func (w *Way) Events() ([]Event, error) {
	rows, err := Table()
	if err != nil {
		return nil, err
	}
	by := make(map[machine.Step]*Row, len(rows))
	for i := range rows {
		by[rows[i].Step] = &rows[i]
	}
	events := make([]Event, w.own)
	for i, t := range w.taken[:w.own] {
		events[i] = Event{At: t.at, Who: t.who, IO: t.io}
		if t.to != "" {
			events[i].What = t.from + " → " + t.to
			continue
		}
		events[i].Step = Name(t.step)
		if r := by[t.step]; r != nil {
			events[i].Figure, events[i].What = r.Figure, r.What
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return events, nil
}
