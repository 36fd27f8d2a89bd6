package channel

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// InterruptHandler is told that a subchannel has become status pending and would
// interrupt (the first-level handler of the I/O supervisor).
type InterruptHandler interface {
	// Interruption is called once for each interruption. The interruption stays
	// pending until TestSubchannel or TestPendingInterruption takes it; status that
	// joins it before causes no further call.
	Interruption(now machine.Time, sch *Subchannel)
}

// The limits and constants of the subchannel space.
const (
	// MaxSubchannels is the largest number of subchannels of a subsystem.
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
	limit       machine.Address // boundary of address-limit checking
	monitor     monitor
	// pending lists the pending interruptions of each subclass, the oldest first.
	pending [subclasses]struct{ first, last *Subchannel }
}

// New makes a channel subsystem without subchannels for m.
func New(m *machine.Machine) *Subsystem {
	return &Subsystem{machine: m, numbers: make(map[uint16]*Subchannel)}
}

// SetInterruptHandler sets the handler that is told of interruptions. Without a
// handler they wait for TestPendingInterruption or TestSubchannel.
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

// Subchannel returns the subchannel with the given subsystem-identification word,
// or nil; every instruction takes nil for a subchannel that does not exist.
func (s *Subsystem) Subchannel(id uint32) *Subchannel {
	if n := id - FirstID; n < uint32(len(s.subchannels)) {
		return s.subchannels[n]
	}
	return nil
}

// Device returns the first subchannel added with the given device number, or nil.
func (s *Subsystem) Device(number uint16) *Subchannel { return s.numbers[number] }

// Subchannels returns the number of subchannels. They are numbered from 0.
func (s *Subsystem) Subchannels() int { return len(s.subchannels) }

// SetAddressLimit executes SET ADDRESS LIMIT: it sets the boundary, a multiple of
// 64 KiB, for start functions whose ORB asks for address-limit checking. It takes
// effect with the next start function. Any other value is an ErrOperand.
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

// dequeue takes the subchannel's pending interruption away.
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
