package channel

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Session is one subchannel's way to a device: the calls that the channel
// subsystem makes. A device with alias subchannels gives a session of its own to
// each. All calls come from the machine's event loop.
//
// A channel program happens in three moments of virtual time. At StartSubchannel
// the start function leaves the channel; Deliver returns the time at which it
// reaches the control unit. At that time the channel subsystem calls Begin and
// executes the chain command by command. The effects on the medium and on main
// storage happen then, in the order in which chains arrive, while the duration is
// only added up. At the end the channel subsystem calls End, which returns the
// time at which the ending status reaches the channel; at that time the subchannel
// becomes status pending.
//
// A session whose device is outside the machine (a file, another server) does not
// know that time. It collects the data that the chain transfers, hands them over,
// and lets End say that the end comes later. It keeps the Ending then, and reports
// to it in the event loop when the device has answered.
type Session interface {
	// Deliver is called when a start or resume function leaves the channel at now. It
	// returns the time at which the control unit gets the function, machine.Never if
	// it is lost on the way (a later halt or clear ends the wait), or operational
	// false if no path leads to the device.
	Deliver(now machine.Time) (at machine.Time, operational bool)

	// Begin starts a chain, at its first command or again after a resume: all
	// positioning, file masks, extents and domains of an earlier chain are gone. It
	// returns the initial unit status: 0 to continue, busy, or unit check.
	Begin(now machine.Time, orb *ORB) arch.UnitStatus

	// Command executes one command. The status ends it: ChannelEnd|DeviceEnd for
	// success, with StatusModifier to skip a CCW, with UnitCheck (the session keeps
	// the sense bytes for Sense) or UnitException. The device takes and gives data
	// through op.Data only.
	Command(op *Operation) arch.UnitStatus

	// Elapsed returns the time that the chain has lasted so far, from Begin on: the
	// time at which a program-controlled interruption happens.
	Elapsed() machine.Time

	// End is called when the chain, which began at begun, has ended or been
	// suspended. It returns the time at which the status reaches the channel,
	// machine.Never if it never does. Or it returns later, and no time: the
	// subchannel then waits until the session reports the status to e. A session must
	// not report it before End has returned.
	End(begun machine.Time, e Ending) (at machine.Time, later bool)

	// Sense returns the sense bytes of the last unit check, and clears them. The
	// slice is valid until the next call.
	Sense() []byte

	// Reset is called for a halt or clear: the session drops the state of its chain
	// (a clear also ends a contingent allegiance). It may be called in any state.
	Reset(clear bool)
}

// Operation is one command on its way to a device.
type Operation struct {
	// Command is the command code.
	Command byte
	// Flags are the CCW's flags.
	Flags Flags
	// Count is the CCW's count, or the sum over a data chain if the channel knows it.
	// A device transfers by Data and needs Count only for checks that the
	// architecture words in terms of the count.
	Count int
	// Index is the ordinal of the command in the chain since Begin, from 0.
	Index int
	// Chained says that the command follows another by command chaining.
	Chained bool
	// Data is the transfer between main storage and the device.
	Data *Transfer
}
