package channel

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// The instructions return the condition code that their comments give in
// parentheses. now is the processor's time, at or after the machine's time; the
// effects of an instruction happen from then on.

// StartSubchannel executes START SUBCHANNEL with a valid ORB (see ParseORB), which
// is copied. It starts the function (0), or finds status pending (1), a function
// in progress, suspended ones included (2), or no operational subchannel or path
// (3).
func (s *Subsystem) StartSubchannel(now machine.Time, sch *Subchannel, orb *ORB) CC {
	if !sch.operational() {
		return 3
	}
	w := &sch.scsw
	switch {
	case w.Control&arch.StatusPending != 0:
		return 1
	case w.Control&functions != 0:
		return 2
	}
	p := &sch.pmcw
	if uint8(orb.Control>>ORBPathMaskShift)&p.LPM&p.PAM == 0 {
		return 3
	}
	at, operational := sch.session.Deliver(now)
	if !operational {
		p.PNOM |= path
		return 3
	}
	p.InterruptionParameter = orb.InterruptionParameter
	p.LPUM = path
	p.PNOM &^= path
	sch.drop()
	// Key, S, F, P, I, A and U are at the same place in both words.
	const echoed = arch.SCSWKey | arch.SCSWSuspend | arch.SCSWFormat1 | arch.SCSWPrefetch | arch.SCSWInitial | arch.SCSWLimit | arch.SCSWSuppress
	*w = SCSW{Flags: uint16(orb.Control>>16) & echoed, Control: arch.FunctionStart | arch.StartPending}
	sch.issued = now
	sch.starts++
	sch.chain.prepare(sch, orb)
	s.machine.Clock.At(at, sch, kindDeliver, sch.tag())
	if s.observer != nil {
		s.observer.Started(sch, orb)
	}
	return 0
}

// ResumeSubchannel executes RESUME SUBCHANNEL. It lets a suspended function
// continue (0). For a function that is not suspended yet, the resume is
// remembered, once, until the function comes to the suspending CCW. The suspending
// CCW is fetched again. It finds status pending (1), or no start function that may
// be suspended, or resume pending already (2), or no operational subchannel (3).
func (s *Subsystem) ResumeSubchannel(now machine.Time, sch *Subchannel) CC {
	if !sch.operational() {
		return 3
	}
	w := &sch.scsw
	switch {
	case w.Control&arch.StatusPending != 0:
		return 1
	case w.Control&functions != arch.FunctionStart, w.Control&arch.ResumePending != 0, w.Flags&arch.SCSWSuspend == 0:
		return 2
	}
	w.Control |= arch.ResumePending
	sch.starts++
	if w.Control&arch.Suspended != 0 {
		sch.issued = now
		sch.forward(now)
	}
	return 0
}

// HaltSubchannel executes HALT SUBCHANNEL. It begins the halt function (0), or
// finds status pending other than intermediate (1), a halt or clear function in
// progress (2), or no operational subchannel (3).
func (s *Subsystem) HaltSubchannel(now machine.Time, sch *Subchannel) CC {
	if !sch.operational() {
		return 3
	}
	w := &sch.scsw
	switch {
	case w.Control&statuses == arch.StatusPending, w.Control&(arch.StatusAlert|arch.StatusPrimary|arch.StatusSecond) != 0:
		return 1
	case w.Control&(arch.FunctionHalt|arch.FunctionClear) != 0:
		return 2
	}
	sch.drop()
	sch.dequeue()
	if w.Control&functions == 0 { // nothing of an earlier function is shown
		*w = SCSW{Control: w.Control}
	}
	w.Control |= arch.FunctionHalt | arch.HaltPending
	s.machine.Clock.At(now, sch, kindHalt, sch.tag())
	return 0
}

// ClearSubchannel executes CLEAR SUBCHANNEL. It begins the clear function (0) in
// every state of an operational subchannel (else 3). Pending status and
// interruptions are gone.
func (s *Subsystem) ClearSubchannel(now machine.Time, sch *Subchannel) CC {
	if !sch.operational() {
		return 3
	}
	sch.drop()
	sch.dequeue()
	sch.scsw.Control = arch.FunctionClear | arch.ClearPending
	s.machine.Clock.At(now, sch, kindClear, sch.tag())
	return 0
}

// CancelSubchannel executes CANCEL SUBCHANNEL. It ends a start function that has
// not reached the device, or that is suspended, without an interruption (0), or
// finds status pending (1), nothing that it can cancel (2), or no operational
// subchannel (3).
func (s *Subsystem) CancelSubchannel(_ machine.Time, sch *Subchannel) CC {
	if !sch.operational() {
		return 3
	}
	w := &sch.scsw
	switch {
	case w.Control&arch.StatusPending != 0:
		return 1
	case w.Control&functions != arch.FunctionStart, w.Control&arch.SubchActive != 0,
		w.Control&(arch.StartPending|arch.ResumePending|arch.Suspended) == 0:
		return 2
	}
	sch.drop()
	w.Control = 0
	sch.session.Reset(false)
	return 0
}

// TestSubchannel executes TEST SUBCHANNEL. It stores the IRB, even without pending
// status, and clears the status (0), or finds none pending (1), or no operational
// subchannel (3; irb is not touched).
func (s *Subsystem) TestSubchannel(sch *Subchannel, irb *IRB) CC {
	if !sch.operational() {
		return 3
	}
	w := &sch.scsw
	irb.SCSW = *w
	irb.ESW = [len(irb.ESW)]byte{}
	irb.ECW = [len(irb.ECW)]byte{}
	if w.Control&arch.FunctionStart != 0 {
		irb.ESW[eswLPUM] = sch.pmcw.LPUM
	}
	if w.Control&arch.StatusPending == 0 {
		return 1
	}
	if w.Flags&arch.SCSWExtended != 0 {
		irb.ESW[eswReport] = reportSense
		irb.ESW[eswSenseCount] = byte(sch.sensed)
		copy(irb.ECW[:], sch.sense[:sch.sensed])
	}
	sch.dequeue()
	sch.clearStatus()
	if s.observer != nil {
		s.observer.Taken(sch, irb)
	}
	if sch.unsolicited != 0 {
		s.machine.Clock.At(s.machine.Clock.Now(), sch, kindUnsolicited, sch.tag())
	}
	return 0
}

// clearStatus follows the clearing rules of TEST SUBCHANNEL. After intermediate
// status alone the function continues, and a suspended one stays suspended; any
// other status ends the function.
func (sch *Subchannel) clearStatus() {
	w := &sch.scsw
	between := w.Control&statuses == arch.StatusIntermed|arch.StatusPending
	sch.forget()
	if !between {
		w.Control &^= functions | arch.ResumePending | arch.StartPending | arch.HaltPending | arch.ClearPending | arch.Suspended
	}
}

// StoreSubchannel executes STORE SUBCHANNEL: 0, or 3 for a subchannel that does
// not exist. A subchannel that is not enabled is stored too.
func (s *Subsystem) StoreSubchannel(sch *Subchannel, schib *SCHIB) CC {
	if sch == nil {
		return 3
	}
	*schib = SCHIB{PMCW: sch.pmcw, SCSW: sch.scsw}
	return 0
}

// ModifySubchannel executes MODIFY SUBCHANNEL with a valid SCHIB (see ParseSCHIB):
// it takes interruption parameter and subclass, E, LM, MM, D, path mask,
// measurement index and concurrent sense from it (0), unless it finds status
// pending (1), a function in progress (2) or no such subchannel (3).
func (s *Subsystem) ModifySubchannel(sch *Subchannel, schib *SCHIB) CC {
	if sch == nil {
		return 3
	}
	switch {
	case sch.scsw.Control&arch.StatusPending != 0:
		return 1
	case sch.scsw.Control&functions != 0:
		return 2
	}
	p, n := &sch.pmcw, &schib.PMCW
	p.InterruptionParameter = n.InterruptionParameter
	p.Flags = p.Flags&^pmcwFlagsModify | n.Flags&pmcwFlagsModify
	p.LPM = n.LPM
	p.MBI = n.MBI
	p.Control = p.Control&^pmcwControlModify | n.Control&pmcwControlModify
	if p.Flags&PMCWEnabled == 0 {
		sch.unsolicited = 0
	}
	return 0
}

// Interruption is an I/O-interruption code.
type Interruption struct {
	ID        uint32 // subsystem-identification word
	Parameter uint32 // interruption parameter
	Word      uint32 // interruption-identification word: the subclass
}

// interruptionSubclassShift puts a subclass into Interruption.Word.
const interruptionSubclassShift = 27

// TestPendingInterruption executes TEST PENDING INTERRUPTION. Of the interruptions
// pending in the subclasses that mask enables (bit 80 is subclass 0, as in control
// register 6) it takes the first of the lowest subclass (1), or finds none (0).
// The subchannel stays status pending.
func (s *Subsystem) TestPendingInterruption(mask uint8) (Interruption, CC) {
	for isc := range s.pending {
		if mask&(0x80>>isc) == 0 {
			continue
		}
		if sch := s.pending[isc].first; sch != nil {
			sch.dequeue()
			return Interruption{
				ID:        sch.id,
				Parameter: sch.pmcw.InterruptionParameter,
				Word:      uint32(isc) << interruptionSubclassShift,
			}, 1
		}
	}
	return Interruption{}, 0
}
