package dasd

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// kindNoLongerBusy is the event at which the device end arrives that a busy status
// has promised to a session.
const kindNoLongerBusy = machine.KindDASD

// Presenter takes a status that no start function has asked for: a
// channel.Subchannel.
type Presenter interface {
	Present(now machine.Time, status arch.UnitStatus)
}

// owed is the device end that follows a busy. A session whose start the device has
// answered with busy, because another host had reserved it, is told of the end of
// the reservation.
type owed struct {
	to Presenter
	is bool
}

// Connect lets the device present statuses that no start function has asked for to
// sch. It reports whether the session of sch is one of this package; for any other
// it does nothing. Without Connect a device that was busy stays silent, and hosts
// have to try again.
func Connect(sch *channel.Subchannel) bool {
	s, ok := sch.Session().(interface{ connect(Presenter) })
	if ok {
		s.connect(sch)
	}
	return ok
}

func (s *session) connect(to Presenter) { s.owed.to = to }

// reservedToAnother reports whether a host other than the session's has reserved
// the device.
func (s *session) reservedToAnother() bool {
	r := s.device.reserved
	return r != 0 && r != int(s.link.config.Host)+1
}

// freed sends the device ends that are owed, at the time at, from which on the
// device is not reserved. A device end that its link does not carry stays owed.
func (d *Device) freed(at machine.Time) {
	for _, s := range d.sessions {
		if s.owed.is && s.owed.to != nil && !s.reservedToAnother() {
			if arrival := at + s.link.latency; !s.link.cut(at, arrival) {
				s.subsystem.m.Clock.At(arrival, s, kindNoLongerBusy, 0)
			}
		}
	}
}

// Event handles the session's event: it presents the device end that was owed,
// unless in the meantime a start has come through. If the device has been reserved
// again, the device end stays owed.
func (s *session) Event(machine.Kind, uint64) {
	if s.owed.is && !s.reservedToAnother() {
		s.owed.is = false
		s.owed.to.Present(s.subsystem.m.Clock.Now(), arch.DeviceEnd)
	}
}
