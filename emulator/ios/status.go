package ios

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// slih holds two units of work of a unit: the second-level interruption handler,
// and one that drives the unit's queue again without an interruption.
type slih struct {
	machine.SRB
	s      *Supervisor
	u      *UCB
	irb    channel.IRB
	again  machine.SRB
	driver driver
}

type driver struct{ l *slih }

func (l *slih) init(s *Supervisor, u *UCB) {
	l.s, l.u = s, u
	l.SRB.Entry = l
	l.SRB.Priority = machine.PriorityInterrupt
	l.SRB.Parm = uint64(u.Index)
	l.driver.l = l
	l.again.Entry = &l.driver
	l.again.Priority = machine.PriorityNormal // after the work that the queue may be waiting for
	l.again.Parm = uint64(u.Index)
}

func (l *slih) redrive() {
	if l.u.base().queue.head != nil {
		l.s.Machine.Dispatcher.Schedule(l.s.Machine.Clock.Now(), &l.again)
	}
}

// Enter drives the queue of the unit.
func (d *driver) Enter(p *machine.Processor, _ *machine.SRB) { d.l.s.drive(p, d.l.u.base()) }

// Interruption is called by the channel subsystem when a subchannel has become
// status pending. (Step 276.)
func (s *Supervisor) Interruption(now machine.Time, sch *channel.Subchannel) {
	u := sch.Owner.(*UCB)
	s.Machine.Dispatcher.Schedule(now, &u.slih.SRB)
}

// Enter is the second-level interruption handler for the unit.
func (l *slih) Enter(p *machine.Processor, _ *machine.SRB) {
	s, u := l.s, l.u
	p.Mode = machine.Disabled
	s.counts.Interruptions++
	var io uint64
	if u.active != nil {
		io = u.active.IOSB.ID
	}
	s.step(p.Now(), step.HandleInterruption, whoSLIH, io)
	s.IOSVSLIH(p, u)
}

// IOSVSLIH gets the interruption-response block with TSCH, calls the IRB
// routine of the request and schedules its post-status processing. (Steps 278,
// 284 and 286.)
func (s *Supervisor) IOSVSLIH(p *machine.Processor, u *UCB) {
	p.Charge(s.Paths.IOSVSLIH)
	irb := &u.slih.irb
	if s.Channel.TestSubchannel(u.Subchannel, irb) != 0 {
		return
	}
	s.heard(p, u, &irb.SCSW)
	if u.active == nil {
		return
	}
	b := u.active.IOSB
	s.step(p.Now(), step.TestSubchannel, whoVSLIH, b.ID)
	b.IRB = *irb
	b.EndedAt = p.Now()
	if b.IRBRoutine != nil {
		s.step(p.Now(), step.CallIRBRoutine, whoSLIH, b.ID)
		b.IRBRoutine.Status(p, b)
	}
	const final = arch.StatusPrimary | arch.StatusSecond | arch.StatusAlert
	if irb.SCSW.Control&final == 0 && irb.SCSW.Control&arch.StatusIntermed != 0 {
		return // program-controlled or suspended: the function goes on
	}
	s.free(u)
	s.step(p.Now(), step.ScheduleSRB, whoSLIH, b.ID)
	s.Machine.Dispatcher.Schedule(p.Now(), &b.SRB)
	s.drive(p, u.base())
}

// free makes the unit able to start another request.
func (s *Supervisor) free(u *UCB) {
	b := u.base()
	u.active.release()
	u.missing = 0
	b.started--
	b.length--
	s.underway--
}

// srbep is the entry point of an IOSB's SRB.
type srbep struct {
	s *Supervisor
	b *IOSB
}

// Enter calls the target of the third pointer.
func (e *srbep) Enter(p *machine.Processor, _ *machine.SRB) {
	if e.s.Slots.SRBEP != nil {
		e.s.Slots.SRBEP.PostStatus(p, e.b)
		return
	}
	e.s.IECVPST(p, e.b)
}

// IECVPST ends a request: error recovery drives it again, or its requester's
// exit is taken with the completion code. (Step 288.)
func (s *Supervisor) IECVPST(p *machine.Processor, b *IOSB) {
	p.Charge(s.Paths.IECVPST)
	s.step(p.Now(), step.EndRequest, whoIECVPST, b.ID)
	if b.done {
		s.counts.Duplicates++
		return
	}
	if b.CompletionCode == 0 {
		switch {
		case b.IRB.OK():
			b.CompletionCode = arch.CompletionNormal
		case s.recover(p, b):
			return
		}
	}
	b.done = true
	s.Machine.Clock.Mix(b.ID<<8 | uint64(b.CompletionCode))
	if s.observer != nil {
		s.observer.Told(p, b)
	}
	b.Exit.Done(p, b)
	b.Unfix()
}

// senseRetry is the mask of the sense bits with which driving the request again
// can help: they do not report errors of the channel program.
const senseRetry = arch.SenseEquipmentCheck | arch.SenseDataCheck | arch.SenseOverrun

// recover is error recovery: from the status it decides whether the request is
// driven again, and reports that; otherwise it sets the completion code.
func (s *Supervisor) recover(p *machine.Processor, b *IOSB) bool {
	w := &b.IRB.SCSW
	retry := w.Unit&arch.UnitCheck != 0 && arch.SenseOf(&b.IRB.ECW)&senseRetry != 0 ||
		w.Unit&arch.Busy != 0 ||
		w.Channel&(arch.ChannelControlCheck|arch.InterfaceControlCheck) != 0
	retry = retry || b.lost
	switch {
	case w.Unit&arch.UnitException != 0 && w.Channel == 0:
		b.CompletionCode = arch.CompletionPermanent
	case b.lost && (b.Retries == MaxRetries || b.UCB.base().boxed), w.Flags&arch.SCSWDeferredCC == arch.SCSWDeferredCC:
		b.CompletionCode = arch.CompletionNoPath
	case b.purged:
		b.CompletionCode = arch.CompletionPurged
	case retry && b.Retries < MaxRetries:
		b.Retries++
		b.lost = false
		s.counts.Redriven++
		s.IOSVSSCQ(p, b)
		return true
	case w.Unit&arch.UnitCheck != 0 && arch.SenseOf(&b.IRB.ECW)&arch.SenseFileProtected != 0:
		b.CompletionCode = arch.CompletionExtent
	default:
		b.CompletionCode = arch.CompletionPermanent
	}
	return false
}
