package channel

import "github.com/iosrun/iosrun/abi/arch"

// Ending is the end of one start or resume function, for a session that puts it
// off (see Session.End). It is a value that may be copied and kept for as long as
// its subchannel; its methods are called in the machine's event loop. The zero
// value is an end that nobody waits for.
type Ending struct {
	sch   *Subchannel
	epoch uint32
}

// Awaited reports whether the subchannel still waits for the end: it has not been
// reported, and no halt or clear function has ended the wait.
func (e Ending) Awaited() bool { return e.sch != nil && e.sch.out && e.sch.epoch == e.epoch }

// Report says that the device has answered: the status reaches the channel now.
// With status 0 the function ends with the status of its commands. Otherwise it
// ends with this unit status, which is ChannelEnd|DeviceEnd together with
// UnitCheck, for which the session has the sense ready, or UnitException; a chain
// that was to be suspended then ends as well. Report does nothing and returns
// false when the end is not awaited.
func (e Ending) Report(status arch.UnitStatus) bool {
	if !e.Awaited() {
		return false
	}
	sch := e.sch
	sch.out = false
	if status != 0 {
		sch.outcome.unit, sch.outcome.suspend = status, false
		sch.fetchSense()
	}
	clock := &sch.subsystem.machine.Clock
	clock.At(clock.Now(), sch, kindStatus, sch.tag())
	return true
}

// Lose says that the path to the device is gone before the device has answered:
// the function ends with deferred condition code 3. It does nothing and returns
// false when the end is not awaited.
func (e Ending) Lose() bool {
	if !e.Awaited() {
		return false
	}
	sch := e.sch
	sch.out = false
	sch.unreachable(sch.subsystem.machine.Clock.Now(), sch.outcome.address)
	return true
}
