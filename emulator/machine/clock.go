package machine

import (
	"fmt"
	"time"
)

// Time is a point of virtual time: nanoseconds since the machine was started.
type Time int64

// Never is later than every point of virtual time that a run can reach.
// A link that has failed delivers its messages at Never.
const Never Time = 1<<63 - 1

// Microsecond, Millisecond and Second are the customary units, as Time.
const (
	Microsecond Time = 1000
	Millisecond      = 1000 * Microsecond
	Second           = 1000 * Millisecond
)

// Duration gives t as a time.Duration for printing.
func (t Time) Duration() time.Duration { return time.Duration(t) }

func (t Time) String() string {
	if t == Never {
		return "never"
	}
	return time.Duration(t).String()
}

// Kind says what an event is. Each package of the emulator owns a range, so
// that a kind names its meaning in an event log; see the constants below.
type Kind uint8

// The ranges of event kinds. A package numbers its kinds from its base.
const (
	KindMachine   Kind = 0
	KindChannel   Kind = 32
	KindDASD      Kind = 64
	KindIOS       Kind = 96
	KindIntercept Kind = 128
	KindMirror    Kind = 160
	KindAccess    Kind = 192
	KindLab       Kind = 224
)

// An Actor receives the events that it asked for with Machine.At.
type Actor interface {
	// Event is called when the clock has reached the event's time. arg is
	// what the actor passed to At.
	Event(kind Kind, arg uint64)
}

type event struct {
	at    Time
	seq   uint64
	actor Actor
	arg   uint64
	kind  Kind
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.seq < o.seq
}

// Clock is the virtual clock and the heap of events to come. Events at the
// same time happen in the order in which they were asked for.
type Clock struct {
	now    Time
	seq    uint64
	done   uint64
	hash   uint64
	heap   []event // four-ary: children of i are 4i+1 .. 4i+4
	logger func(at Time, kind Kind, arg uint64)
}

// Now is the current virtual time.
func (c *Clock) Now() Time { return c.now }

// Events is how many events have happened.
func (c *Clock) Events() uint64 { return c.done }

// Pending is how many events are still to come.
func (c *Clock) Pending() int { return len(c.heap) }

// Hash is the event-log hash: it covers the time, kind and argument of every
// event that has happened, in order. Two runs with the same inputs have the
// same hash; it is not meant to resist an attacker.
func (c *Clock) Hash() uint64 { return c.hash }

// Mix folds x into the event-log hash, for outcomes that are not events.
func (c *Clock) Mix(x uint64) { c.hash = mix(c.hash ^ x) }

// Observe has f called before every event; nil ends it.
func (c *Clock) Observe(f func(at Time, kind Kind, arg uint64)) { c.logger = f }

// At asks for an event at time t, or now where t has passed. An event at Never
// is not kept.
func (c *Clock) At(t Time, actor Actor, kind Kind, arg uint64) {
	if t == Never {
		return
	}
	if t < c.now {
		t = c.now
	}
	c.seq++
	c.heap = append(c.heap, event{at: t, seq: c.seq, actor: actor, arg: arg, kind: kind})
	h := c.heap
	i := len(h) - 1
	if i == 0 || t >= h[(i-1)/4].at { // later events have the greater seq
		return
	}
	e := h[i]
	for i > 0 {
		p := (i - 1) / 4
		if t >= h[p].at {
			break
		}
		h[i] = h[p]
		i = p
	}
	h[i] = e
}

// Step lets the next event happen. It reports false when there is none.
func (c *Clock) Step() bool {
	n := len(c.heap)
	if n == 0 {
		return false
	}
	e := c.heap[0]
	c.removeFirst()
	c.now = e.at
	c.done++
	c.hash = mix(c.hash ^ uint64(e.at) ^ uint64(e.kind)<<56 ^ e.arg*0x9E3779B97F4A7C15)
	if c.logger != nil {
		c.logger(e.at, e.kind, e.arg)
	}
	e.actor.Event(e.kind, e.arg)
	return true
}

// Next is the time of the next event, or Never.
func (c *Clock) Next() Time {
	if len(c.heap) == 0 {
		return Never
	}
	return c.heap[0].at
}

// RunUntil lets every event up to and including t happen.
func (c *Clock) RunUntil(t Time) {
	for len(c.heap) > 0 && c.heap[0].at <= t {
		c.Step()
	}
	if t != Never && c.now < t {
		c.now = t
	}
}

func (c *Clock) removeFirst() {
	h := c.heap
	n := len(h) - 1
	e := h[n]
	h[n] = event{}
	h = h[:n]
	c.heap = h
	if n == 0 {
		return
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for j := first + 1; j < min(first+4, n); j++ {
			if h[j].before(&h[least]) {
				least = j
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}

// mix is the finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

var _ fmt.Stringer = Time(0)
