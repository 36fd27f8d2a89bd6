package channel

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// note is an intermediate interruption to come. A chain is executed at once, but
// its program-controlled interruptions happen at the times at which their CCWs
// would take control.
type note struct {
	at      machine.Time
	address uint32             // CCW address of the SCSW
	channel arch.ChannelStatus // PCI or none
	zero    bool               // zero condition code: initial status
}

// notes holds a subchannel's intermediate interruptions under way, in the order in
// which they happen. They have the numbers from presented up to chain.noted, both
// counted from the beginning of the start function.
type notes struct {
	slots     [MaxIntermediate]note
	presented int
}

func (n *notes) slot(i int) *note { return &n.slots[i%MaxIntermediate] }

// note returns an intermediate interruption for the CCW in use.
func (c *chain) note(channel arch.ChannelStatus, zero bool) note {
	return note{
		at:      c.begun + c.sch.session.Elapsed(),
		address: uint32(c.at + arch.CCWSize),
		channel: channel,
		zero:    zero,
	}
}

// interrupt notes a program-controlled interruption for the CCW in use.
func (c *chain) interrupt() {
	c.signals = true
	n := &c.sch.notes
	if c.noted-n.presented == MaxIntermediate {
		c.owed = true
		return
	}
	*n.slot(c.noted) = c.note(arch.PCI, false)
	c.noted++
}

// interruptInitial puts the initial-status interruption before the interruptions
// that the first command has noted, which begin at index i.
func (c *chain) interruptInitial(initial note, i int) {
	n := &c.sch.notes
	if i < c.noted && n.slot(i).address == initial.address {
		n.slot(i).zero = true
		return
	}
	if c.noted-n.presented == MaxIntermediate {
		c.owed = true
	} else {
		c.noted++
	}
	for j := c.noted - 1; j > i; j-- {
		*n.slot(j) = *n.slot(j - 1)
	}
	*n.slot(i) = initial
}

// scheduleNotes schedules the interruptions noted from index i on.
func (c *chain) scheduleNotes(i int) {
	for ; i < c.noted; i++ {
		c.sch.subsystem.machine.Clock.At(c.sch.notes.slot(i).at, c.sch, kindIntermediate, c.sch.tag())
	}
}

// renew begins a new channel status unless status is pending; then the pending one
// is continued.
func (sch *Subchannel) renew() {
	if sch.scsw.Control&arch.StatusPending == 0 {
		sch.scsw.Channel = 0
	}
}

// intermediate makes the subchannel status pending with the next intermediate
// interruption under way. A status that has not been cleared yet takes the new one
// up.
func (sch *Subchannel) intermediate(now machine.Time) {
	n := sch.notes.slot(sch.notes.presented)
	sch.notes.presented++
	sch.scsw.CCWAddress = n.address
	sch.scsw.Unit = 0
	sch.renew()
	sch.scsw.Channel |= n.channel
	if n.zero {
		sch.scsw.Flags |= arch.SCSWZero
	}
	sch.scsw.Control |= arch.StatusIntermed | arch.StatusPending
	sch.interrupt(now)
}
