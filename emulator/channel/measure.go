package channel

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/emulator/machine"
)

// MeasurementBlockSize is the size of a subchannel's measurement block, in
// bytes; a block lies at the origin plus the PMCW's index times this.
const MeasurementBlockSize = 32

// measurementUnit is the unit of time in a measurement block.
const measurementUnit = 128 * machine.Microsecond

// The fields of a measurement block that are kept.
const (
	measuredStarts  = 0 // SSCH and RSCH count, a halfword
	measuredSamples = 2 // a halfword
	measuredConnect = 4
	measuredPending = 8
)

// monitor holds the settings of SET CHANNEL MONITOR.
type monitor struct {
	on     bool
	origin machine.Address
}

// SetChannelMonitor executes SET CHANNEL MONITOR for the measurement-block update:
// blocks begin at origin, a multiple of 32. A subchannel's block is updated at
// each ending status while the PMCW asks for it. The time of the device, from the
// arrival of a function to its status, counts as connect time, because a Session
// does not report disconnected time separately.
func (s *Subsystem) SetChannelMonitor(on bool, origin machine.Address) {
	s.monitor = monitor{on: on, origin: origin}
}

// measure adds the function whose status has arrived to the measurement block. A
// block that is not in storage is not updated.
func (sch *Subchannel) measure(now machine.Time) {
	starts := sch.starts
	sch.starts = 0
	s := sch.subsystem
	if !s.monitor.on || sch.pmcw.Flags&PMCWMeasure == 0 {
		return
	}
	var block [MeasurementBlockSize]byte
	a := s.monitor.origin + machine.Address(sch.pmcw.MBI)*MeasurementBlockSize
	if _, err := s.machine.Storage.Load(a, block[:]); err != nil {
		return
	}
	half := func(at int, n uint16) {
		binary.BigEndian.PutUint16(block[at:], binary.BigEndian.Uint16(block[at:])+n)
	}
	word := func(at int, t machine.Time) {
		binary.BigEndian.PutUint32(block[at:], binary.BigEndian.Uint32(block[at:])+uint32(max(t, 0)/measurementUnit))
	}
	half(measuredStarts, starts)
	half(measuredSamples, 1)
	word(measuredConnect, now-sch.chain.begun)
	word(measuredPending, sch.chain.begun-sch.issued)
	// The block was there a moment ago.
	_, _ = s.machine.Storage.Store(a, block[:])
}
