package mirror

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

const who = "mirror process"

// The mirror process's event kinds.
const kindMonitor = machine.KindMirror

// Defaults of the monitor (M2).
const (
	// Patience is how long the monitor lets a completed primary I/O wait for its
	// mirrors. It is above the usual response of a far mirror by three orders of
	// magnitude and below the missing-interrupt time.
	Patience = 5 * machine.Second
	// monitorInterval is how often the monitor looks.
	monitorInterval = 500 * machine.Millisecond
)

// Process is the mirror process of a machine.
type Process struct {
	// Patience is how long a request may be held.
	Patience machine.Time

	m        *machine.Machine
	x        *intercept.Process
	watching bool
	free     []*stream       // buffers of ended synchronisations
	copies   []*Sync         // of changed tracks, that are not in use
	active   []*Sync         // that copy tracks
	labels   []*labelIO      // that are not in use
	reading  []*labelReading // of labels for requests
	buffers  machine.Address // of main storage in use for both
	// classic are the units whose control unit has refused define extent.
	classic map[*ios.UCB]bool
}

// New makes the mirror process of x and has it told of what it must know.
func New(m *machine.Machine, x *intercept.Process) *Process {
	p := &Process{Patience: Patience, m: m, x: x, classic: make(map[*ios.UCB]bool)}
	x.Mirror = p
	return p
}

// Ended schedules post-status processing for a held primary I/O again when a
// mirror I/O of it has ended. (M1.)
func (p *Process) Ended(cpu *machine.Processor, r *intercept.Request) {
	if !r.PrimaryComplete() || !r.Held() && !r.Failed() {
		return
	}
	if s := p.m.Steps; s != nil {
		s.Step(cpu.Now(), machine.StepM+1, who, r.ID())
	}
	r.Reschedule(cpu)
}

// Watch has the monitor look after what waits for a mirror. (M2.)
func (p *Process) Watch(cpu *machine.Processor) {
	if p.watching {
		return
	}
	p.watching = true
	p.m.Clock.At(cpu.Now()+monitorInterval, p, kindMonitor, 0)
}

// Event lets the monitor look at the requests that have been held for the
// longest, and at the mirror I/Os that have been under way for the longest for
// requests whose application has been told.
func (p *Process) Event(machine.Kind, uint64) {
	now := p.m.Clock.Now()
	p.watching = false
	for r := p.x.LongestHeld(); r != nil; r = r.HeldNext() {
		if r.HeldSince()+p.Patience > now {
			break
		}
		if s := p.m.Steps; s != nil {
			s.Step(now, machine.StepM+2, "monitor", r.ID())
		}
		r.TimeOut(now)
	}
	waiting := p.x.LongestHeld() != nil
	for _, pair := range p.x.Pairs() {
		for _, m := range pair.Mirrors() {
			r, since := m.Oldest()
			if r == nil {
				continue
			}
			waiting = true
			if r.Ended() && since+p.Patience <= now {
				if s := p.m.Steps; s != nil {
					s.Step(now, machine.StepM+2, "monitor", r.ID())
				}
				r.TimeOut(now)
			}
		}
	}
	if waiting {
		p.watching = true
		p.m.Clock.At(now+monitorInterval, p, kindMonitor, 0)
	}
}

// mapBytes maps a frame of main storage for the mirror process.
func (p *Process) mapBytes() (*machine.Segment, error) {
	at := bufferBase + p.buffers
	if at+machine.FrameSize > bufferLimit {
		return nil, fmt.Errorf("buffers of the mirror process: the limit of %d bytes of main storage is in use", int(bufferLimit-bufferBase))
	}
	g, err := p.m.Storage.MapBytes(at, machine.FrameSize)
	if err == nil {
		p.buffers += machine.FrameSize
	}
	return g, err
}
