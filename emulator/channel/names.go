package channel

import "github.com/iosrun/iosrun/abi/arch"

// The names that packages have which do not take them from arch yet.
type (
	UnitStatus    = arch.UnitStatus
	ChannelStatus = arch.ChannelStatus
)

// Likewise.
const (
	TIC                         = arch.CommandTransfer
	FlagCD                Flags = arch.FlagCD
	FlagCC                Flags = arch.FlagCC
	FlagSLI               Flags = arch.FlagSLI
	FlagSkip              Flags = arch.FlagSkip
	FlagPCI               Flags = arch.FlagPCI
	FlagIDA               Flags = arch.FlagIDA
	FlagS                 Flags = arch.FlagS
	FlagMIDA              Flags = arch.FlagMIDA
	CCWSize                     = arch.CCWSize
	FunctionStart               = arch.FunctionStart
	FunctionHalt                = arch.FunctionHalt
	FunctionClear               = arch.FunctionClear
	ResumePending               = arch.ResumePending
	StartPending                = arch.StartPending
	HaltPending                 = arch.HaltPending
	ClearPending                = arch.ClearPending
	SubchActive                 = arch.SubchActive
	DeviceActive                = arch.DeviceActive
	Suspended                   = arch.Suspended
	StatusAlert                 = arch.StatusAlert
	StatusIntermed              = arch.StatusIntermed
	StatusPrimary               = arch.StatusPrimary
	StatusSecond                = arch.StatusSecond
	StatusPending               = arch.StatusPending
	SCSWKey                     = arch.SCSWKey
	SCSWSuspend                 = arch.SCSWSuspend
	SCSWESWFormat               = arch.SCSWESWFormat
	SCSWDeferredCC              = arch.SCSWDeferredCC
	SCSWFormat1                 = arch.SCSWFormat1
	SCSWPrefetch                = arch.SCSWPrefetch
	SCSWInitial                 = arch.SCSWInitial
	SCSWLimit                   = arch.SCSWLimit
	SCSWSuppress                = arch.SCSWSuppress
	SCSWZero                    = arch.SCSWZero
	SCSWExtended                = arch.SCSWExtended
	SCSWNotOperPath             = arch.SCSWNotOperPath
	Attention                   = arch.Attention
	StatusModifier              = arch.StatusModifier
	ControlUnitEnd              = arch.ControlUnitEnd
	Busy                        = arch.Busy
	ChannelEnd                  = arch.ChannelEnd
	DeviceEnd                   = arch.DeviceEnd
	UnitCheck                   = arch.UnitCheck
	UnitException               = arch.UnitException
	PCI                         = arch.PCI
	IncorrectLength             = arch.IncorrectLength
	ProgramCheck                = arch.ProgramCheck
	ProtectionCheck             = arch.ProtectionCheck
	ChannelDataCheck            = arch.ChannelDataCheck
	ChannelControlCheck         = arch.ChannelControlCheck
	InterfaceControlCheck       = arch.InterfaceControlCheck
	ChainingCheck               = arch.ChainingCheck
)
