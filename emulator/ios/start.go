package ios

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// The components that take steps, as the table of steps names them.
const (
	whoAccess  = "access method"
	whoSSCQ    = "IOSVSSCQ"
	whoSSCH    = "IOSVSSCH"
	whoSCP     = "IOSVSCP"
	whoSLIH    = "SLIH"
	whoVSLIH   = "IOSVSLIH"
	whoIECVPST = "IECVPST"
)

func (s *Supervisor) step(at machine.Time, n machine.Step, who string, io uint64) {
	if r := s.Machine.Steps; r != nil {
		r.Step(at, n, who, io)
	}
}

// STARTIO asks for the request b, which has been Init'ed. The requester runs on
// p; the request is queued disabled. (Step 88.)
func (s *Supervisor) STARTIO(p *machine.Processor, b *IOSB) {
	s.counts.STARTIO++
	b.RequestedAt = p.Now()
	if b.ID == 0 {
		b.ID = s.NextID()
	}
	s.step(p.Now(), step.IssueStartIO, whoAccess, b.ID)
	s.IOSVSSCQ(p, b)
}

// IOSVSSCQ builds the queue entry of a request and calls IOSVSSCH. (Steps 90
// and 92.)
func (s *Supervisor) IOSVSSCQ(p *machine.Processor, b *IOSB) {
	p.Charge(s.Paths.IOSVSSCQ)
	mode := p.Mode
	p.Mode = machine.Disabled
	s.step(p.Now(), step.BuildIOQ, whoSSCQ, b.ID)
	b.ioq.ReturnAddress = nil
	s.step(p.Now(), step.QueueIOQ, whoSSCQ, b.ID)
	s.IOSVSSCH(p, &b.ioq)
	p.Mode = mode
}

// IOSVSSCH queues the entry on its unit and starts as many requests as the unit's
// subchannels take.
func (s *Supervisor) IOSVSSCH(p *machine.Processor, q *IOQ) {
	u := q.IOSB.UCB.base()
	u.queue.push(q)
	u.length++
	u.peak = max(u.peak, u.length)
	s.drive(p, u)
}

// outcome classifies the fate of a request that drive took off the queue.
type outcome uint8

const (
	underway outcome = iota // started: its subchannel is in use
	gone                    // failed
	moved                   // handed to another unit, which may have started it
	left                    // to be tried again
)

// drive starts queued requests of base unit u while a subchannel is idle. A
// request that is left queued does not keep those behind it from being tried.
func (s *Supervisor) drive(p *machine.Processor, u *UCB) {
	if u.driving || u.quiesced {
		return
	}
	u.driving, u.passed = true, nil
	q := u.queue.head
	for q != nil && u.idleHead != nil {
		if u.holdWrite > 0 && q.IOSB.Writes {
			u.passed, q = q, q.next
			continue
		}
		u.queue.remove(u.passed, q)
		q.via = u.takeIdle()
		switch s.start(p, u, q) {
		case underway:
			q.started = true
			u.wait = 0
			u.started++
			s.underway++
			s.watch(p)
		case left:
			q.release()
			u.queue.insert(u.passed, q)
			u.passed = q
			if !u.retrying { // one timer for each unit, however many requests wait
				u.retrying = true
				u.wait = min(max(2*u.wait, BusyRetry), MaxBusyRetry)
				s.Machine.Clock.At(p.Now()+u.wait, s, kindRedrive, uint64(u.Index))
			}
		case gone:
			q.release()
			u.length--
		case moved:
			u.length--
		}
		if u.passed == nil {
			q = u.queue.head
		} else {
			q = u.passed.next
		}
	}
	u.driving = false
	if q != nil {
		s.makeWay(p, u)
	}
}

// makeWay ends the requests that are suspended on purpose on a unit, because
// another request waits for a subchannel.
func (s *Supervisor) makeWay(p *machine.Processor, u *UCB) {
	s.clearKept(p, u)
	for _, a := range u.Aliases {
		s.clearKept(p, a)
	}
}

func (s *Supervisor) clearKept(p *machine.Processor, u *UCB) {
	if u.active == nil || !u.active.started || !u.active.IOSB.KeepSuspended || u.active.IOSB.purged {
		return
	}
	u.active.IOSB.purged = true
	s.Channel.ClearSubchannel(p.Now(), u.Subchannel)
}

// start calls the target of the first pointer for q.
func (s *Supervisor) start(p *machine.Processor, u *UCB, q *IOQ) outcome {
	b := q.IOSB
	p.Charge(s.Paths.IOSVSSCH)
	q.via.active = q
	s.step(p.Now(), step.CallDDTSIO, whoSSCH, b.ID)
	q.ReturnAddress = nil
	if s.observer != nil {
		s.observer.Starting(p, b)
	}
	mode := p.Mode
	p.Mode = machine.Disabled
	var rc ReturnCode
	if s.Slots.DDTSIO != nil {
		rc = s.Slots.DDTSIO.DDTSIO(p, q)
	} else {
		rc = s.DDTSIO(p, q)
	}
	p.Mode = mode
	switch rc {
	case Started:
		switch b.CC {
		case 0:
			return underway
		case 1, 2:
			return left
		}
		s.fail(p, b, arch.CompletionNoPath)
		return gone
	case Queued:
		return left
	case Moved:
		return moved
	}
	if b.CompletionCode == 0 {
		b.CompletionCode = arch.CompletionPermanent
	}
	s.fail(p, b, b.CompletionCode)
	return gone
}

// fail ends a request that was not started: post-status processing is
// scheduled with the completion code.
func (s *Supervisor) fail(p *machine.Processor, b *IOSB, code uint8) {
	b.CompletionCode = code
	b.EndedAt = p.Now()
	s.Machine.Dispatcher.Schedule(p.Now(), &b.SRB)
}

// DDTSIO is the conventional target of the first pointer: it calls IOSVSCP and
// lets the condition code return through the return address. (Steps 96, 104.)
func (s *Supervisor) DDTSIO(p *machine.Processor, q *IOQ) ReturnCode {
	p.Charge(s.Paths.DDTSIO)
	cc := s.IOSVSCP(p, q)
	q.IOSB.CC = cc
	s.step(p.Now(), step.ReturnConditionCode, whoSCP, q.IOSB.ID)
	if q.ReturnAddress != nil {
		q.ReturnAddress.Return(p, q, cc)
	}
	return Started
}

// IOSVSCP issues SSCH for the request on the subchannel that IOSVSSCH has chosen.
// It does not ask a boxed device: the request finds no path.
func (s *Supervisor) IOSVSCP(p *machine.Processor, q *IOQ) channel.CC {
	p.Charge(s.Paths.IOSVSCP)
	b := q.IOSB
	s.step(p.Now(), step.IssueSSCH, whoSCP, b.ID)
	b.StartedAt, b.lost = p.Now(), false
	if q.via.base().boxed {
		return 3
	}
	s.counts.SSCH++
	b.orb.ChannelProgram = uint32(b.ChannelProgram)
	b.orb.InterruptionParameter = uint32(b.ID)
	b.orb.Control = b.Control
	if b.Control == 0 {
		b.orb.Control = channel.ORBDefaultControl
	}
	return s.Channel.StartSubchannel(p.Now(), q.via.Subchannel, &b.orb)
}

// IOSVRSUM resumes the subchannel on which the request b is suspended. (Step
// 258.)
func (s *Supervisor) IOSVRSUM(p *machine.Processor, b *IOSB) channel.CC {
	p.Charge(s.Paths.IOSVRSUM)
	via := b.ioq.via
	if via == nil || via.base().boxed {
		return 3
	}
	s.counts.RSCH++
	s.watch(p)
	return s.Channel.ResumeSubchannel(p.Now(), via.Subchannel)
}

// Move hands the request q, which IOSVSSCH is about to start, to unit to: it is
// queued there and comes through the slots again. The caller returns Moved.
// (Step 192.)
func (s *Supervisor) Move(p *machine.Processor, q *IOQ, to *UCB) {
	q.release()
	q.IOSB.UCB = to
	s.IOSVSSCH(p, q)
}

// Redrive starts as many of the unit's queued requests as its subchannels take.
func (s *Supervisor) Redrive(p *machine.Processor, u *UCB) { s.drive(p, u.base()) }

// Cancel ends a started request with CSCH; its status follows as usual.
func (s *Supervisor) Cancel(b *IOSB) channel.CC {
	if b.ioq.via == nil {
		return 3
	}
	return s.Channel.ClearSubchannel(s.Machine.Clock.Now(), b.ioq.via.Subchannel)
}

// Purge ends the requests of one driver on the unit: waiting requests end with
// arch.CompletionPurged, started ones are ended with CSCH (CLEAR SUBCHANNEL).
// Requests that are suspended on purpose stay.
func (s *Supervisor) Purge(p *machine.Processor, u *UCB, driverID uint8) {
	u = u.base()
	var prev *IOQ
	for q := u.queue.head; q != nil; {
		next := q.next
		if q.IOSB.DriverID == driverID && !q.IOSB.KeepSuspended {
			u.queue.remove(prev, q)
			u.length--
			if u.passed == q {
				u.passed = prev
			}
			s.fail(p, q.IOSB, arch.CompletionPurged)
		} else {
			prev = q
		}
		q = next
	}
	s.purge(p, u, driverID)
	for _, a := range u.Aliases {
		s.purge(p, a, driverID)
	}
}

func (s *Supervisor) purge(p *machine.Processor, u *UCB, driverID uint8) {
	if u.active == nil || !u.active.started || u.active.IOSB.DriverID != driverID || u.active.IOSB.KeepSuspended || u.active.IOSB.purged {
		return
	}
	u.active.IOSB.purged = true
	s.Channel.ClearSubchannel(p.Now(), u.Subchannel)
}
