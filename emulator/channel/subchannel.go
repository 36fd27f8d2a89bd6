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
	kindUnsolicited                               // a status held is presented
)

// Subchannel is what a program sees of a device. It belongs to its Subsystem,
// whose methods are the instructions on it; all run in the machine's event
// loop.
type Subchannel struct {
	// Owner is the owner's affair: for the IOS, the UCB.
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
	sensed    int // bytes in sense for the status pending
	// epoch counts the functions that the subchannel has begun or dropped.
	// Events under way of an earlier one mean nothing any more.
	epoch       uint32
	out         bool            // the chain has ended, its session reports the status later
	unsolicited arch.UnitStatus // held until the subchannel is idle
	issued      machine.Time
	starts      uint16 // start and resume functions not yet in the measurement block

	queued     bool // the interruption is pending
	next, prev *Subchannel
}

// ID is the subsystem-identification word, 0001nnnn.
func (sch *Subchannel) ID() uint32 { return sch.id }

// DeviceNumber is the device's number.
func (sch *Subchannel) DeviceNumber() uint16 { return sch.pmcw.Device }

// Session is the way to the device that the subchannel was added with.
func (sch *Subchannel) Session() Session { return sch.session }

// InterruptionParameter is the word that the last start function, or MODIFY
// SUBCHANNEL, gave the subchannel.
func (sch *Subchannel) InterruptionParameter() uint32 { return sch.pmcw.InterruptionParameter }

// Enable sets the E bit, as MODIFY SUBCHANNEL would.
func (sch *Subchannel) Enable() { sch.pmcw.Flags |= PMCWEnabled }

// EnableConcurrentSense sets the S bit, as MODIFY SUBCHANNEL would: the IRB of
// a unit check then carries the sense bytes.
func (sch *Subchannel) EnableConcurrentSense() { sch.pmcw.Control |= PMCWConcurrentSense }

// Event is the subchannel's part in the machine's event loop.
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

// tag is the argument of the subchannel's events.
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

// deliver is the arrival of a start or resume function at the control unit.
func (sch *Subchannel) deliver(now machine.Time) {
	c := &sch.scsw.Control
	if *c&arch.Suspended != 0 {
		*c &^= arch.Suspended | arch.ResumePending
		sch.chain.resumed = true
	}
	*c = *c&^arch.StartPending | arch.SubchActive | arch.DeviceActive
	sch.chain.begin(now)
}

// ended is told by the chain, begun at the given time, that it has ended or is
// suspended.
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

// fetchSense takes the sense bytes of a unit check, where the IRB is to have
// them.
func (sch *Subchannel) fetchSense() {
	if sch.outcome.unit&arch.UnitCheck != 0 && sch.pmcw.Control&PMCWConcurrentSense != 0 {
		sch.sensed = copy(sch.sense[:], sch.session.Sense())
	}
}

// status is the arrival of the ending status, or of the suspension.
func (sch *Subchannel) status(now machine.Time) {
	sch.epoch++ // intermediate interruptions still under way are shown here
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
	case o.deferred == 3: // the device never had it: alert status alone
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

// suspended makes the subchannel suspended, or goes on at once when it is
// resume pending already: then the CCW is fetched again, as after a resume.
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

// forward sends a resumed function on its way. Where there is no path any more
// the subchannel gets deferred condition code 3.
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

// unreachable ends the function with deferred condition code 3: there is no path
// to the device any more. ccw is the CCW address to show.
func (sch *Subchannel) unreachable(now machine.Time, ccw uint32) {
	sch.pmcw.PNOM |= sch.pmcw.LPUM
	sch.scsw.Flags |= arch.SCSWNotOperPath
	sch.outcome = outcome{address: ccw, residual: sch.chain.residual, deferred: 3}
	sch.subsystem.machine.Clock.At(now, sch, kindStatus, sch.tag())
}

// halt performs the halt function: what the device was doing ends, with an
// ending status if it was doing something.
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

// clear performs the clear function: nothing is left but that it was done.
func (sch *Subchannel) clear(now machine.Time) {
	sch.session.Reset(true)
	sch.unsolicited = 0
	sch.scsw = SCSW{Control: arch.FunctionClear | arch.StatusPending}
	sch.interrupt(now)
}

// forget clears the status. Unit and channel status stay to be seen, as the
// CCW address and the residual count do, until there is a new one.
func (sch *Subchannel) forget() {
	w := &sch.scsw
	w.Control &^= statuses
	w.Flags &^= arch.SCSWZero | arch.SCSWDeferredCC | arch.SCSWExtended | arch.SCSWNotOperPath
	sch.sensed = 0
}

// drop forgets the status and what is under way of the start function.
func (sch *Subchannel) drop() {
	sch.epoch++
	sch.out = false
	sch.forget()
	sch.scsw.Channel, sch.scsw.Unit = 0, 0
	sch.chain.noted, sch.notes.presented = 0, 0
	sch.chain.owed = false
}

// Present gives the subchannel a status that no start function has asked for:
// attention, a device end after busy or after channel end. It is held while
// the subchannel has something to do, and lost while it is not enabled.
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
