package machine

// Mode is a processor's mode of interruption.
type Mode uint8

// A processor that runs disabled takes no interruption; enabled is the usual.
const (
	Enabled Mode = iota
	Disabled
)

func (m Mode) String() string {
	if m == Disabled {
		return "disabled"
	}
	return "enabled"
}

// Processor executes one unit of work at a time. A unit of work happens at
// once in the order of events, while its cost runs on the processor's own
// clock: Now is the machine's time plus what the unit has cost so far, and
// whatever the unit causes is caused at that time.
type Processor struct {
	ID   int
	Mode Mode

	now     Time
	busy    bool
	busyFor Time // accumulated over the run
	units   uint64
	m       *Machine
}

// Now is the processor's time: the start of its unit of work plus the cost so
// far.
func (p *Processor) Now() Time { return p.now }

// Charge adds the cost of executing something.
func (p *Processor) Charge(cost Time) { p.now += cost }

// BusyTime is how long the processor has worked.
func (p *Processor) BusyTime() Time { return p.busyFor }

// Units is how many units of work the processor has run.
func (p *Processor) Units() uint64 { return p.units }

// Event ends the processor's unit of work: it takes the next one or idles.
func (p *Processor) Event(Kind, uint64) {
	p.busy = false
	if s := p.m.Dispatcher.next(); s != nil {
		p.run(s)
	}
}

func (p *Processor) run(s *SRB) {
	p.busy = true
	p.units++
	p.now = p.m.Clock.now
	p.Mode = Enabled
	s.queued = false
	s.Entry.Enter(p, s)
	if p.now == p.m.Clock.now { // it cost nothing
		p.Event(kindProcessorFree, uint64(p.ID))
		return
	}
	p.busyFor += p.now - p.m.Clock.now
	p.m.Clock.At(p.now, p, kindProcessorFree, uint64(p.ID))
}

// Priority orders the dispatcher's queue; a lower value goes first.
type Priority uint8

// The priorities. An I/O interruption goes before every unit of work that has
// not begun; a unit that has begun runs to its end.
const (
	PriorityInterrupt Priority = iota
	PriorityHigh
	PriorityNormal
	PriorityTask
	priorities
)

// Entry is what an SRB's entry point leads to.
type Entry interface {
	// Enter runs the unit of work on p, enabled. s is no longer queued and may
	// be scheduled again.
	Enter(p *Processor, s *SRB)
}

// SRB is a service request block: a unit of work for the dispatcher. It is
// embedded in what it serves, so that scheduling allocates nothing. One SRB is
// on the queue at most once.
type SRB struct {
	// Entry is the entry point (SRBEP).
	Entry Entry
	// Priority orders the queue.
	Priority Priority
	// Parm is the SRB's parameter; its meaning is the entry point's affair. It
	// enters the event-log hash.
	Parm uint64

	next   *SRB
	queued bool
	m      *Machine
}

// Queued reports whether the SRB is scheduled and has not begun to run.
func (s *SRB) Queued() bool { return s.queued }

// Event makes the SRB ready: an idle processor runs it or it queues.
func (s *SRB) Event(Kind, uint64) { s.m.Dispatcher.ready(s) }

type srbQueue struct{ head, tail *SRB }

// Dispatcher gives units of work to processors, by priority and within a
// priority in the order of arrival.
type Dispatcher struct {
	m      *Machine
	queues [priorities]srbQueue
	length int
	peak   int
}

// Length is how many SRBs wait for a processor.
func (d *Dispatcher) Length() int { return d.length }

// Peak is the greatest length that the queue has had.
func (d *Dispatcher) Peak() int { return d.peak }

// Schedule makes s ready at time at: it runs then, or as soon after as a
// processor is free. It reports false, and does nothing, when s is scheduled
// already.
func (d *Dispatcher) Schedule(at Time, s *SRB) bool {
	if s.queued {
		return false
	}
	s.queued = true
	s.m = d.m
	s.next = nil
	d.m.Clock.At(at, s, kindSRBReady, s.Parm)
	return true
}

func (d *Dispatcher) ready(s *SRB) {
	for i := range d.m.Processors {
		if p := &d.m.Processors[i]; !p.busy {
			p.run(s)
			return
		}
	}
	q := &d.queues[s.Priority]
	if q.tail == nil {
		q.head = s
	} else {
		q.tail.next = s
	}
	q.tail = s
	d.length++
	d.peak = max(d.peak, d.length)
}

func (d *Dispatcher) next() *SRB {
	if d.length == 0 {
		return nil
	}
	for i := range d.queues {
		q := &d.queues[i]
		if s := q.head; s != nil {
			q.head = s.next
			if q.head == nil {
				q.tail = nil
			}
			s.next = nil
			d.length--
			return s
		}
	}
	return nil
}
