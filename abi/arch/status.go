package arch

// UnitStatus is the device's byte of the subchannel-status word (SCSW): it says how
// far the device and its control unit are with a channel program, and whether
// something is unusual. (Principles of Operation, "Subchannel-Status Word".)
type UnitStatus uint8

// The bits of the unit status.
const (
	Attention      UnitStatus = 0x80 // the device has something to say
	StatusModifier UnitStatus = 0x40 // a search was satisfied: the next CCW is skipped
	ControlUnitEnd UnitStatus = 0x20 // the control unit is no longer busy
	Busy           UnitStatus = 0x10 // the program was not begun
	ChannelEnd     UnitStatus = 0x08 // the device needs the channel no longer
	DeviceEnd      UnitStatus = 0x04 // the device is ready for another program
	UnitCheck      UnitStatus = 0x02 // an error, which the sense bytes describe
	UnitException  UnitStatus = 0x01 // not an error, but unusual: the record has no data
)

// ChannelStatus is the channel's own byte of the subchannel-status word.
type ChannelStatus uint8

// The bits of the channel status.
const (
	PCI                   ChannelStatus = 0x80 // program-controlled interruption: no error
	IncorrectLength       ChannelStatus = 0x40 // more or fewer bytes than the count
	ProgramCheck          ChannelStatus = 0x20 // a CCW is wrong
	ProtectionCheck       ChannelStatus = 0x10 // the storage key does not allow it
	ChannelDataCheck      ChannelStatus = 0x08
	ChannelControlCheck   ChannelStatus = 0x04 // the channel does not work
	InterfaceControlCheck ChannelStatus = 0x02 // the connection to the control unit does not work
	ChainingCheck         ChannelStatus = 0x01 // data chaining was too slow
)

// Offsets in the subchannel-status word's 12 bytes.
const (
	SCSWFlags   = 0 // two bytes, the SCSW bits
	SCSWControl = 2 // two bytes, the function, activity and status bits
	SCSWAddress = 4 // address of the last CCW used, plus 8; four bytes
	SCSWUnit    = 8
	SCSWChannel = 9
	SCSWCount   = 10 // bytes not moved by the last CCW, two bytes
)

// The bits of the subchannel-status word's first two bytes.
const (
	SCSWKey         = 0xF000 // storage key of the program
	SCSWSuspend     = 0x0800 // the program may suspend itself
	SCSWESWFormat   = 0x0400
	SCSWDeferredCC  = 0x0300 // condition code of a start found later; 3 is no path
	SCSWFormat1     = 0x0080 // CCWs of format 1
	SCSWPrefetch    = 0x0040
	SCSWInitial     = 0x0020
	SCSWLimit       = 0x0010
	SCSWSuppress    = 0x0008
	SCSWZero        = 0x0004
	SCSWExtended    = 0x0002 // the extended-control word has sense bytes
	SCSWNotOperPath = 0x0001 // a path is not operational
)

// The bits of the subchannel-status word's second two bytes: the functions that were
// asked of the subchannel, its present activity, and the kind of this status.
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
