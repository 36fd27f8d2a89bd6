package arch

// The low bits of a command code say which way data goes; the channel looks at
// nothing else. (Principles of Operation, "Command Code".)
const (
	// CommandTransfer is transfer in channel (TIC): the channel goes on with the CCW
	// at the address, and the device does not notice. In a CCW of format 0 every code
	// with these low four bits is a transfer in channel.
	CommandTransfer = 0x08

	backward = 0x0C
	sense    = 0x04
	write    = 0x01
	read     = 0x02
	control  = 0x03
	lowBits  = 0x0F
	twoBits  = 0x03
)

// IsTransfer reports whether the low four bits of a command code mean transfer in
// channel.
func IsTransfer(code uint8) bool { return code&lowBits == CommandTransfer }

// IsWrite reports whether a command code is a write: data goes from main storage to
// the device.
func IsWrite(code uint8) bool { return code&twoBits == write }

// IsRead reports whether a command code is a read in the usual direction.
func IsRead(code uint8) bool { return code&twoBits == read }

// IsReadBackward reports whether a command code is a read that fills its data area
// from the end.
func IsReadBackward(code uint8) bool { return code&lowBits == backward }

// IsSense reports whether a command code is a sense: the control unit sends data
// about itself or the device.
func IsSense(code uint8) bool { return code&lowBits == sense }

// IsControl reports whether a command code is a control: the data that it sends, if
// any, are parameters.
func IsControl(code uint8) bool { return code&twoBits == control }

// Stores reports whether a command with that code puts data into main storage: a
// read in either direction or a sense.
func Stores(code uint8) bool { return IsRead(code) || IsSense(code) || IsReadBackward(code) }

// Multitrack is the bit of a command code that lets a search, or a read, go on with
// the next track of the cylinder. Only some commands have the choice; in the code
// of another the bit means nothing by itself. (3990 storage control reference.)
const Multitrack = 0x80

// Commands that both kinds of disk devices have.
const (
	CommandReadIPL              = 0x02 // the first record or block, to load a system from
	CommandNoOperation          = 0x03
	CommandBasicSense           = 0x04 // the sense bytes of the last unit check
	CommandUnconditionalReserve = 0x14 // take the device away from another system
	CommandDefineExtent         = 0x63 // limits the tracks or blocks that the program may use, and says how it may use them
	CommandReadCharacteristics  = 0x64 // type and geometry of the device
	CommandRelease              = 0x94 // end a reservation
	CommandReadLog              = 0xA4 // read and reset the buffered log
	CommandReserve              = 0xB4 // keep other systems from the device
	CommandSenseID              = 0xE4 // types of control unit and device
)

// Commands of count-key-data devices (CKD, and its extension ECKD) that position:
// they choose a track and a record. (3990 storage control reference.)
const (
	CommandSeek                 = 0x07 // go to a cylinder and head
	CommandSeekCylinder         = 0x0B
	CommandRecalibrate          = 0x13 // go to the first track
	CommandRestore              = 0x17 // does nothing on the devices that are emulated
	CommandSeekHead             = 0x1B
	CommandSetFileMask          = 0x1F // limit the writes and seeks of the rest of the program
	CommandReadSector           = 0x22 // the angle of the record read last
	CommandSetSector            = 0x23 // wait for an angle before the next search
	CommandSearchKeyEqual       = 0x29 // skip the next CCW if the record's key is the one sent
	CommandSearchIDEqual        = 0x31 // likewise by the record's address
	CommandSearchHomeEqual      = 0x39 // likewise by the track's own address
	CommandSearchKeyHigh        = 0x49
	CommandLocateRecord         = 0x47 // position, and say what the following commands do
	CommandLocateRecordExtended = 0x4B
	CommandSearchIDHigh         = 0x51
	CommandSearchKeyEqualHigh   = 0x69
	CommandSearchIDEqualHigh    = 0x71
	CommandPrefix               = 0xE7 // define extent, and locate record extended, in one command
)

// Commands of count-key-data devices that read from the medium. Those below 20
// have a second code, with Multitrack.
const (
	CommandReadData           = 0x06
	CommandReadSpecialHome    = 0x0A
	CommandReadKeyData        = 0x0E
	CommandReadCount          = 0x12
	CommandReadRecordZero     = 0x16
	CommandReadHome           = 0x1A
	CommandReadCountKeyData   = 0x1E
	CommandReadMultiple       = 0x5E // count, key and data of all records to the end of the track
	CommandReadTrackData      = 0xA6 // in a domain of locate record extended; its multitrack code is B6
	CommandReadTrackDataMulti = 0xB6
	CommandReadTrack          = 0xDE // a track as a whole, in a domain
)

// Commands of count-key-data devices that write to the medium. Formatting writes
// lay out records; the others keep the layout.
const (
	CommandWriteSpecial          = 0x01 // write count, key and data of a segment of an overflow record
	CommandWriteData             = 0x05
	CommandWriteKeyData          = 0x0D
	CommandErase                 = 0x11 // formats
	CommandWriteRecordZero       = 0x15 // formats
	CommandWriteHome             = 0x19 // formats
	CommandWriteCountKeyData     = 0x1D // formats
	CommandWriteUpdateData       = 0x85 // in a domain of locate record
	CommandWriteUpdateKeyData    = 0x8D // likewise
	CommandWriteFullTrack        = 0x95 // in a domain of locate record extended
	CommandWriteCountKeyDataNext = 0x9D // formats, on the next track
	CommandWriteTrackData        = 0xA5 // in a domain of locate record extended; its multitrack code is B5
	CommandWriteTrackDataMulti   = 0xB5
)

// Commands of count-key-data devices that ask or change the state of the control
// unit.
const (
	CommandPerformSubsystemFunction = 0x27 // an order to the subsystem, named by its first byte
	CommandSensePathGroup           = 0x34
	CommandReadSubsystemData        = 0x3E // the answer to an order
	CommandResetAllegiance          = 0x44
	CommandReadMessage              = 0x4E
	CommandSenseSubsystemStatus     = 0x54
	CommandSuspendReconnection      = 0x5B // suspend multipath reconnection
	CommandSetSubsystemMode         = 0x87 // switch functions of the cache
	CommandSetPathGroup             = 0xAF
	CommandDiagnosticControl        = 0xF3
	CommandDefineSubsystemOperation = 0xF7
	CommandReadConfiguration        = 0xFA
)

// Commands of fixed-block devices (FBA), beside those of both kinds. (3370
// reference.)
const (
	CommandFBAWrite  = 0x41
	CommandFBARead   = 0x42
	CommandFBALocate = 0x43 // choose the blocks that the next command reads or writes
)
