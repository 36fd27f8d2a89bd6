package chain

import "github.com/iosrun/iosrun/abi"

// Kind is what a command does, as far as mirroring cares.
type Kind uint16

// The kinds. A command can be of several.
const (
	// Reads: takes data from the tracks or blocks of the device.
	Reads Kind = 1 << iota
	// Writes: puts data on the tracks or blocks of the device.
	Writes
	// Stores: puts data into main storage, whether from the medium or not.
	Stores
	// Sends: takes data from main storage, whether for the medium or as
	// parameters and search arguments.
	Sends
	// State: changes the state of the storage subsystem (step 220).
	State
	// Own: answers with something that is the device's or the subsystem's own, so
	// that no other device can answer in its place.
	Own
	// Extent: define extent, whose parameters carry the fast-write identification.
	Extent
	// Prefix: can have the parameters of define extent among its own.
	Prefix
	// Search: can end with status modifier, which skips the next CCW.
	Search
	// Transfer: transfer in channel.
	Transfer
)

// The flags of a CCW (Principles of Operation, "Channel-Command Word").
const (
	FlagCD   = 0x80 // chain data
	FlagCC   = 0x40 // chain command
	FlagSLI  = 0x20 // suppress length indication
	FlagSkip = 0x10 // store nothing
	FlagPCI  = 0x08 // program-controlled interruption
	FlagIDA  = 0x04 // indirect data addresses
	FlagS    = 0x02 // suspend
	FlagMIDA = 0x01 // modified indirect data addresses
)

// TIC is the command code of a transfer in channel in format 1.
const TIC = 0x08

// Command is a row of a command table.
type Command struct {
	Code uint8
	Name string
	Kind Kind
}

// ECKD is the commands of count-key-data devices (3990 storage control
// reference). A code with the multitrack bit (80) that is not listed itself is
// what the code without it is. Set path group id is not a change of state: it
// is about this host's path to this device.
var ECKD = [...]Command{
	{0x02, "read initial program load", Reads | Stores},
	{0x03, "no operation", 0},
	{0x04, "sense", Stores | Own},
	{0x05, "write data", Writes | Sends},
	{0x06, "read data", Reads | Stores},
	{0x07, "seek", Sends},
	{0x0A, "read special home address", Reads | Stores},
	{0x0B, "seek cylinder", Sends},
	{0x0D, "write key and data", Writes | Sends},
	{0x0E, "read key and data", Reads | Stores},
	{0x11, "erase", Writes | Sends},
	{0x12, "read count", Reads | Stores},
	{0x13, "recalibrate", 0},
	{0x14, "unconditional reserve", State | Stores | Own},
	{0x15, "write record zero", Writes | Sends},
	{0x16, "read record zero", Reads | Stores},
	{0x19, "write home address", Writes | Sends},
	{0x1A, "read home address", Reads | Stores},
	{0x1B, "seek head", Sends},
	{0x1D, "write count, key and data", Writes | Sends},
	{0x1E, "read count, key and data", Reads | Stores},
	{0x1F, "set file mask", Sends},
	{0x22, "read sector", Stores},
	{0x23, "set sector", Sends},
	{0x27, "perform subsystem function", State | Sends},
	{0x29, "search key equal", Search | Sends},
	{0x31, "search id equal", Search | Sends},
	{0x34, "sense path group id", Stores | Own},
	{0x39, "search home address equal", Search | Sends},
	{0x3E, "read subsystem data", Stores | Own},
	{0x44, "reset allegiance", Stores | Own},
	{0x47, "locate record", Sends},
	{0x49, "search key high", Search | Sends},
	{0x4B, "locate record extended", Sends},
	{0x4E, "read message id", Stores | Own},
	{0x51, "search id high", Search | Sends},
	{0x54, "sense subsystem status", Stores | Own},
	{0x5B, "suspend multipath reconnection", 0},
	{0x5E, "read multiple count, key and data", Reads | Stores},
	{0x63, "define extent", Extent | Sends},
	{0x64, "read device characteristics", Stores | Own},
	{0x69, "search key high or equal", Search | Sends},
	{0x71, "search id high or equal", Search | Sends},
	{0x85, "write update data", Writes | Sends},
	{0x87, "set subsystem mode", State | Sends},
	{0x8D, "write update key and data", Writes | Sends},
	{0x94, "device release", State | Stores | Own},
	{0x9D, "write count, key and data next track", Writes | Sends},
	{0xA4, "read and reset buffered log", Stores | Own},
	{0xA5, "write track data", Writes | Sends},
	{0xA6, "read track data", Reads | Stores},
	{0xAF, "set path group id", Sends},
	{0xB4, "device reserve", State | Stores | Own},
	{0xB5, "write full track", Writes | Sends},
	{0xB6, "read trackset", Reads | Stores},
	{0xDE, "read track", Reads | Stores},
	{0xE4, "sense id", Stores | Own},
	{0xE7, "prefix", Prefix | Sends},
	{0xF3, "diagnostic control", Sends},
	{0xF7, "define subsystem operation", Sends},
	{0xFA, "read configuration data", Stores | Own},
}

// FBA is the commands of fixed-block devices (3370 reference).
var FBA = [...]Command{
	{0x02, "read initial program load", Reads | Stores},
	{0x03, "no operation", 0},
	{0x04, "sense", Stores | Own},
	{0x14, "unconditional reserve", State | Stores | Own},
	{0x41, "write", Writes | Sends},
	{0x42, "read", Reads | Stores},
	{0x43, "locate", Sends},
	{0x63, "define extent", Sends},
	{0x64, "read device characteristics", Stores | Own},
	{0x94, "device release", State | Stores | Own},
	{0xA4, "read and reset buffered log", Stores | Own},
	{0xB4, "device reserve", State | Stores | Own},
	{0xE4, "sense id", Stores | Own},
}

// Table has the kind of every command code of a device class.
type Table [256]Kind

// The tables, complete: what no row names has the kind that its low bits say
// (Principles of Operation, "Command Code").
var (
	eckd = complete(ECKD[:], 0x80)
	fba  = complete(FBA[:], 0)
)

// Commands is the table of a device class.
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

// byLowBits is the kind of a command that no table lists. The device will most
// likely reject it; until then it is taken for the most that it can be.
func byLowBits(code uint8) Kind {
	switch {
	case code&0xF == TIC:
		return Transfer
	case code&0xF == 0xC: // read backward
		return Reads | Stores
	case code&0xF == 4:
		return Stores | Own
	case code&3 == 1:
		return Writes | Sends
	case code&3 == 2:
		return Reads | Stores
	case code&3 == 3:
		return Sends
	}
	return 0
}
