package dasd

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// noOperation is No-Operation (03).
func (s *eckd) noOperation(op *channel.Operation) arch.UnitStatus {
	op.Data.Immediate()
	return done
}

// giveSense is Sense (04).
func (s *session) giveSense(op *channel.Operation) arch.UnitStatus {
	p := s.takeSense()
	return give(op, p)
}

// give sends all bytes of p.
func give(op *channel.Operation, p []byte) arch.UnitStatus {
	op.Data.Expect(len(p))
	op.Data.Write(p)
	return done
}

func (s *eckd) sense(op *channel.Operation) arch.UnitStatus { return s.giveSense(op) }

// senseIdentity is Sense ID (E4). The control units with six sense bytes are older
// than the command and refuse it.
func (s *eckd) senseIdentity(op *channel.Operation) arch.UnitStatus {
	if s.device.unit.senseLength < senseMessage {
		return s.reject(messageInvalidCommand)
	}
	return give(op, s.device.senseID(s.buffer(0)))
}

// readCharacteristics is Read Device Characteristics (64).
func (s *eckd) readCharacteristics(op *channel.Operation) arch.UnitStatus {
	if !s.device.unit.extended {
		return s.reject(messageInvalidSequence)
	}
	return give(op, s.device.characteristics())
}

// readConfiguration is Read Configuration Data (FA).
func (s *eckd) readConfiguration(op *channel.Operation) arch.UnitStatus {
	return give(op, s.device.configuration())
}

// reserve is Device Reserve (B4) and Unconditional Reserve (14): they give the
// sense bytes.
func (s *eckd) reserve(op *channel.Operation) arch.UnitStatus {
	if op.Index > 1 || op.Index == 1 && s.before != arch.CommandSuspendReconnection {
		return s.reject(messageInvalidSequence)
	}
	return s.doReserve(op)
}

func (s *session) doReserve(op *channel.Operation) arch.UnitStatus {
	s.device.Reserve(s.link.config.Host)
	return s.giveSense(op)
}

// release is Device Release (94).
func (s *eckd) release(op *channel.Operation) arch.UnitStatus {
	if s.extent.defined || s.masked || s.loaded {
		return s.reject(messageInvalidSequence)
	}
	return s.doRelease(op)
}

func (s *session) doRelease(op *channel.Operation) arch.UnitStatus {
	s.device.reserved = 0
	s.device.freed(s.start + s.elapsed)
	return s.giveSense(op)
}

// resetAllegiance is Reset Allegiance (44): it ends a reservation of another
// system.
func (s *eckd) resetAllegiance(op *channel.Operation) arch.UnitStatus {
	return s.doRelease(op)
}

// readLog is Read and Reset Buffered Log (A4): the log is empty.
func (s *eckd) readLog(op *channel.Operation) arch.UnitStatus {
	const size = 32
	if !s.alone(op) {
		return s.reject(messageInvalidSequence)
	}
	return give(op, make([]byte, size))
}

// alone reports whether the command is the first of the chain, or behind one that
// Sense Subsystem Status and the like may follow.
func (s *eckd) alone(op *channel.Operation) bool {
	switch s.before {
	case arch.CommandReadCharacteristics, arch.CommandReadConfiguration:
		return true
	case arch.CommandSuspendReconnection:
		return op.Index == 1
	}
	return op.Index == 0
}

// readMessage is Read Message Identifier (4E). It always fails, because the
// message that it would follow does not exist here.
func (s *eckd) readMessage(*channel.Operation) arch.UnitStatus {
	return s.reject(messageInvalidSequence)
}

// diagnosticControl is Diagnostic Control (F3). Only the maintenance query exists,
// and it reports nothing. The file mask must permit the command.
func (s *eckd) diagnosticControl(op *channel.Operation) arch.UnitStatus {
	const size, maintenanceQuery = 4, 0x06
	op.Data.Expect(size)
	var p [size]byte
	switch n := op.Data.Read(p[:]); {
	case n < len(p):
		return s.reject(messageCountTooSmall)
	case p[0] != maintenanceQuery || p[2]|p[3] != 0:
		return s.reject(messageInvalidParameter)
	case s.mask&arch.MaskAuthority == 0:
		return s.reject(messageDiagnostic)
	}
	return done
}

// suspendMultipath is Suspend Multipath Reconnection (5B): the chain stays on
// its path, as every chain here does. It must come first.
func (s *eckd) suspendMultipath(op *channel.Operation) arch.UnitStatus {
	op.Data.Immediate()
	return done
}

// pathGroup holds the settings that a host has made for its path.
type pathGroup struct {
	host     uint8
	state    byte
	identity [pathGroupID]byte
}

// Sizes of path group data.
const (
	pathGroupSize = 12
	pathGroupID   = 11
)

// The function byte of Set Path Group Identifier, and the path state in the
// answer of the sense command.
const (
	pathMultiple = 0x80
	pathFunction = 0x60
	pathDisband  = 0x20
	pathResign   = 0x40

	stateGrouped   = 0xC0
	stateEnabled   = 0x30 // set explicitly, while the device is reserved (Hercules 4)
	stateUngrouped = 0x80
	stateMultiple  = 0x08
)

func (d *Device) group(host uint8) *pathGroup {
	for i := range d.groups {
		if d.groups[i].host == host {
			return &d.groups[i]
		}
	}
	d.groups = append(d.groups, pathGroup{host: host})
	return &d.groups[len(d.groups)-1]
}

// setPathGroup is Set Path Group Identifier (AF). It must be alone in its chain
// but for a suspend multipath reconnection.
func (s *eckd) setPathGroup(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(pathGroupSize)
	var p [pathGroupSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if s.extent.defined || op.Index > 1 {
		return s.reject(messageInvalidSequence)
	}
	g := s.device.group(s.link.config.Host)
	var id [pathGroupID]byte
	copy(id[:], p[1:])
	if g.state != 0 && g.identity != id || p[0]&pathFunction == pathFunction {
		return s.reject(messageInvalidParameter)
	}
	g.identity = id
	g.state = stateUngrouped
	if p[0]&pathFunction == 0 {
		g.state = stateGrouped
		if p[0]&pathMultiple != 0 {
			g.state |= stateMultiple
		}
	}
	return done
}

// sensePathGroup is Sense Path Group Identifier (34).
func (s *eckd) sensePathGroup(op *channel.Operation) arch.UnitStatus {
	g := s.device.group(s.link.config.Host)
	var p [pathGroupSize]byte
	p[0] = g.state
	if s.device.reserved != 0 {
		p[0] |= stateEnabled
	}
	copy(p[1:], g.identity[:])
	return give(op, p[:])
}
