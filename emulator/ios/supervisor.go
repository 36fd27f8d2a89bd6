package ios

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// Limits and defaults of the supervisor.
const (
	// MaxUnits is the largest number of unit control blocks, aliases included.
	MaxUnits = 4096
	// MaxAliases is the largest number of aliases of a base unit.
	MaxAliases = 255
	// MaxRetries is the number of times that error recovery drives a failed request
	// again before the error is permanent.
	MaxRetries = 3
	// BusyRetry is the time for which a request waits after condition code 1 or 2, or
	// after return code 4, before it is tried again, unless something else drives its
	// unit earlier. The wait doubles up to MaxBusyRetry until a request of the unit
	// is started.
	BusyRetry    = 100 * machine.Microsecond
	MaxBusyRetry = 10 * machine.Millisecond
	// MissingInterrupt is the longest time that a started request may take before
	// missing-interrupt handling ends it: the default for DASD (disks) of z/OS.
	MissingInterrupt = 15 * machine.Second
	// missingInterruptScan is the time between two scans of the started requests.
	missingInterruptScan = machine.Second
	// RecoveryTime is the time in which a device must give a sign of life once it has
	// lost an interruption and has been asked again; otherwise it is boxed. It is far
	// longer than an idle device takes for a request, and a device that answers
	// nothing never has more requests started than its units can start.
	RecoveryTime = 2 * machine.Second
)

// The supervisor's event kinds.
const (
	kindRedrive = machine.KindIOS + iota
	kindMissingInterrupt
)

// Supervisor is the I/O supervisor of a machine.
type Supervisor struct {
	Machine *machine.Machine
	Channel *channel.Subsystem
	// Slots holds the first and the third pointer; the second pointer, the return
	// address, is in each IOQ.
	Slots Slots
	// Hooks holds the detours on the slots and their generations.
	Hooks hooks.Table
	// Paths holds the path lengths of the modules.
	Paths PathLengths
	// MissingInterrupt is the time-out of started requests; 0 stands for the
	// constant of that name, a negative one switches the handling off.
	MissingInterrupt machine.Time
	// Told, if not nil, is told when a device is boxed or is online again. u is its
	// base unit.
	Told func(at machine.Time, u *UCB, boxed bool)

	units    []*UCB
	lastID   uint64
	underway int // number of started requests on all units
	scanning bool
	observer Observer // nil for none
	counts   Counts
}

// Counts holds the counters of the supervisor over a run.
type Counts struct {
	STARTIO           uint64 // requests
	SSCH              uint64 // start functions issued
	RSCH              uint64 // resume functions issued
	Interruptions     uint64
	Redriven          uint64 // requests that error recovery has driven again
	MissingInterrupts uint64
	Boxed             uint64 // devices given up because they did not answer
	Duplicates        uint64 // post-status processing of a request that had ended: always 0
}

// New makes the supervisor of a machine and takes over its interruptions.
func New(m *machine.Machine, c *channel.Subsystem) *Supervisor {
	s := &Supervisor{Machine: m, Channel: c, Paths: DefaultPathLengths()}
	c.SetInterruptHandler(s)
	return s
}

// Counts returns the counts so far.
func (s *Supervisor) Counts() Counts { return s.counts }

// Units returns the units in the order of their indices. The slice must not be
// changed.
func (s *Supervisor) Units() []*UCB { return s.units }

// NextID returns a new identity for an I/O.
func (s *Supervisor) NextID() uint64 {
	s.lastID++
	return s.lastID
}

// AddUnit makes the unit control block of a device that is reached through
// session. base is the base unit of an alias, whose subchannel then starts
// requests of base too; it is nil for any other unit. AddUnit returns an error
// beyond MaxUnits or MaxAliases.
func (s *Supervisor) AddUnit(deviceNumber uint16, session channel.Session, base *UCB) (*UCB, error) {
	if len(s.units) == MaxUnits {
		return nil, fmt.Errorf("unit %04X: there are %d units already, the limit", deviceNumber, MaxUnits)
	}
	if base != nil && (base.Base != nil || len(base.Aliases) == MaxAliases) {
		return nil, fmt.Errorf("unit %04X: alias of %04X: that is an alias itself, or has %d aliases, the limit", deviceNumber, base.DeviceNumber, MaxAliases)
	}
	u := &UCB{Index: len(s.units), DeviceNumber: deviceNumber, Base: base}
	u.Subchannel = s.Channel.Add(deviceNumber, session)
	u.Subchannel.Owner = u
	u.Subchannel.Enable()
	u.Subchannel.EnableConcurrentSense()
	u.slih.init(s, u)
	s.units = append(s.units, u)
	if base != nil {
		base.Aliases = append(base.Aliases, u)
	}
	u.putIdle()
	return u, nil
}

// Quiesce keeps the unit from starting requests, as IOACTION STOP does. Requests
// that are started continue.
func (s *Supervisor) Quiesce(u *UCB) { u.quiesced = true }

// HoldWrites keeps the unit from starting requests that may write (step 82). It
// can be called several times: the writes wait for as many calls of Release.
func (s *Supervisor) HoldWrites(u *UCB) { u.holdWrite++ }

// Release ends Quiesce and one HoldWrites (step 86) and drives the queue of the
// unit.
func (s *Supervisor) Release(p *machine.Processor, u *UCB) {
	u.quiesced = false
	if u.holdWrite > 0 {
		u.holdWrite--
	}
	s.drive(p, u)
}

// Event drives a unit again after a wait, or looks for missing interruptions.
func (s *Supervisor) Event(kind machine.Kind, arg uint64) {
	switch kind {
	case kindRedrive:
		s.units[arg].retrying = false
		s.units[arg].slih.redrive()
	case kindMissingInterrupt:
		s.scanMissingInterrupts()
	}
}
