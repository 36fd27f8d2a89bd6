package channel

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
)

// Flags holds the flags of a CCW.
type Flags uint8

// CC is the condition code that an I/O instruction sets.
type CC uint8

// CCW is a channel-command word, independent of the format that it had in storage.
type CCW struct {
	Command byte
	Flags   Flags
	Count   uint16
	Address uint32
}

// PutCCW1 stores w in format 1 into the first eight bytes of p.
func PutCCW1(p []byte, w CCW) {
	_ = p[7]
	p[0] = w.Command
	p[1] = byte(w.Flags)
	binary.BigEndian.PutUint16(p[2:], w.Count)
	binary.BigEndian.PutUint32(p[4:], w.Address)
}

// ParseCCW1 reads a CCW of format 1 from the first eight bytes of p.
func ParseCCW1(p []byte) CCW {
	_ = p[7]
	return CCW{
		Command: p[0],
		Flags:   Flags(p[1]),
		Count:   binary.BigEndian.Uint16(p[2:]),
		Address: binary.BigEndian.Uint32(p[4:]),
	}
}

// PutCCW0 stores w in format 0 into the first eight bytes of p. The address is
// cut to 24 bits.
func PutCCW0(p []byte, w CCW) {
	_ = p[7]
	binary.BigEndian.PutUint32(p, uint32(w.Command)<<24|w.Address&0xFFFFFF)
	p[4] = byte(w.Flags)
	p[5] = 0
	binary.BigEndian.PutUint16(p[6:], w.Count)
}

// ParseCCW0 reads a CCW of format 0 from the first eight bytes of p.
func ParseCCW0(p []byte) CCW {
	_ = p[7]
	return CCW{
		Command: p[0],
		Address: binary.BigEndian.Uint32(p) & 0xFFFFFF,
		Flags:   Flags(p[4]),
		Count:   binary.BigEndian.Uint16(p[6:]),
	}
}

// ORB is the operation-request block that a start function names. It has 12 bytes
// in storage, or 32 with the extension (X).
type ORB struct {
	InterruptionParameter uint32
	// Control is word 1 of the ORB, as in storage: key, flags, logical-path mask,
	// length suppression and so on; its bits are the ORB constants.
	Control uint32
	// ChannelProgram is the address of the first CCW.
	ChannelProgram uint32
}

// The bits of ORB.Control. ORBKey is the mask of the storage key.
const (
	ORBKey                     = 0xF0000000
	ORBSuspend                 = 0x08000000 // S: suspend control
	ORBStreaming               = 0x04000000 // C
	ORBModification            = 0x02000000 // M
	ORBSynchronization         = 0x01000000 // Y
	ORBFormat1                 = 0x00800000 // F: CCWs of format 1
	ORBPrefetch                = 0x00400000 // P
	ORBInitialStatus           = 0x00200000 // I: initial-status interruption
	ORBAddressLimit            = 0x00100000 // A
	ORBSuppressSuspended       = 0x00080000 // U: suppress the suspended interruption
	ORBTransport               = 0x00040000 // B: transport mode (TCW)
	ORBFormat2IDAW             = 0x00020000 // H
	ORB2KIDAW                  = 0x00010000 // T
	ORBPathMask                = 0x0000FF00 // LPM
	ORBIncorrectLengthSuppress = 0x00000080 // L
	ORBModifiedIDAW            = 0x00000040 // D
	ORBReserved                = 0x0000003E
	ORBExtension               = 0x00000001 // X
	ORBDefaultControl          = ORBFormat1 | ORBPathMask
	ORBPathMaskShift           = 8
	ORBKeyShift                = 28
	ORBSize, ORBExtendedSize   = 12, 32
)

// SCSW is the subchannel-status word.
type SCSW struct {
	// Flags holds the first halfword: key, S, L, deferred condition code; F, P, I, A,
	// U, Z, E, N.
	Flags uint16
	// Control holds the second halfword: function, activity and status control.
	Control uint16
	// CCWAddress is the address of the last CCW used, plus 8.
	CCWAddress uint32
	Unit       arch.UnitStatus
	Channel    arch.ChannelStatus
	Residual   uint16
}

// SCSWSize is the size of an SCSW in storage.
const SCSWSize = 12

// Put stores s into the first twelve bytes of p.
func (s *SCSW) Put(p []byte) {
	_ = p[11]
	binary.BigEndian.PutUint16(p, s.Flags)
	binary.BigEndian.PutUint16(p[2:], s.Control)
	binary.BigEndian.PutUint32(p[4:], s.CCWAddress)
	p[8] = byte(s.Unit)
	p[9] = byte(s.Channel)
	binary.BigEndian.PutUint16(p[10:], s.Residual)
}

// IRB is the interruption-response block: SCSW, extended-status word and
// extended-control word (the concurrent sense bytes).
type IRB struct {
	SCSW SCSW
	ESW  [20]byte
	ECW  [32]byte
}

// OK reports whether the start function ended without any exception: channel
// end and device end, no other unit or channel status, and neither halted nor
// cleared.
func (i *IRB) OK() bool {
	return i.SCSW.Unit == arch.ChannelEnd|arch.DeviceEnd && i.SCSW.Channel == 0 && i.SCSW.Flags&arch.SCSWDeferredCC == 0 &&
		i.SCSW.Control&(arch.FunctionHalt|arch.FunctionClear) == 0
}
