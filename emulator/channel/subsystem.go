package channel

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// InterruptHandler is told that a subchannel has become status pending and
// would interrupt (the IOS's first-level handler).
type InterruptHandler interface {
	// Interruption is called once for each interruption. It stays pending
	// until TestSubchannel or TestPendingInterruption takes it; status that
	// joins it before is not told again.
	Interruption(now machine.Time, sch *Subchannel)
}

// The limits and constants of the subchannel space.
const (
	// MaxSubchannels is how many subchannels a subsystem can have.
	MaxSubchannels = 65536
	// FirstID is the subsystem-identification word of subchannel 0.
	FirstID = 0x00010000
	// subclasses is the number of interruption subclasses.
	subclasses = 8
	// path is the one channel path of every subchannel, as a bit of the masks.
	path = 0x80
)

// Subsystem is the channel subsystem of a machine.
type Subsystem struct {
	machine     *machine.Machine
	handler     InterruptHandler
	observer    Observer // nil for none
	subchannels []*Subchannel
	numbers     map[uint16]*Subchannel
	limit       machine.Address // of address-limit checking
	monitor     monitor
	// pending is the interruptions pending by subclass, first come first.
	pending [subclasses]struct{ first, last *Subchannel }
}

// New makes a channel subsystem without subchannels for m.
func New(m *machine.Machine) *Subsystem {
	return &Subsystem{machine: m, numbers: make(map[uint16]*Subchannel)}
}

// SetInterruptHandler says who is told of interruptions. Without a handler
// they wait for TestPendingInterruption or TestSubchannel.
func (s *Subsystem) SetInterruptHandler(h InterruptHandler) { s.handler = h }

// Add makes a subchannel for the device that session leads to, with the next
// subchannel number. It is valid and not enabled; Enable or ModifySubchannel
// does that. It has one channel path, whose identifier is the device number's
// high byte. Add returns nil when there are MaxSubchannels already.
func (s *Subsystem) Add(deviceNumber uint16, session Session) *Subchannel {
	if len(s.subchannels) == MaxSubchannels {
		return nil
	}
	sch := &Subchannel{
		subsystem: s,
		session:   session,
		id:        FirstID + uint32(len(s.subchannels)),
		pmcw: PMCW{
			Flags:  PMCWValid,
			Device: deviceNumber,
			LPM:    0xFF,
			PIM:    path,
			POM:    0xFF,
			PAM:    path,
			CHPID:  [8]uint8{uint8(deviceNumber >> 8)},
		},
	}
	s.subchannels = append(s.subchannels, sch)
	if s.numbers[deviceNumber] == nil {
		s.numbers[deviceNumber] = sch
	}
	return sch
}

// Subchannel is the subchannel with the given subsystem-identification word,
// or nil: every instruction takes nil for a subchannel that is not there.
func (s *Subsystem) Subchannel(id uint32) *Subchannel {
	if n := id - FirstID; n < uint32(len(s.subchannels)) {
		return s.subchannels[n]
	}
	return nil
}

// Device is the first subchannel added with the given device number, or nil.
func (s *Subsystem) Device(number uint16) *Subchannel { return s.numbers[number] }

// Subchannels is how many subchannels there are. Their numbers are 0 to one
// less.
func (s *Subsystem) Subchannels() int { return len(s.subchannels) }

// SetAddressLimit is SET ADDRESS LIMIT: the boundary, a multiple of 64 KiB,
// for start functions whose ORB asks for address-limit checking. It takes
// effect with the next start function. Anything else is ErrOperand.
func (s *Subsystem) SetAddressLimit(limit uint32) error {
	if limit&0x8000FFFF != 0 {
		return fmt.Errorf("address limit %08x: want a multiple of 10000 below 80000000: %w", limit, ErrOperand)
	}
	s.limit = machine.Address(limit)
	return nil
}

// interrupt makes the subchannel's interruption pending and tells the handler,
// unless it is pending already.
func (sch *Subchannel) interrupt(now machine.Time) {
	if sch.queued {
		return
	}
	s := sch.subsystem
	q := &s.pending[sch.pmcw.ISC()]
	sch.queued = true
	sch.prev, sch.next = q.last, nil
	if q.last == nil {
		q.first = sch
	} else {
		q.last.next = sch
	}
	q.last = sch
	if s.handler != nil {
		s.handler.Interruption(now, sch)
	}
}

// dequeue takes the interruption away.
func (sch *Subchannel) dequeue() {
	if !sch.queued {
		return
	}
	q := &sch.subsystem.pending[sch.pmcw.ISC()]
	if sch.prev == nil {
		q.first = sch.next
	} else {
		sch.prev.next = sch.next
	}
	if sch.next == nil {
		q.last = sch.prev
	} else {
		sch.next.prev = sch.prev
	}
	sch.next, sch.prev = nil, nil
	sch.queued = false
}
