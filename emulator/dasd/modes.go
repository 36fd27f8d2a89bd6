package dasd

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// modes is a set of the cache functions that Set Subsystem Mode has deactivated: a
// subsystem and its devices begin with all of them active. The subsystem's modes
// come first: while its caching is deactivated, neither cache nor non-volatile
// storage is used. The modes of a device are kept meanwhile and hold again
// afterwards (IBM, SETCACHE SUBSYSTEM OFF).
type modes uint8

const (
	noCaching        modes = 1 << iota // caching, of the subsystem or the device
	noFastWrite                        // non-volatile storage, of the subsystem or the device
	noCacheFastWrite                   // writes to the cache alone, of the subsystem
)

// caches reports whether tracks of the device come into the cache.
func (d *Device) caches() bool { return (d.modes|d.subsystem.modes)&noCaching == 0 }

// fastWrites reports whether writes to the device may end in non-volatile storage.
// The mode of the device's own caching does not matter for that.
func (d *Device) fastWrites() bool {
	return d.subsystem.modes&(noCaching|noFastWrite) == 0 && d.modes&noFastWrite == 0
}

// fastWrite reports whether writes of the chain may end in non-volatile
// storage.
func (s *session) fastWrite() bool {
	return s.attribute&arch.AttributeInhibitFast == 0 && s.device.fastWrites()
}

// cacheFastWrite reports whether writes of the chain end in the cache.
func (s *session) cacheFastWrite() bool {
	return s.attribute&arch.AttributeFastWrite != 0 && s.subsystem.modes&noCacheFastWrite == 0 && s.device.caches()
}

// mode holds the modes that one value of a field of Set Subsystem Mode sets and
// clears.
type mode struct{ set, clear modes }

const modeFieldMax = 5

// The fields of Set Subsystem Mode: bits 0-2 of byte 0, for the subsystem; bits
// 3-5, for the device; bits 0-2 of byte 1, for the subsystem. The number of values
// of each field is known; their order is recalled, unsourced.
var (
	subsystemModes = [modeFieldMax + 1]mode{
		1: {clear: noCaching},
		2: {set: noCaching},
		3: {set: noCaching}, // by force
		4: {clear: noCacheFastWrite},
		5: {set: noCacheFastWrite},
	}
	deviceModes = [modeFieldMax + 1]mode{
		1: {clear: noCaching},
		2: {set: noCaching},
		3: {clear: noFastWrite},
		4: {set: noFastWrite},
		5: {set: noFastWrite}, // by force
	}
	storageModes = [modeFieldMax + 1]mode{
		1: {clear: noFastWrite},
		2: {set: noFastWrite},
		3: {set: noFastWrite}, // by force
		// 4 and 5, which control duplexing, have no effect.
	}
)

// setSubsystemMode is Set Subsystem Mode (87): two bytes with three fields, of
// which at most one is other than zero. It takes effect at once: tracks that may
// not be cached any more leave the cache. Data is on the media anyway, so there is
// nothing to destage and force makes no difference.
func (s *eckd) setSubsystemMode(op *channel.Operation) arch.UnitStatus {
	const size = 2
	op.Data.Expect(size)
	var p [size]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if op.Index > 1 || op.Index == 1 && s.before != arch.CommandSuspendReconnection {
		return s.reject(messageInvalidSequence)
	}
	subsystem, device, storage := p[0]>>5, p[0]>>2&7, p[1]>>5
	if p[0]&0x02 != 0 || p[1]&0x1F != 0 || subsystem > modeFieldMax || device > modeFieldMax || storage > modeFieldMax ||
		subsystem != 0 && device|storage != 0 || device != 0 && storage != 0 {
		return s.reject(messageInvalidParameter)
	}
	for _, m := range [...]mode{subsystemModes[subsystem], storageModes[storage]} {
		s.subsystem.modes = s.subsystem.modes&^m.clear | m.set
	}
	m := deviceModes[device]
	s.device.modes = s.device.modes&^m.clear | m.set
	for _, d := range s.subsystem.devices {
		if !d.caches() {
			s.subsystem.cache.drop(d)
		}
	}
	return done
}

// Offsets in the answer of Sense Subsystem Status, and their values (IBM, layouts
// of RMF's cache records, which have these bytes as they are).
const (
	subsystemStatusSize = 40
	statusUnit          = 1
	statusDevices       = 2 // number of the subsystem's devices, less one
	statusCaching       = 4
	statusNonVolatile   = 5
	statusDevice        = 26
	statusSubsystem     = 38

	cachingTerminated     = 0x80 // by the host
	nonVolatileTerminated = 0x80
	deviceNoCaching       = 0xC0
	deviceNoFastWrite     = 0x30
)

// cacheStatus returns the byte of the device's own caching states.
func (d *Device) cacheStatus() (status byte) {
	if d.modes&noCaching != 0 {
		status |= deviceNoCaching
	}
	if d.modes&noFastWrite != 0 {
		status |= deviceNoFastWrite
	}
	return status
}

// senseSubsystemStatus is Sense Subsystem Status (54). The number of devices is
// copied from a captured answer of a 3990.
func (s *eckd) senseSubsystemStatus(op *channel.Operation) arch.UnitStatus {
	if !s.alone(op) {
		return s.reject(messageInvalidSequence)
	}
	var p [subsystemStatusSize]byte
	p[statusUnit] = byte(s.device.number)
	p[statusDevices] = 0x1F
	if s.subsystem.modes&noCaching != 0 {
		p[statusCaching] = cachingTerminated
	}
	if s.subsystem.modes&noFastWrite != 0 {
		p[statusNonVolatile] = nonVolatileTerminated
	}
	p[statusDevice] = s.device.cacheStatus()
	binary.BigEndian.PutUint16(p[statusSubsystem:], s.device.subsystemID())
	return give(op, p[:])
}
