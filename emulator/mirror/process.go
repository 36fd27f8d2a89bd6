package mirror

import (
	"fmt"

	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

const who = "mirror process"

// The mirror process's event kinds: the monitor looks, as it does from time to
// time, or because somebody's time is over before it would look again.
const (
	kindMonitor = machine.KindMirror
	kindAlarm   = machine.KindMirror + 3
)

// Defaults of the monitor (M2).
const (
	// Patience is the longest time for which the monitor lets a completed primary I/O wait for its
	// mirrors. It is above the usual response of a far mirror by three orders of
	// magnitude and below the missing-interrupt time.
	Patience = 5 * machine.Second
	// monitorInterval is the time between two looks of the monitor. An alarm brings it to those
	// whose time is over in between, at that time.
	monitorInterval = 500 * machine.Millisecond
)

// Process is the mirror process of a machine.
type Process struct {
	// Patience is the longest time that an application waits for mirrors, in all: from
	// when its primary I/O has ended to when it is told, however often post-status
	// detours hold the request meanwhile. A mirror I/O for a request whose
	// application has been told may take as long, from its start.
	Patience machine.Time

	m        *machine.Machine
	x        *intercept.Process
	watching bool
	nextLook machine.Time    // of the monitor, while it is watching
	alarmAt  machine.Time    // an earlier look, or 0
	active   []*copier       // that copy tracks
	free     []*stream       // that are not in use
	changed  []*changedCopy  // that are not in use
	tellings []*telling      // that are not in use
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
		s.Step(cpu.Now(), step.PostStatusAgain, who, r.ID())
	}
	r.Reschedule(cpu)
}

// Watch has the monitor look after what waits for a mirror. (M2.)
func (p *Process) Watch(cpu *machine.Processor, since machine.Time) {
	if !p.watching {
		p.watching = true
		p.nextLook = cpu.Now() + monitorInterval
		p.m.Clock.At(p.nextLook, p, kindMonitor, 0)
	}
	p.alarm(since + p.Patience)
}

// alarm has the monitor look at that time, if it would not by itself look before.
func (p *Process) alarm(at machine.Time) {
	if at >= p.nextLook || p.alarmAt != 0 && p.alarmAt <= at {
		return
	}
	p.alarmAt = at
	p.m.Clock.At(at, p, kindAlarm, uint64(at))
}

// Event lets the monitor look at what waits for a mirror.
func (p *Process) Event(kind machine.Kind, arg uint64) {
	now := p.m.Clock.Now()
	if kind == kindAlarm {
		if machine.Time(arg) == p.alarmAt { // no earlier one has been set since
			p.alarmAt = 0
			p.look(now)
			p.setAlarm(now)
		}
		return
	}
	p.watching = false
	if p.look(now) {
		p.watching = true
		p.nextLook = now + monitorInterval
		p.m.Clock.At(p.nextLook, p, kindMonitor, 0)
		p.setAlarm(now)
	}
}

// look times out the requests whose application has waited for the mirrors for
// too long, and the requests, whose application has been told, of mirror I/Os that
// have been under way for too long; it looks at the oldest of each mirror. It
// reports whether anybody waits.
func (p *Process) look(now machine.Time) (waiting bool) {
	for r := p.x.LongestHeld(); r != nil && r.CompleteAt()+p.Patience <= now; r = r.HeldNext() {
		p.timeOut(r, now)
	}
	waiting = p.x.LongestHeld() != nil
	for _, pair := range p.x.Pairs() {
		for _, m := range pair.Mirrors() {
			r, since := m.Oldest()
			if r == nil {
				continue
			}
			waiting = true
			if r.Ended() && since+p.Patience <= now {
				p.timeOut(r, now)
			}
		}
	}
	return waiting
}

func (p *Process) timeOut(r *intercept.Request, now machine.Time) {
	if s := p.m.Steps; s != nil {
		s.Step(now, step.EndWaiting, "monitor", r.ID())
	}
	r.TimeOut(now)
}

// setAlarm sets the alarm for whoever's time is over next. Of those whose time is
// over now nobody is left but those that post-status processing is about to look
// at.
func (p *Process) setAlarm(now machine.Time) {
	for r := p.x.LongestHeld(); r != nil; r = r.HeldNext() {
		if at := r.CompleteAt() + p.Patience; at > now {
			p.alarm(at)
			break
		}
	}
	for _, pair := range p.x.Pairs() {
		for _, m := range pair.Mirrors() {
			if r, since := m.Oldest(); r != nil && r.Ended() && since+p.Patience > now {
				p.alarm(since + p.Patience)
			}
		}
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
