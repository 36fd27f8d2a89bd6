package status

import "github.com/iosrun/iosrun/abi"

// Bytes of the subchannel-status word, and the bits of them that are read here
// (z/Architecture Principles of Operation, "Interruption-Response Block").
const (
	byte0       = 0 // key, suspend control, ESW format, deferred condition code
	byte2       = 2 // function control and the first bits of activity control
	unitStatus  = 8
	channelByte = 9

	deferredCC    = 0x03
	haltFunction  = 0x20
	clearFunction = 0x10
	unitCheck     = 0x02
	// interrupting is the bit of the channel status that is no error: PCI.
	interrupting = 0x80
)

// Bits of sense byte 0 (3990 storage control reference, "Sense Bytes").
const (
	CommandReject        = 0x80
	InterventionRequired = 0x40
	EquipmentCheck       = 0x10
	DataCheck            = 0x08
)

// Bits of sense byte 1.
const (
	InvalidTrackFormat = 0x40
	NoRecordFound      = 0x08
	FileProtected      = 0x04
	WriteInhibited     = 0x02
)

// NoPath reports whether the start function was accepted, but found no path to
// the device: deferred condition code 3.
func NoPath(s *abi.Status) bool { return s.SCSW[byte0]&deferredCC == deferredCC }

// Missing reports whether the I/O was ended by a halt or a clear, as
// missing-interruption handling does with one that does not end by itself.
func Missing(s *abi.Status) bool { return s.SCSW[byte2]&(haltFunction|clearFunction) != 0 }

// UnitCheck reports whether the device has presented unit check and so given
// sense bytes.
func UnitCheck(s *abi.Status) bool { return s.SCSW[unitStatus]&unitCheck != 0 }

// ChannelError reports whether the channel has found something wrong, such as a
// program check or an incorrect length.
func ChannelError(s *abi.Status) bool { return s.SCSW[channelByte]&^interrupting != 0 }
