package channel

import "encoding/binary"

// Flags are the flags of a CCW.
type Flags uint8

// The CCW's flags.
const (
	FlagCD   Flags = 0x80 // data chaining
	FlagCC   Flags = 0x40 // command chaining
	FlagSLI  Flags = 0x20 // suppress length indication
	FlagSkip Flags = 0x10 // no data to storage
	FlagPCI  Flags = 0x08 // program-controlled interruption
	FlagIDA  Flags = 0x04 // indirect data address
	FlagS    Flags = 0x02 // suspend
	FlagMIDA Flags = 0x01 // modified indirect data address
)

// UnitStatus is the device's status byte in the SCSW.
type UnitStatus uint8

// The bits of the unit status.
const (
	Attention      UnitStatus = 0x80
	StatusModifier UnitStatus = 0x40
	ControlUnitEnd UnitStatus = 0x20
	Busy           UnitStatus = 0x10
	ChannelEnd     UnitStatus = 0x08
	DeviceEnd      UnitStatus = 0x04
	UnitCheck      UnitStatus = 0x02
	UnitException  UnitStatus = 0x01
)

// ChannelStatus is the channel's status byte in the SCSW.
type ChannelStatus uint8

// The bits of the channel status.
const (
	PCI                   ChannelStatus = 0x80
	IncorrectLength       ChannelStatus = 0x40
	ProgramCheck          ChannelStatus = 0x20
	ProtectionCheck       ChannelStatus = 0x10
	ChannelDataCheck      ChannelStatus = 0x08
	ChannelControlCheck   ChannelStatus = 0x04
	InterfaceControlCheck ChannelStatus = 0x02
	ChainingCheck         ChannelStatus = 0x01
)

// CC is the condition code that an I/O instruction sets.
type CC uint8

// CCW is a channel-command word, whichever format it had in storage.
type CCW struct {
	Command byte
	Flags   Flags
	Count   uint16
	Address uint32
}

// CCWSize is the size of a CCW in storage; it lies on a doubleword.
const CCWSize = 8

// TIC is the command code of a transfer in channel (format 1: exactly this
// byte; format 0: any byte whose low four bits are 8).
const TIC = 0x08

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

// ORB is the operation-request block that a start function names. The layout
// in storage is of 12 bytes, or 32 with the extension (X).
type ORB struct {
	InterruptionParameter uint32
	// Control is word 1 of the ORB, as in storage: key, flags, logical-path
	// mask, length suppression and so on; the ORB constants are its bits.
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
	// Flags is the first halfword: key, S, L, deferred condition code; F, P, I,
	// A, U, Z, E, N.
	Flags uint16
	// Control is the second halfword: function, activity and status control.
	Control uint16
	// CCWAddress is the address of the last CCW used, plus 8.
	CCWAddress uint32
	Unit       UnitStatus
	Channel    ChannelStatus
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

// The bits of SCSW.Flags.
const (
	SCSWKey         = 0xF000
	SCSWSuspend     = 0x0800
	SCSWESWFormat   = 0x0400
	SCSWDeferredCC  = 0x0300
	SCSWFormat1     = 0x0080
	SCSWPrefetch    = 0x0040
	SCSWInitial     = 0x0020
	SCSWLimit       = 0x0010
	SCSWSuppress    = 0x0008
	SCSWZero        = 0x0004
	SCSWExtended    = 0x0002
	SCSWNotOperPath = 0x0001
)

// The bits of SCSW.Control.
const (
	FunctionStart  = 0x4000
	FunctionHalt   = 0x2000
	FunctionClear  = 0x1000
	ResumePending  = 0x0800
	StartPending   = 0x0400
	HaltPending    = 0x0200
	ClearPending   = 0x0100
	SubchActive    = 0x0080
	DeviceActive   = 0x0040
	Suspended      = 0x0020
	StatusAlert    = 0x0010
	StatusIntermed = 0x0008
	StatusPrimary  = 0x0004
	StatusSecond   = 0x0002
	StatusPending  = 0x0001
)

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
	return i.SCSW.Unit == ChannelEnd|DeviceEnd && i.SCSW.Channel == 0 && i.SCSW.Flags&SCSWDeferredCC == 0 &&
		i.SCSW.Control&(FunctionHalt|FunctionClear) == 0
}
