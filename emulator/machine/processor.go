package machine

// Mode says whether a processor takes interruptions.
type Mode uint8

// The modes. A processor that runs disabled takes no interruption; enabled is the
// usual mode.
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

// Processor executes one unit of work at a time. A unit of work happens at once in
// the order of events, while its cost runs on the processor's own clock: Now is
// the machine's time plus the cost of the unit so far. Everything that the unit
// causes happens at that time.
type Processor struct {
	ID   int
	Mode Mode

	now     Time
	busy    bool
	busyFor Time // accumulated over the run
	units   uint64
	m       *Machine

	made, lastMade *SRB // list of the SRBs that the unit of work has scheduled
}

// Now returns the processor's time: the start of its unit of work plus the cost so
// far.
func (p *Processor) Now() Time { return p.now }

// Charge adds the cost of executing something.
func (p *Processor) Charge(cost Time) { p.now += cost }

// BusyTime returns the time for which the processor has worked in the run.
func (p *Processor) BusyTime() Time { return p.busyFor }

// Units returns the number of units of work that the processor has run.
func (p *Processor) Units() uint64 { return p.units }

// Event ends the processor's unit of work: the SRBs that the unit has scheduled
// become ready, and free processors take the SRBs that have waited.
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

// Entry is the code that an SRB runs.
type Entry interface {
	// Enter runs the unit of work on p, enabled. s is no longer queued and may
	// be scheduled again.
	Enter(p *Processor, s *SRB)
}

// SRB is a service request block: a unit of work for the dispatcher. It is
// embedded in the structure that it serves, so that scheduling allocates nothing.
// One SRB is on the queue at most once.
type SRB struct {
	// Entry is the entry point (SRBEP).
	Entry Entry
	// Priority orders the queue.
	Priority Priority
	// Parm is the SRB's parameter; only the entry point gives it a meaning. It enters
	// the event-log hash.
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

// Dispatcher gives units of work to processors: first by priority, then in the
// order of arrival.
type Dispatcher struct {
	m       *Machine
	running *Processor // processor that is executing a unit of work at this moment
	queues  [priorities]srbQueue
	length  int
	peak    int
}

// Length returns the number of SRBs that wait for a processor.
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

// Peak returns the greatest length that the queue has had.
func (d *Dispatcher) Peak() int { return d.peak }

// Schedule makes s ready at time at: it runs then, or as soon after as a processor
// is free. An SRB that a unit of work schedules for its own present becomes ready
// when the unit ends. Schedule reports false, and does nothing, when s is
// scheduled already.
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

// dispatch gives waiting SRBs to free processors.
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
