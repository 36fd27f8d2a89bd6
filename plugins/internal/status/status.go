package status

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
)

// NoPath reports whether the start function was accepted, but found no path to
// the device: deferred condition code 3.
func NoPath(s *abi.Status) bool {
	return half(s, arch.SCSWFlags)&arch.SCSWDeferredCC == arch.SCSWDeferredCC
}

// Missing reports whether the I/O was ended by a halt or a clear, as
// missing-interruption handling does with one that does not end by itself.
func Missing(s *abi.Status) bool {
	return half(s, arch.SCSWControl)&(arch.FunctionHalt|arch.FunctionClear) != 0
}

// UnitCheck reports whether the device has presented unit check and so given
// sense bytes.
func UnitCheck(s *abi.Status) bool { return arch.UnitStatus(s.SCSW[arch.SCSWUnit])&arch.UnitCheck != 0 }

// ChannelError reports whether the channel has found an error, such as a program
// check or an incorrect length.
func ChannelError(s *abi.Status) bool {
	return arch.ChannelStatus(s.SCSW[arch.SCSWChannel])&^arch.PCI != 0
}

// half returns the halfword of the subchannel-status word at an offset.
func half(s *abi.Status, at int) uint16 { return binary.BigEndian.Uint16(s.SCSW[at:]) }
