package channel

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// The event kinds of a subchannel. The argument of each is Subchannel.tag.
const (
	kindDeliver      = machine.KindChannel + iota // the start function is at the control unit
	kindContinue                                  // a long channel program goes on
	kindIntermediate                              // intermediate status
	kindStatus                                    // the ending status, or the suspension, has arrived
	kindHalt                                      // the halt function is performed
	kindClear                                     // the clear function is performed
	kindUnsolicited                               // a held status is presented
)

// Subchannel is the program's view of a device. It belongs to its Subsystem, whose
// methods are the instructions on it; all run in the machine's event loop.
type Subchannel struct {
	// Owner is for the user of the subchannel: the I/O supervisor stores the UCB
	// (unit control block) in it.
	Owner any

	subsystem *Subsystem
	session   Session
	id        uint32
	pmcw      PMCW
	scsw      SCSW
	chain     chain
	notes     notes
	outcome   outcome
	sense     [arch.SenseSize]byte
	sensed    int // number of bytes in sense for the pending status
	// epoch counts the functions that the subchannel has begun or dropped. Events of
	// an earlier function that are still under way are ignored.
	epoch       uint32
	out         bool            // the chain has ended, its session reports the status later
	unsolicited arch.UnitStatus // held until the subchannel is idle
	issued      machine.Time
	starts      uint16 // number of start and resume functions not yet in the measurement block

	queued     bool // an interruption is pending
	next, prev *Subchannel
}

// ID returns the subsystem-identification word, 0001nnnn.
func (sch *Subchannel) ID() uint32 { return sch.id }

// DeviceNumber returns the device's number.
func (sch *Subchannel) DeviceNumber() uint16 { return sch.pmcw.Device }

// Session returns the session with which the subchannel was added.
func (sch *Subchannel) Session() Session { return sch.session }

// InterruptionParameter returns the word that the last start function, or MODIFY
// SUBCHANNEL, gave the subchannel.
func (sch *Subchannel) InterruptionParameter() uint32 { return sch.pmcw.InterruptionParameter }

// Enable sets the E bit, as MODIFY SUBCHANNEL would.
func (sch *Subchannel) Enable() { sch.pmcw.Flags |= PMCWEnabled }

// EnableConcurrentSense sets the S bit, as MODIFY SUBCHANNEL would: the IRB of
// a unit check then carries the sense bytes.
func (sch *Subchannel) EnableConcurrentSense() { sch.pmcw.Control |= PMCWConcurrentSense }

// Event handles the subchannel's events from the machine's event loop.
func (sch *Subchannel) Event(kind machine.Kind, arg uint64) {
	if uint32(arg>>32) != sch.epoch {
		return
	}
	now := sch.subsystem.machine.Clock.Now()
	switch kind {
	case kindDeliver:
		sch.deliver(now)
	case kindContinue:
		sch.chain.run()
	case kindIntermediate:
		sch.intermediate(now)
	case kindStatus:
		sch.status(now)
	case kindHalt:
		sch.halt(now)
	case kindClear:
		sch.clear(now)
	case kindUnsolicited:
		sch.presentUnsolicited(now)
	}
}

// tag returns the argument of the subchannel's events.
func (sch *Subchannel) tag() uint64 { return uint64(sch.epoch)<<32 | uint64(sch.id) }

// operational reports whether instructions find the subchannel.
func (sch *Subchannel) operational() bool {
	return sch != nil && sch.pmcw.Flags&PMCWEnabled != 0
}

// The groups of bits in SCSW.Control.
const (
	functions  = arch.FunctionStart | arch.FunctionHalt | arch.FunctionClear
	activities = arch.ResumePending | arch.StartPending | arch.HaltPending | arch.ClearPending | arch.SubchActive | arch.DeviceActive | arch.Suspended
	statuses   = arch.StatusAlert | arch.StatusIntermed | arch.StatusPrimary | arch.StatusSecond | arch.StatusPending
)

// deliver is called when a start or resume function arrives at the control unit.
func (sch *Subchannel) deliver(now machine.Time) {
	c := &sch.scsw.Control
	if *c&arch.Suspended != 0 {
		*c &^= arch.Suspended | arch.ResumePending
		sch.chain.resumed = true
	}
	*c = *c&^arch.StartPending | arch.SubchActive | arch.DeviceActive
	sch.chain.begin(now)
}

// ended is called by the chain, which began at the given time, when it has ended
// or is suspended.
func (sch *Subchannel) ended(o outcome, begun machine.Time) {
	sch.outcome = o
	sch.fetchSense()
	at, later := sch.session.End(begun, Ending{sch, sch.epoch})
	if later {
		sch.out = true
		return
	}
	sch.subsystem.machine.Clock.At(at, sch, kindStatus, sch.tag())
}

// fetchSense takes the sense bytes of a unit check from the session if the IRB is
// to carry them.
func (sch *Subchannel) fetchSense() {
	if sch.outcome.unit&arch.UnitCheck != 0 && sch.pmcw.Control&PMCWConcurrentSense != 0 {
		sch.sensed = copy(sch.sense[:], sch.session.Sense())
	}
}

// status is called when the ending status, or the suspension, arrives.
func (sch *Subchannel) status(now machine.Time) {
	sch.epoch++ // this status also shows the intermediate interruptions still under way
	o := &sch.outcome
	w := &sch.scsw
	w.CCWAddress, w.Residual = o.address, o.residual
	w.Unit = o.unit
	sch.renew()
	w.Channel |= o.channel
	w.Flags |= o.deferred << 8
	for ; sch.notes.presented < sch.chain.noted; sch.notes.presented++ {
		n := sch.notes.slot(sch.notes.presented)
		w.Channel |= n.channel
		w.Control |= arch.StatusIntermed
		if n.zero {
			w.Flags |= arch.SCSWZero
		}
	}
	if sch.chain.owed {
		sch.chain.owed = false
		w.Channel |= arch.PCI
		w.Control |= arch.StatusIntermed
	}
	sch.measure(now)
	w.Control &^= arch.SubchActive | arch.DeviceActive
	if o.suspend {
		sch.suspended(now)
		return
	}
	w.Control &^= arch.ResumePending
	w.Control |= arch.StatusPending
	switch {
	case o.deferred == 3: // the function never reached the device: alert status alone
	case o.unit&normal == arch.ChannelEnd && o.unit&arch.UnitCheck == 0:
		w.Control |= arch.StatusPrimary | arch.DeviceActive // device end is still to come
	default:
		w.Control |= arch.StatusPrimary | arch.StatusSecond
	}
	if o.unit&^normal != 0 || w.Channel&^arch.PCI != 0 || o.deferred != 0 {
		w.Control |= arch.StatusAlert
	}
	if sch.sensed > 0 {
		w.Flags |= arch.SCSWExtended
	}
	sch.interrupt(now)
}

// suspended makes the subchannel suspended, or lets the function continue at once
// when the subchannel is resume pending already: the CCW is then fetched again, as
// after a resume.
func (sch *Subchannel) suspended(now machine.Time) {
	w := &sch.scsw
	if w.Control&arch.ResumePending != 0 {
		w.Control = w.Control&^arch.ResumePending | arch.SubchActive | arch.DeviceActive
		sch.chain.resumed = true
		sch.forward(now)
	} else {
		w.Control |= arch.Suspended
		if sch.chain.orb.Control&ORBSuppressSuspended == 0 {
			w.Control |= arch.StatusIntermed
		}
	}
	if w.Control&arch.StatusIntermed != 0 {
		w.Control |= arch.StatusPending
		sch.interrupt(now)
	}
}

// forward sends a resumed function on its way. If no path leads to the device any
// more, the subchannel gets deferred condition code 3.
func (sch *Subchannel) forward(now machine.Time) {
	at, operational := sch.session.Deliver(now)
	clock := &sch.subsystem.machine.Clock
	if operational {
		clock.At(at, sch, kindDeliver, sch.tag())
		return
	}
	sch.scsw.Control &^= arch.Suspended
	sch.unreachable(now, uint32(sch.chain.following+arch.CCWSize))
}

// unreachable ends the function with deferred condition code 3: no path leads to
// the device any more. ccw is the CCW address to show.
func (sch *Subchannel) unreachable(now machine.Time, ccw uint32) {
	sch.pmcw.PNOM |= sch.pmcw.LPUM
	sch.scsw.Flags |= arch.SCSWNotOperPath
	sch.outcome = outcome{address: ccw, residual: sch.chain.residual, deferred: 3}
	sch.subsystem.machine.Clock.At(now, sch, kindStatus, sch.tag())
}

// halt performs the halt function: it ends the work of the device, with an ending
// status if the subchannel was active.
func (sch *Subchannel) halt(now machine.Time) {
	sch.session.Reset(false)
	w := &sch.scsw
	if w.Control&arch.SubchActive != 0 {
		w.CCWAddress = uint32(sch.chain.at + arch.CCWSize)
		w.Unit = normal
		w.Control |= arch.StatusPrimary | arch.StatusSecond
	}
	w.Control = w.Control&^activities | arch.StatusPending
	sch.interrupt(now)
}

// clear performs the clear function: the status shows nothing but that it was
// performed.
func (sch *Subchannel) clear(now machine.Time) {
	sch.session.Reset(true)
	sch.unsolicited = 0
	sch.scsw = SCSW{Control: arch.FunctionClear | arch.StatusPending}
	sch.interrupt(now)
}

// forget clears the status. Unit and channel status, the CCW address and the
// residual count remain visible until a new status replaces them.
func (sch *Subchannel) forget() {
	w := &sch.scsw
	w.Control &^= statuses
	w.Flags &^= arch.SCSWZero | arch.SCSWDeferredCC | arch.SCSWExtended | arch.SCSWNotOperPath
	sch.sensed = 0
}

// drop forgets the status and everything of the start function that is under way.
func (sch *Subchannel) drop() {
	sch.epoch++
	sch.out = false
	sch.forget()
	sch.scsw.Channel, sch.scsw.Unit = 0, 0
	sch.chain.noted, sch.notes.presented = 0, 0
	sch.chain.owed = false
}

// Present gives the subchannel a status that no start function has asked for:
// attention, a device end after busy or after channel end. The status is held
// while the subchannel has a function or another status, and lost while the
// subchannel is not enabled.
func (sch *Subchannel) Present(now machine.Time, status arch.UnitStatus) {
	if !sch.operational() || status == 0 {
		return
	}
	sch.unsolicited |= status
	sch.presentUnsolicited(now)
}

// presentUnsolicited makes an idle subchannel status pending with the status
// held for it, if any.
func (sch *Subchannel) presentUnsolicited(now machine.Time) {
	w := &sch.scsw
	if sch.unsolicited == 0 || w.Control&(functions|arch.StatusPending) != 0 {
		return
	}
	control := uint16(arch.StatusPending | arch.StatusAlert)
	if w.Control&arch.DeviceActive != 0 && sch.unsolicited&arch.DeviceEnd != 0 {
		control = arch.StatusPending | arch.StatusSecond
		if sch.unsolicited != arch.DeviceEnd {
			control |= arch.StatusAlert
		}
	}
	*w = SCSW{Control: control, Unit: sch.unsolicited}
	sch.unsolicited = 0
	sch.interrupt(now)
}
