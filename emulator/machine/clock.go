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

// Kind classifies an event. Each package of the emulator owns a range of kinds, so
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
	// Event is called when the clock has reached the event's time. arg is the
	// argument that the actor passed to At.
	Event(kind Kind, arg uint64)
}

// event is an event that an actor has asked for.
type event struct {
	actor Actor
	arg   uint64
	kind  Kind
}

// key orders the events. The heap moves only keys about, not whole events: four
// children share a line of the processor's cache.
type key struct {
	at Time
	// order is the number of the event, counted from 1 in the order in which the
	// events were asked for, and in the low slotBits bits the slot that holds the
	// rest of the event.
	order uint64
}

const (
	slotBits = 24
	// MaxPending is the largest number of events that can be pending.
	MaxPending = 1 << slotBits
)

func (k key) before(o key) bool {
	return k.at < o.at || k.at == o.at && k.order < o.order
}

// Clock is the virtual clock and the heap of events to come. Events at the
// same time happen in the order in which they were asked for.
type Clock struct {
	now    Time
	seq    uint64
	done   uint64
	hash   uint64
	heap   []key   // four-ary: children of i are 4i+1 .. 4i+4
	events []event // indexed by slot
	free   []uint32
	logger func(at Time, kind Kind, arg uint64)
}

// Now returns the current virtual time.
func (c *Clock) Now() Time { return c.now }

// Events returns the number of events that have happened.
func (c *Clock) Events() uint64 { return c.done }

// Pending returns the number of events that are still to come.
func (c *Clock) Pending() int { return len(c.heap) }

// Hash returns the event-log hash: it covers the time, kind and argument of every
// event that has happened, in order. Two runs with the same inputs have the same
// hash; it is not meant to resist an attacker.
func (c *Clock) Hash() uint64 { return c.hash }

// Mix folds x into the event-log hash, for outcomes that are not events.
func (c *Clock) Mix(x uint64) { c.hash = mix(c.hash ^ x) }

// Observe has f called before every event; a nil f ends that.
func (c *Clock) Observe(f func(at Time, kind Kind, arg uint64)) { c.logger = f }

// At asks for an event at time t, or now if t has passed. An event at Never is not
// kept. Asking for more than MaxPending events is an error of the emulator and
// panics.
func (c *Clock) At(t Time, actor Actor, kind Kind, arg uint64) {
	if t == Never {
		return
	}
	if t < c.now {
		t = c.now
	}
	slot := c.slot()
	e := &c.events[slot]
	e.actor, e.arg, e.kind = actor, arg, kind
	c.seq++
	c.heap = append(c.heap, key{})
	h := c.heap
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 4
		if t >= h[p].at { // later events have the greater number
			break
		}
		h[i] = h[p]
		i = p
	}
	h[i] = key{t, c.seq<<slotBits | uint64(slot)}
}

// slot returns a free slot.
func (c *Clock) slot() uint32 {
	if n := len(c.free); n != 0 {
		s := c.free[n-1]
		c.free = c.free[:n-1]
		return s
	}
	n := len(c.events)
	if n == MaxPending {
		panic(fmt.Sprintf("clock: %d events are to come, the limit", n))
	}
	c.events = append(c.events, event{})
	return uint32(n)
}

// Step lets the next event happen. It reports false when no event is left.
func (c *Clock) Step() bool {
	n := len(c.heap)
	if n == 0 {
		return false
	}
	k := c.heap[0]
	c.removeFirst()
	slot := uint32(k.order % MaxPending)
	e := &c.events[slot]
	actor, kind, arg := e.actor, e.kind, e.arg
	e.actor = nil
	c.free = append(c.free, slot)
	c.now = k.at
	c.done++
	c.hash = mix(c.hash ^ uint64(k.at) ^ uint64(kind)<<56 ^ arg*0x9E3779B97F4A7C15)
	if c.logger != nil {
		c.logger(k.at, kind, arg)
	}
	actor.Event(kind, arg)
	return true
}

// Next returns the time of the next event, or Never.
func (c *Clock) Next() Time {
	if len(c.heap) == 0 {
		return Never
	}
	return c.heap[0].at
}

// RunUntil lets every event up to and including time t happen.
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
			if h[j].before(h[least]) {
				least = j
			}
		}
		if !h[least].before(e) {
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

// unmix is the inverse of mix: each of its three steps can be taken back.
func unmix(x uint64) uint64 {
	x = (x ^ x>>31 ^ x>>62) * 0x319642B2D24D8EC3 // by the inverse of the multiplier, modulo 1<<64
	x = (x ^ x>>27 ^ x>>54) * 0x96DE1B173F119089
	x = x ^ x>>30 ^ x>>60
	return x - 0x9E3779B97F4A7C15
}

var _ fmt.Stringer = Time(0)
