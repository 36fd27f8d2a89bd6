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

	made, lastMade *SRB // what the unit of work has scheduled
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

// Event ends the processor's unit of work: what the unit has scheduled is ready
// now, and processors that are free take what has waited.
func (p *Processor) Event(Kind, uint64) {
	p.busy = false
	d := &p.m.Dispatcher
	for s := p.made; s != nil; {
		next := s.next
		d.enqueue(s)
		s = next
	}
	p.made, p.lastMade = nil, nil
	d.dispatch()
}

func (p *Processor) run(s *SRB) {
	clock := &p.m.Clock
	p.busy = true
	p.units++
	p.now = clock.now
	p.Mode = Enabled
	s.queued = false
	p.m.Dispatcher.running = p
	s.Entry.Enter(p, s)
	p.m.Dispatcher.running = nil
	p.busyFor += p.now - clock.now
	clock.At(p.now, p, kindProcessorFree, uint64(p.ID))
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
func (s *SRB) Event(Kind, uint64) {
	d := &s.m.Dispatcher
	d.enqueue(s)
	d.dispatch()
}

type srbQueue struct{ head, tail *SRB }

// Dispatcher gives units of work to processors, by priority and within a
// priority in the order of arrival.
type Dispatcher struct {
	m       *Machine
	running *Processor // that is in a unit of work at this moment
	queues  [priorities]srbQueue
	length  int
	peak    int
}

// Length is how many SRBs wait for a processor.
func (d *Dispatcher) Length() int { return d.length }

// Idle reports whether no unit of work waits and no processor is busy with one.
func (d *Dispatcher) Idle() bool {
	for i := range d.m.Processors {
		if d.m.Processors[i].busy {
			return false
		}
	}
	return d.length == 0
}

// Peak is the greatest length that the queue has had.
func (d *Dispatcher) Peak() int { return d.peak }

// Schedule makes s ready at time at: it runs then, or as soon after as a
// processor is free. What a unit of work schedules for its own present is ready
// when the unit ends. It reports false, and does nothing, when s is scheduled
// already.
func (d *Dispatcher) Schedule(at Time, s *SRB) bool {
	if s.queued {
		return false
	}
	s.queued = true
	s.m = d.m
	s.next = nil
	p := d.running
	if p == nil || at > p.now {
		d.m.Clock.At(at, s, kindSRBReady, s.Parm)
		return true
	}
	if p.lastMade == nil {
		p.made = s
	} else {
		p.lastMade.next = s
	}
	p.lastMade = s
	return true
}

func (d *Dispatcher) enqueue(s *SRB) {
	s.next = nil
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

// dispatch gives what waits to processors that are free.
func (d *Dispatcher) dispatch() {
	for i := range d.m.Processors {
		p := &d.m.Processors[i]
		if p.busy {
			continue
		}
		s := d.next()
		if s == nil {
			return
		}
		p.run(s)
	}
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
