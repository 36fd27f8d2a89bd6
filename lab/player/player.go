package player

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/rig"
	"github.com/iosrun/iosrun/trace"
)

// The lab's event kinds.
const (
	kindArrival = machine.KindLab + iota
	kindSwap
	kindFault
)

// Options holds the optional parameters of a player besides the rig and the
// description.
type Options struct {
	Hooks
	// Completed is called at the end of each request, with its number from 0, whether
	// it wrote, its completion code and the time that it took.
	Completed func(number int64, write bool, code uint8, took machine.Time)
	// Identified is called before the start of each I/O of a request, with the number
	// of the request from 0 and the identity of the I/O. A large request has several
	// I/Os.
	Identified func(number int64, io uint64)
}

// Player is the application on a rig. It belongs to the rig's goroutine.
type Player struct {
	*Loop
	// Block is the access method that carries out the requests.
	Block *access.Block
	// Layout describes the place of the access method's blocks on each volume.
	Layout access.Layout
	Copies *Copies

	rig       *rig.Rig
	traffic   *description.Traffic
	arrivals  arrivals
	events    timeline
	tally     Tally
	underway  requests
	completed func(number int64, write bool, code uint8, took machine.Time)
}

// arrivals holds the source of requests that have not arrived yet.
type arrivals struct {
	source trace.Source // nil before it is opened
	trace  *trace.Trace // nil for a generator
	next   trace.Request
	more   bool         // next holds a request that has not arrived yet
	begin  machine.Time // begin of the workload on the machine's clock
}

// New makes a player of an experiment's workload, and makes the volumes ready for
// it. swaps are the changes of the policy meanwhile. The caller must close the
// player before the rig.
func New(r *rig.Rig, x *description.Experiment, swaps []Swap, o Options) (*Player, error) {
	p := &Player{rig: r, traffic: &x.Traffic, completed: o.Completed}
	p.Copies = NewCopies(r)
	p.Loop = NewLoop(r.Machine, o.Hooks, p.far)
	p.events = timeline{faults: x.Faults, swaps: swaps, synchronise: x.Synchronise}
	if err := description.TakesBlocks(r.Geometry); err != nil {
		return nil, err
	}
	if err := p.format(&x.Extent); err != nil {
		return nil, err
	}
	var err error
	if p.Layout, err = x.Extent.Layout(r.Geometry); err != nil {
		return nil, err
	}
	var volumes []access.Volume
	for i := range r.Pairs {
		volumes = append(volumes, access.Volume{Unit: r.Pairs[i].At(0).Unit, Layout: p.Layout})
	}
	if p.Block, err = access.NewBlock(r.Supervisor, volumes, x.Extent.StripeBlocks, p); err != nil {
		return nil, err
	}
	if told := o.Identified; told != nil {
		p.Block.Identified = func(token, io uint64) { told(int64(token), io) }
	}
	return p, nil
}

// format formats the extent that is reserved for the workload, for the block access
// method. Volumes in memory are formatted as a whole.
func (p *Player) format(e *description.Extent) error {
	if e.Cylinders == 0 || p.rig.Description.Primary.Image == nil {
		return nil
	}
	g := p.rig.Geometry
	if _, err := e.Layout(g); err != nil {
		return err
	}
	v := p.rig.Pairs[0].At(0)
	for n := e.FirstCylinder * g.Heads; n < (e.FirstCylinder+e.Cylinders)*g.Heads; n++ {
		t, err := v.CKD.Update(n)
		if err != nil {
			return err
		}
		if err := t.Format(g, p.rig.RecordsATrack(), access.BlockSize); err != nil {
			return err
		}
	}
	return nil
}

// Open opens the workload, so that Play can play it.
func (p *Player) Open() (err error) {
	p.arrivals.source, p.arrivals.trace, err = p.traffic.Open(p.Block.Bytes())
	return err
}

// Close closes the workload.
func (p *Player) Close() error {
	if p.arrivals.source == nil {
		return nil
	}
	return p.arrivals.source.Close()
}

// Play plays the workload, from now on, until no event is left.
func (p *Player) Play(ctx context.Context) error {
	p.arrivals.begin = p.clock.Now()
	if err := p.advance(); err != nil {
		return err
	}
	for i, s := range p.events.swaps {
		p.clock.At(p.later(s.At), p, kindSwap, uint64(i))
	}
	for i, f := range p.events.faults {
		p.clock.At(p.later(f.At), p, kindFault, uint64(i))
	}
	return p.Drain(ctx)
}

// Drain lets events happen until none are left. It also ends the standing chains of
// the volumes.
func (p *Player) Drain(ctx context.Context) error {
	p.rig.StartStanding()
	if err := p.Run(ctx); err != nil {
		return err
	}
	p.rig.StopStanding()
	return p.Run(ctx)
}

// PlayTrace plays a trace from now on, at its own times, together with other I/O.
// Only one trace is played at a time.
func (p *Player) PlayTrace(t *trace.Trace) error {
	a := &p.arrivals
	if a.more {
		return errors.New("a trace is being played already")
	}
	if err := p.Close(); err != nil {
		return err
	}
	a.source, a.trace, a.begin = t, t, p.clock.Now()
	return p.advance()
}

// Submit makes a request now, and returns its number.
func (p *Player) Submit(write bool, offset, length int64) (int64, error) {
	number := p.begun(write, length, p.clock.Now())
	return number, p.Block.Submit(uint64(number), write, offset, length)
}

// later converts a time of the workload to the machine's clock, on which the
// workload may have begun later than 0.
func (p *Player) later(t machine.Time) machine.Time { return p.arrivals.begin + t }

// advance reads the next request of the workload and schedules its arrival.
func (p *Player) advance() error {
	a := &p.arrivals
	for {
		err := a.source.Next(&a.next)
		if errors.Is(err, io.EOF) {
			a.more = false
			return nil
		}
		if err != nil {
			return err
		}
		switch a.next.Op {
		case trace.Flush:
			p.tally.Flushes++
			continue
		case trace.Trim:
			p.tally.Trims++
			continue
		}
		a.more = true
		a.next.At = p.later(a.next.At)
		p.clock.At(a.next.At, p, kindArrival, uint64(p.tally.Issued))
		return nil
	}
}

// Event handles an arrival, a swap or a fault. A swap or fault does not happen when
// the run has ended before it.
func (p *Player) Event(kind machine.Kind, arg uint64) {
	if p.err != nil {
		return
	}
	var err error
	switch kind {
	case kindArrival:
		err = p.arrive()
	case kindSwap:
		if s := &p.events.swaps[arg]; !p.tooLate("swap", s.Text) {
			err = p.Swap(context.Background(), s.At, s.Prepared)
		}
	case kindFault:
		if f := &p.events.faults[arg]; !p.tooLate("fault", f.Text) {
			err = p.Happen(*f)
		}
	}
	if err != nil {
		p.Fail(err)
	}
}

// arrive makes the request whose time has come, and asks for the next one.
func (p *Player) arrive() error {
	q := &p.arrivals.next
	write := q.Op == trace.Write
	token := uint64(p.begun(write, q.Length, q.At))
	if err := p.Block.Submit(token, write, q.Offset, q.Length); err != nil {
		return fmt.Errorf("workload request %d: %w", token+1, err)
	}
	return p.advance()
}

// begun counts a request that arrives at the given time, and returns its number.
func (p *Player) begun(write bool, length int64, at machine.Time) int64 {
	number := p.tally.Issued
	p.underway.put(inflight{number: number, at: at, write: write, bytes: length})
	p.tally.begun(write, length, at)
	return number
}

// Complete is called by the access method at the end of a request.
func (p *Player) Complete(token uint64, code uint8, now machine.Time) {
	f, ok := p.underway.take(int64(token))
	if !ok {
		p.tally.Duplicates++
		return
	}
	p.tally.ended(&f, code, now)
	if p.completed != nil {
		p.completed(f.number, f.write, code, now-f.at)
	}
}

// Tally returns the counts so far.
func (p *Player) Tally() *Tally { return &p.tally }

// Trace returns the trace that is or was played, or nil when there is none.
func (p *Player) Trace() *trace.Trace { return p.arrivals.trace }

// Begin returns the time on the machine's clock at which the workload began.
func (p *Player) Begin() machine.Time { return p.arrivals.begin }

// Until returns the virtual time at which the run has ended. Events that came too
// late are not part of it.
func (p *Player) Until() machine.Time {
	if len(p.events.late) != 0 {
		return p.tally.LastEnd
	}
	return p.clock.Now()
}

// far returns the share of the workload that has been read, and a text about the
// mirrors that are being synchronised.
func (p *Player) far() (share float64, copying string) { return p.share(), p.Copies.Now() }

func (p *Player) share() float64 {
	t, issued := p.traffic, p.tally.Issued
	switch {
	case issued == 0 && p.Copies.Any():
		return p.Copies.Share()
	case t.Limit != 0:
		return float64(issued) / float64(t.Limit)
	case p.arrivals.trace != nil:
		if done, total := p.arrivals.trace.Progress(); total > 0 {
			return float64(done) / float64(total)
		}
	case t.Generator != nil && t.Generator.Count > 0:
		return float64(issued) / float64(t.Generator.Count)
	}
	return 0
}
