package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/lab/scenario"
)

// World is a machine made from a seed, with all actions on it.
type World struct {
	Seed uint64
	// Scenario is the world in the form in which it is played and written to a file.
	Scenario *scenario.Scenario
	// Synchronised says that every mirror is synchronised at the end, after all
	// repairs: then none may lack any data.
	Synchronised bool
	// Has counts the parts of the world.
	Has Counts
	// Classes lists the classes of the I/Os, in the order of their numbers.
	Classes []string

	device         device
	layout         access.Layout
	pairs, mirrors int
	tracks         int
	turbulent      bool
	unordered      bool
	events         []event
}

// event is an action on its way into the scenario.
type event struct {
	at     time.Duration
	action scenario.Action
	class  string // class of its I/Os
	writes []home // tracks to which they write
	resume int    // index of the event of the program that it resumes, or -1
	first  int    // number of its first I/O
}

// home is a track, or a group of blocks, of a pair.
type home struct{ pair, track int }

// The classes of requests to the block access method.
const (
	blockRead  = "block read"
	blockWrite = "block write"
)

// New makes the world of a seed. The limits must pass Check.
func New(seed uint64, l Limits) *World {
	d := newDraw(seed)
	w := &World{unordered: l.Unordered, Seed: seed, Scenario: &scenario.Scenario{Name: fmt.Sprintf("world-%d", seed)}, Has: make(Counts)}
	w.machine(d, &l)
	w.turbulent = d.chance(3, 4)
	p := pick(d, policies)
	w.count("policy", p.name)
	w.Scenario.Policy, w.Scenario.Settings = p.name, d.settings(&p)
	w.addRequests(d, &l)
	w.addSwaps(d, &l)
	w.addSynchronisations(d, &l)
	weather := "calm"
	if w.turbulent {
		weather = "turbulent"
		w.addTroubles(d, &l)
	}
	w.count("weather", weather)
	w.addEnd(d)
	w.Scenario.Summary = fmt.Sprintf("%s: %d pairs of %s with %d mirrors each, %d tracks in use", weather, w.pairs, w.device.model, w.mirrors, w.tracks)
	w.Scenario.Expect = scenario.Expect{AnyState: true, AnyCode: w.turbulent}
	w.settle()
	return w
}

func (w *World) count(group, name string) { w.Has.Add(group, name, 1) }

// add adds an action at a time, and returns the index of its event.
func (w *World) add(at time.Duration, a scenario.Action) int {
	a.At = scenario.Duration(at)
	w.events = append(w.events, event{at: at, action: a, resume: -1})
	return len(w.events) - 1
}

// addRequests draws requests to the block access method and channel programs.
func (w *World) addRequests(d *draw, l *Limits) {
	c := &chains{d: d, p: w.device, tracks: w.tracks, fixedFirst: int(w.layout.Locate(0).Block)}
	classes := ckdClasses
	if w.device.fixed {
		classes = fixedClasses
	}
	for range d.between((l.Requests+1)/2, l.Requests) {
		at := d.within(l.Span)
		if d.chance(1, 2) {
			w.addBlocks(d, at)
			continue
		}
		k := pick(d, classes)
		if k.turbulent && !w.turbulent {
			continue
		}
		place := 0
		if k.on == onMirror {
			place = d.between(1, w.mirrors)
		}
		w.count("chain", k.name)
		pair := d.between(1, w.pairs)
		i := w.add(at, scenario.Action{Program: &scenario.Program{On: where(pair, place), CCWs: k.make(c)}})
		w.events[i].class = k.name
		for _, t := range c.take() {
			if h := (home{pair, t}); !slices.Contains(w.events[i].writes, h) {
				w.events[i].writes = append(w.events[i].writes, h)
			}
		}
		if k.suspends {
			r := w.add(at+time.Millisecond+d.within(l.Span), scenario.Action{})
			w.events[r].resume = i
		}
	}
}

// addBlocks draws requests to the block access method, one or several in a row, which
// meet others on the same tracks.
func (w *World) addBlocks(d *draw, at time.Duration) {
	units := int64(w.tracks * w.pairs * max(w.device.records, trackBlocks/blocksARecord) * blocksARecord)
	const most = 64 // largest number of blocks of 512 bytes
	b := &scenario.Block{Length: int64(d.between(1, most)) * 512, Offset: d.Int64N(units-most) * 512}
	if d.chance(2, 3) { // whole records
		b.Offset -= b.Offset % requestBytes
		b.Length = requestBytes * int64(d.between(1, 4))
	}
	if d.chance(1, 2) {
		b.Times, b.Every, b.Step = d.between(2, 5), scenario.Duration(d.within(500*time.Microsecond)), 512*d.Int64N(16)
	}
	a, class := scenario.Action{Write: b}, blockWrite
	if d.chance(1, 3) {
		a, class = scenario.Action{Read: b}, blockRead
	}
	w.Has.Add("request", class, max(1, b.Times))
	i := w.add(at, a)
	w.events[i].class = class
	if class == blockWrite {
		w.events[i].writes = w.homes(b)
	}
}

// homes returns the tracks that requests use.
func (w *World) homes(b *scenario.Block) (all []home) {
	const stripe = stripeKiB << 10 / requestBytes
	for k := range int64(max(1, b.Times)) {
		from := b.Offset + k*b.Step
		for n := from / requestBytes; n <= (from+b.Length-1)/requestBytes; n++ {
			pair, at := 0, int(n)
			if w.pairs > 1 {
				s := int(n) / stripe
				pair, at = s%w.pairs, s/w.pairs*stripe+int(n)%stripe
			}
			h := home{pair + 1, w.track(at)}
			if !slices.Contains(all, h) {
				all = append(all, h)
			}
		}
	}
	return all
}

// addSwaps draws changes of the policy.
func (w *World) addSwaps(d *draw, l *Limits) {
	if !d.chance(1, 2) {
		return
	}
	for range d.between(0, l.Swaps) {
		p := pick(d, policies)
		w.count("policy", p.name)
		w.count("action", "swap")
		s := d.settings(&p)
		w.add(d.within(l.Span), scenario.Action{Policy: p.name, Settings: &s})
	}
}

// settle puts the events into the order of their times and numbers the I/Os.
func (w *World) settle() {
	order := make([]int, len(w.events))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(w.events[a].at - w.events[b].at) })
	writers := make(map[home]*writers)
	for _, i := range order {
		e := &w.events[i]
		if e.resume >= 0 {
			e.action.Resume = w.events[e.resume].first
		}
		if e.class != "" {
			e.first = len(w.Classes) + 1
			for range ios(&e.action) {
				w.Classes = append(w.Classes, e.class)
			}
			if !w.unordered {
				e.order(writers, len(w.Classes))
			}
		}
		w.Scenario.Play = append(w.Scenario.Play, e.action)
	}
	w.events = nil
}

// writers holds the numbers of I/Os that write to a track and that the next one must
// wait for: a channel program, and the later requests to the block access method.
type writers struct{ program, blocks []int }

// order makes the event wait for earlier writes to its tracks. Its I/Os are numbered
// up to last.
func (e *event) order(tracks map[home]*writers, last int) {
	for _, h := range e.writes {
		t := tracks[h]
		if t == nil {
			t = &writers{}
			tracks[h] = t
		}
		after := t.program
		if e.action.Program != nil {
			after = append(slices.Clone(t.program), t.blocks...)
			t.program, t.blocks = []int{e.first}, nil
		} else {
			for n := e.first; n <= last; n++ {
				t.blocks = append(t.blocks, n)
			}
		}
		e.action.After = append(e.action.After, after...)
	}
	slices.Sort(e.action.After)
	e.action.After = slices.Compact(e.action.After)
}

// Text returns the world as the text of a scenario's file.
func (w *World) Text() ([]byte, error) { return w.Scenario.Text() }
