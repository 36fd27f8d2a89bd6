package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
)

// Kind classifies a command by its effect on the mirror, a bit for each effect.
type Kind uint16

// The kinds. A command can have several.
const (
	// Reads says that the command takes data from the tracks or blocks of the device.
	Reads Kind = 1 << iota
	// Writes says that it puts data on the tracks or blocks of the device.
	Writes
	// Stores says that it puts data into main storage, whether from the medium or not.
	Stores
	// Sends says that it takes data from main storage, whether for the medium or as
	// parameters and search arguments.
	Sends
	// State says that it changes the state of the storage subsystem (step 220).
	State
	// Own says that its answer describes the device or the subsystem itself, so that
	// no other device can answer in its place.
	Own
	// Extent says that it is define extent, whose parameters carry the identification
	// of cache fast write.
	Extent
	// Prefix says that it can have the parameters of define extent among its own.
	Prefix
	// Search says that it can end with status modifier, which skips the next CCW.
	Search
	// Transfer says that it is transfer in channel.
	Transfer
)

// Command is a row of a command table.
type Command struct {
	Code uint8
	Name string
	Kind Kind
}

// ECKD lists the commands of count-key-data devices (3990 storage control
// reference). A code with the multitrack bit (80) that is not listed itself has the
// kind of the code without the bit. Set path group id is not a change of state,
// because it concerns only this host's path to this device.
var ECKD = [...]Command{
	{arch.CommandReadIPL, "read initial program load", Reads | Stores},
	{arch.CommandNoOperation, "no operation", 0},
	{arch.CommandBasicSense, "sense", Stores | Own},
	{arch.CommandWriteData, "write data", Writes | Sends},
	{arch.CommandReadData, "read data", Reads | Stores},
	{arch.CommandSeek, "seek", Sends},
	{arch.CommandReadSpecialHome, "read special home address", Reads | Stores},
	{arch.CommandSeekCylinder, "seek cylinder", Sends},
	{arch.CommandWriteKeyData, "write key and data", Writes | Sends},
	{arch.CommandReadKeyData, "read key and data", Reads | Stores},
	{arch.CommandErase, "erase", Writes | Sends},
	{arch.CommandReadCount, "read count", Reads | Stores},
	{arch.CommandRecalibrate, "recalibrate", 0},
	{arch.CommandUnconditionalReserve, "unconditional reserve", State | Stores | Own},
	{arch.CommandWriteRecordZero, "write record zero", Writes | Sends},
	{arch.CommandReadRecordZero, "read record zero", Reads | Stores},
	{arch.CommandWriteHome, "write home address", Writes | Sends},
	{arch.CommandReadHome, "read home address", Reads | Stores},
	{arch.CommandSeekHead, "seek head", Sends},
	{arch.CommandWriteCountKeyData, "write count, key and data", Writes | Sends},
	{arch.CommandReadCountKeyData, "read count, key and data", Reads | Stores},
	{arch.CommandSetFileMask, "set file mask", Sends},
	{arch.CommandReadSector, "read sector", Stores},
	{arch.CommandSetSector, "set sector", Sends},
	{arch.CommandPerformSubsystemFunction, "perform subsystem function", State | Sends},
	{arch.CommandSearchKeyEqual, "search key equal", Search | Sends},
	{arch.CommandSearchIDEqual, "search id equal", Search | Sends},
	{arch.CommandSensePathGroup, "sense path group id", Stores | Own},
	{arch.CommandSearchHomeEqual, "search home address equal", Search | Sends},
	{arch.CommandReadSubsystemData, "read subsystem data", Stores | Own},
	{arch.CommandResetAllegiance, "reset allegiance", Stores | Own},
	{arch.CommandLocateRecord, "locate record", Sends},
	{arch.CommandSearchKeyHigh, "search key high", Search | Sends},
	{arch.CommandLocateRecordExtended, "locate record extended", Sends},
	{arch.CommandReadMessage, "read message id", Stores | Own},
	{arch.CommandSearchIDHigh, "search id high", Search | Sends},
	{arch.CommandSenseSubsystemStatus, "sense subsystem status", Stores | Own},
	{arch.CommandSuspendReconnection, "suspend multipath reconnection", 0},
	{arch.CommandReadMultiple, "read multiple count, key and data", Reads | Stores},
	{arch.CommandDefineExtent, "define extent", Extent | Sends},
	{arch.CommandReadCharacteristics, "read device characteristics", Stores | Own},
	{arch.CommandSearchKeyEqualHigh, "search key high or equal", Search | Sends},
	{arch.CommandSearchIDEqualHigh, "search id high or equal", Search | Sends},
	{arch.CommandWriteUpdateData, "write update data", Writes | Sends},
	{arch.CommandSetSubsystemMode, "set subsystem mode", State | Sends},
	{arch.CommandWriteUpdateKeyData, "write update key and data", Writes | Sends},
	{arch.CommandRelease, "device release", State | Stores | Own},
	{arch.CommandWriteCountKeyDataNext, "write count, key and data next track", Writes | Sends},
	{arch.CommandReadLog, "read and reset buffered log", Stores | Own},
	{arch.CommandWriteTrackData, "write track data", Writes | Sends},
	{arch.CommandReadTrackData, "read track data", Reads | Stores},
	{arch.CommandSetPathGroup, "set path group id", Sends},
	{arch.CommandReserve, "device reserve", State | Stores | Own},
	{arch.CommandWriteTrackDataMulti, "write track data, multitrack code", Writes | Sends},
	{arch.CommandReadTrackDataMulti, "read track data, multitrack code", Reads | Stores},
	{arch.CommandReadTrack, "read track", Reads | Stores},
	{arch.CommandSenseID, "sense id", Stores | Own},
	{arch.CommandPrefix, "prefix", Prefix | Sends},
	{arch.CommandDiagnosticControl, "diagnostic control", Sends},
	{arch.CommandDefineSubsystemOperation, "define subsystem operation", Sends},
	{arch.CommandReadConfiguration, "read configuration data", Stores | Own},
}

// FBA lists the commands of fixed-block devices (3370 reference).
var FBA = [...]Command{
	{arch.CommandReadIPL, "read initial program load", Reads | Stores},
	{arch.CommandNoOperation, "no operation", 0},
	{arch.CommandBasicSense, "sense", Stores | Own},
	{arch.CommandUnconditionalReserve, "unconditional reserve", State | Stores | Own},
	{arch.CommandFBAWrite, "write", Writes | Sends},
	{arch.CommandFBARead, "read", Reads | Stores},
	{arch.CommandFBALocate, "locate", Sends},
	{arch.CommandDefineExtent, "define extent", Sends},
	{arch.CommandReadCharacteristics, "read device characteristics", Stores | Own},
	{arch.CommandRelease, "device release", State | Stores | Own},
	{arch.CommandReadLog, "read and reset buffered log", Stores | Own},
	{arch.CommandReserve, "device reserve", State | Stores | Own},
	{arch.CommandSenseID, "sense id", Stores | Own},
}

// Table has the kind of every command code of a device class.
type Table [256]Kind

// The complete tables: a code without a row has the kind that its low bits give
// (Principles of Operation, "Command Code").
var (
	eckd = complete(ECKD[:], arch.Multitrack)
	fba  = complete(FBA[:], 0)
)

// Commands returns the table of a device class.
func Commands(c abi.DeviceClass) *Table {
	if c == abi.ClassFBA {
		return &fba
	}
	return &eckd
}

func complete(rows []Command, multitrack uint8) (t Table) {
	for c := range t {
		t[c] = byLowBits(uint8(c))
	}
	for _, r := range rows {
		if k := r.Kind; multitrack != 0 && k&(Reads|Search) != 0 {
			t[r.Code|multitrack] = k
		}
	}
	for _, r := range rows {
		t[r.Code] = r.Kind
	}
	return t
}

// byLowBits returns the kind of a command that no table lists. The device will most
// likely reject it; until then every effect that its low bits allow is assumed.
func byLowBits(code uint8) Kind {
	switch {
	case arch.IsTransfer(code):
		return Transfer
	case arch.IsReadBackward(code):
		return Reads | Stores
	case arch.IsSense(code):
		return Stores | Own
	case arch.IsWrite(code):
		return Writes | Sends
	case arch.IsRead(code):
		return Reads | Stores
	case arch.IsControl(code):
		return Sends
	}
	return 0
}
