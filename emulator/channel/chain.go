package channel

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// The limits of executing channel programs.
const (
	// MaxCCWs is the largest number of CCWs, TICs (transfers in channel, jumps)
	// included, that are executed in one event. A longer program continues in another
	// event, so that one that never ends stops neither the machine nor a halt or
	// clear.
	MaxCCWs = 65536
	// CCWTime is the least time that each CCW takes in a program longer than MaxCCWs:
	// an endless loop of commands that take no time still lets virtual time pass.
	CCWTime = machine.Microsecond
	// MaxDataChain is the number of CCWs that one command can always go through by
	// data chaining. A data chain that is much longer, in a loop against a device
	// that takes every byte, ends with a chaining check.
	MaxDataChain = MaxCCWs
	// MaxDataChainAhead is the largest number of CCWs of a data chain that are read
	// ahead to learn its count.
	MaxDataChainAhead = 256
	// MaxIntermediate is the largest number of intermediate interruptions of one
	// subchannel that are under way at a time. Further program-controlled
	// interruptions are shown with the ending status, as by a slow channel.
	MaxIntermediate = 16
)

// class is the kind of command that the low four bits of a command code name.
type class uint8

const (
	classInvalid class = iota
	classWrite
	classRead
	classBackward
	classControl
	classSense
	classTIC
)

// classes holds the class for each value of the low four bits of a command code.
var classes = [16]class{
	0x1: classWrite, 0x5: classWrite, 0x9: classWrite, 0xD: classWrite,
	0x2: classRead, 0x6: classRead, 0xA: classRead, 0xE: classRead,
	0x3: classControl, 0x7: classControl, 0xB: classControl, 0xF: classControl,
	0x4: classSense, 0xC: classBackward, 0x8: classTIC,
}

// normal is the unit status of a command that ended well.
const normal = arch.ChannelEnd | arch.DeviceEnd

// retry is the unit status with which a device asks the channel to repeat the
// command.
const retry = normal | arch.UnitCheck | arch.StatusModifier

// chain is the execution of a start function's channel program.
type chain struct {
	dataCursor
	sch       *Subchannel
	orb       ORB
	format1   bool
	idaw      addressing
	following machine.Address // address of the CCW to fetch next
	residual  uint16          // count left over of the last CCW whose count was used
	index     int             // number of commands since Begin
	begun     machine.Time    // time of Begin
	resumed   bool            // the next CCW is the first since a resume and may be a TIC
	signals   bool            // a CCW executed since run began asks for an interruption
	started   bool            // the first command of the start function has been accepted
	transfer  Transfer
	op        Operation
}

// dataCursor holds the part of a chain's state that data chaining changes, so that
// a transfer can take the change back.
type dataCursor struct {
	at       machine.Address // address of the last CCW used
	executed int             // number of CCWs in this event
	noted    int             // number of intermediate interruptions, see Subchannel.notes
	owed     bool            // a program-controlled interruption found no room
}

// outcome holds the status with which a chain ends.
type outcome struct {
	address  uint32
	unit     arch.UnitStatus
	channel  arch.ChannelStatus
	residual uint16
	deferred uint16 // deferred condition code, as in SCSW.Flags
	suspend  bool   // the chain is suspended, not ended
}

// prepare sets the chain up for the start function that orb asks for.
func (c *chain) prepare(sch *Subchannel, orb *ORB) {
	s := sch.subsystem
	c.sch = sch
	c.orb = *orb
	c.format1 = orb.Control&ORBFormat1 != 0
	switch orb.Control & (ORBFormat2IDAW | ORB2KIDAW) {
	case ORBFormat2IDAW:
		c.idaw = idaw2
	case ORBFormat2IDAW | ORB2KIDAW:
		c.idaw = idaw2Of2K
	default:
		c.idaw = idaw1
	}
	c.following = machine.Address(orb.ChannelProgram)
	c.dataCursor = dataCursor{at: c.following}
	c.residual = 0
	c.resumed, c.started = false, false
	x := &c.transfer.access
	x.storage = &s.machine.Storage
	x.key = byte(orb.Control>>ORBKeyShift) << 4
	x.keyed = x.key != 0
	x.limited = limitNone
	if orb.Control&ORBAddressLimit != 0 {
		x.limit = s.limit
		switch sch.pmcw.Flags & PMCWLimit {
		case PMCWLimitAbove:
			x.limited = limitAbove
		case PMCWLimitBelow:
			x.limited = limitBelow
		}
	}
	x.guarded = x.keyed || x.limited != limitNone
	c.transfer.chain = c
	c.op.Data = &c.transfer
}

// begin is called when the chain arrives at the control unit: at its first
// command, or again after a resume.
func (c *chain) begin(now machine.Time) {
	c.begun = now
	c.index = 0
	if status := c.sch.session.Begin(now, &c.orb); status != 0 {
		c.at = c.following
		c.end(outcome{unit: status, deferred: 1})
		return
	}
	c.run()
}

// run executes commands until the chain ends, is suspended, or has reached the
// limit of one event.
func (c *chain) run() {
	o := c.sch.subsystem.observer
	if o == nil {
		c.execute()
		return
	}
	c.signals = false
	o.Executing(c.sch)
	c.execute()
	o.Executed(c.sch, c.signals)
}

func (c *chain) execute() {
	c.executed = 0
	for c.executed < MaxCCWs {
		w, check := c.fetch(c.following, c.index > 0 || c.resumed)
		if check != 0 {
			c.end(outcome{channel: check})
			return
		}
		if w.Flags&arch.FlagS != 0 && c.orb.Control&ORBSuspend != 0 && c.valid(w, false) {
			c.following = c.at
			c.residual = w.Count
			c.end(outcome{suspend: true})
			return
		}
		if !c.command(w) {
			return
		}
	}
	elapsed := c.begun + c.sch.session.Elapsed()
	clock := &c.sch.subsystem.machine.Clock
	clock.At(max(elapsed, clock.Now()+MaxCCWs*CCWTime), c.sch, kindContinue, c.sch.tag())
}

// command executes one command with its data chain. It reports whether another
// command, at c.following, is to be fetched.
func (c *chain) command(w CCW) bool {
	class := c.classify(w)
	if class == classInvalid {
		c.end(outcome{channel: arch.ProgramCheck})
		return false
	}
	start, scheduled := c.at, c.noted
	t := &c.transfer
	t.output = class == classWrite || class == classControl
	t.back = class == classBackward
	t.after, t.moved, t.length, t.check = 0, 0, lengthNone, 0
	t.begin(w)
	op := &c.op
	op.Command, op.Flags, op.Count = w.Command, w.Flags, t.left+t.after
	op.Index, op.Chained = c.index, c.index > 0
	if w.Flags&arch.FlagPCI != 0 {
		c.interrupt()
	}
	initial := !c.started && c.orb.Control&ORBInitialStatus != 0
	var accepted note
	if initial {
		accepted = c.note(0, true)
	}

	// A write whose first byte cannot be fetched is not passed to the device, which
	// would fill a record with nothing.
	var unit arch.UnitStatus
	if class != classWrite || t.fetches() {
		unit = c.sch.session.Command(op)
	}
	if unit == retry && t.check == 0 {
		c.following = start
		c.scheduleNotes(scheduled)
		return true
	}
	unit, ending := t.end(unit)
	c.residual = uint16(t.left)
	if t.check != 0 { // the residual count has no meaning then
		c.residual = 0
	}

	more := unit&^arch.StatusModifier == normal && ending == 0 && t.flags&(arch.FlagCC|arch.FlagCD) == arch.FlagCC
	// An immediate command has no initial status of zero. If another command is
	// chained to it, it counts as accepted nevertheless.
	if initial && (!t.immediate() || more) {
		c.interruptInitial(accepted, scheduled)
	}
	c.started = true
	c.scheduleNotes(scheduled)
	if !more {
		c.end(outcome{unit: unit, channel: ending})
		return false
	}
	c.index++
	c.following = c.at + arch.CCWSize
	if unit&arch.StatusModifier != 0 {
		c.following += arch.CCWSize
	}
	return true
}

// classify returns the class of a CCW that begins a command, or classInvalid if
// the CCW is a program check. Once its flags and count are valid, its count
// becomes the residual count.
func (c *chain) classify(w CCW) class {
	if !c.valid(w, false) || w.Count == 0 && (!c.format1 || w.Flags&arch.FlagCD != 0) {
		return classInvalid
	}
	c.residual = w.Count
	if class := classes[w.Command&0x0F]; class != classTIC {
		return class
	}
	return classInvalid // a format-1 code 18 to F8
}

// valid reports whether the CCW's flags and address are valid. chained says that
// it was fetched by data chaining.
func (c *chain) valid(w CCW, chained bool) bool {
	const rare = arch.FlagS | arch.FlagMIDA
	if w.Flags&rare != 0 {
		if w.Flags&arch.FlagS != 0 && (chained || c.orb.Control&ORBSuspend == 0) {
			return false
		}
		if w.Flags&arch.FlagMIDA != 0 &&
			(w.Flags&(arch.FlagIDA|arch.FlagSkip) != 0 || c.orb.Control&ORBModifiedIDAW == 0) {
			return false
		}
	}
	return w.Address < machine.StorageSize && !(chained && w.Count == 0)
}

// fetch fetches the CCW at a, or the CCW to which a TIC there leads. A TIC may
// neither begin a program (ticAllowed) nor follow another TIC. c.at becomes the
// address of the last CCW used; if the target is not valid, that is the TIC.
func (c *chain) fetch(a machine.Address, ticAllowed bool) (CCW, arch.ChannelStatus) {
	for {
		c.at = a
		c.executed++
		w, check := c.peek(a)
		if check != 0 || !c.isTIC(w) {
			return w, check
		}
		target := machine.Address(w.Address)
		if !ticAllowed || c.format1 && (w.Flags != 0 || w.Count != 0) || target%arch.CCWSize != 0 ||
			c.transfer.access.storage.Segment(target) == nil {
			return w, arch.ProgramCheck
		}
		ticAllowed = false
		a = target
	}
}

// peek looks at the CCW at a without using it.
func (c *chain) peek(a machine.Address) (CCW, arch.ChannelStatus) {
	if a%arch.CCWSize != 0 || !c.format1 && a >= addresses24 {
		return CCW{}, arch.ProgramCheck
	}
	return c.transfer.access.ccw(a, c.format1)
}

func (c *chain) isTIC(w CCW) bool {
	return w.Command == arch.CommandTransfer || !c.format1 && arch.IsTransfer(w.Command)
}

// data fetches the next CCW of a data chain.
func (c *chain) data() (CCW, arch.ChannelStatus) {
	if c.executed >= MaxCCWs+MaxDataChain {
		return CCW{}, arch.ChainingCheck
	}
	w, check := c.fetch(c.at+arch.CCWSize, true)
	if check != 0 {
		return w, check
	}
	if !c.valid(w, true) {
		return w, arch.ProgramCheck
	}
	if w.Flags&arch.FlagPCI != 0 {
		c.interrupt()
	}
	return w, 0
}

// ahead returns the sum of the counts of the data chain that follows the CCW in
// use, as far as the chain is valid and MaxDataChainAhead reaches.
func (c *chain) ahead() int {
	sum := 0
	a := c.at
	tic := false
	for range MaxDataChainAhead {
		if !tic {
			a += arch.CCWSize
		}
		w, check := c.peek(a)
		if check != 0 {
			break
		}
		if c.isTIC(w) {
			if tic {
				break
			}
			tic = true
			a = machine.Address(w.Address)
			continue
		}
		tic = false
		sum += int(w.Count)
		if w.Flags&arch.FlagCD == 0 || w.Count == 0 {
			break
		}
	}
	return sum
}

// end passes the outcome to the subchannel: the status is now on its way.
func (c *chain) end(o outcome) {
	o.address = uint32(c.at + arch.CCWSize)
	o.residual = c.residual
	c.sch.ended(o, c.begun)
}
