package dasd

import "github.com/iosrun/iosrun/emulator/channel"

// multitrack is the bit of a command code that lets it go on with the next
// track.
const multitrack = 0x80

// Command codes that are named elsewhere than in the tables.
const (
	basicSense           = 0x04
	readCount            = 0x12
	unconditionalReserve = 0x14
	resetAllegiance      = 0x44
	readSubsystem        = 0x3E
	suspendReconnection  = 0x5B
	readCharacteristic   = 0x64
	readConfig           = 0xFA
	writeCountKeyData    = 0x1D
	writeNext            = 0x9D
)

// domainSet is a set of operations of locate record.
type domainSet uint16

const (
	inWrite       domainSet = 1 << iota // write data
	inFormat                            // format write
	inRead                              // read data
	inWriteTrack                        // write track
	inReadTracks                        // read tracks
	inReadAny                           // read
	inWriteFull                         // extended: write full track
	inWriteFields                       // extended: write track data
	inWriteAny                          // extended: write any
)

// allReads are the domains of single records. In one to read data, counts,
// record zero and the home address may be read too (measured on Hercules 3.13).
const allReads = inRead | inReadAny

// needs is what a control unit must have to know a command.
type needs uint8

const (
	needsNothing  needs = iota
	needsExtended       // controlUnit.extended
	needsPrefix         // controlUnit.prefix
)

// command is how a command is executed and where it may be.
type command struct {
	run     func(*eckd, *channel.Operation) channel.UnitStatus
	domains domainSet // in which it is valid
	// outside says that it is valid outside a domain.
	outside bool
	// seeked says that a seek, a locate record, a read IPL or a recalibrate must
	// have come before in the chain (3990 and later).
	seeked bool
	// searches says that it may be one of a loop that looks for a record: the
	// index then counts over several commands.
	searches bool
	needs    needs
}

// eckdCommands are the commands of a CKD device; both codes of one with and
// without multitrack where it has the choice.
var eckdCommands = func() (t [256]command) {
	const mt = multitrack
	plain := func(run func(*eckd, *channel.Operation) channel.UnitStatus, codes ...byte) {
		for _, c := range codes {
			t[c] = command{run: run, outside: true}
		}
	}
	reads := func(run func(*eckd, *channel.Operation) channel.UnitStatus, d domainSet, codes ...byte) {
		for _, c := range codes {
			t[c] = command{run: run, domains: d, outside: true}
		}
	}
	only := func(run func(*eckd, *channel.Operation) channel.UnitStatus, d domainSet, n needs, codes ...byte) {
		for _, c := range codes {
			t[c] = command{run: run, domains: d, needs: n}
		}
	}

	// Positioning.
	plain((*eckd).defineExtent, 0x63)
	plain((*eckd).locateRecord, 0x47)
	plain((*eckd).locateRecordExtended, 0x4B)
	plain((*eckd).prefix, 0xE7)
	plain((*eckd).seekCommand, 0x07, seekCylinder, seekHead)
	plain((*eckd).recalibrate, 0x13)
	plain((*eckd).noOperation, 0x17) // restore
	plain((*eckd).setFileMask, 0x1F)
	plain((*eckd).setSector, 0x23)
	for _, c := range []byte{0x63, 0x47, 0x4B} {
		t[c].needs = needsExtended
	}
	t[0xE7].needs = needsPrefix

	// Searches: by equal, high, equal or high.
	for _, c := range []byte{0x31, 0x51, 0x71} {
		plain((*eckd).searchID, c, c|mt)
	}
	for _, c := range []byte{0x29, 0x49, 0x69} {
		plain((*eckd).searchKey, c, c|mt)
	}
	plain((*eckd).searchHome, 0x39, 0x39|mt)
	for _, c := range []byte{0x31, 0x51, 0x71, 0x29, 0x49, 0x69, 0x39} {
		t[c].searches, t[c|mt].searches = true, true
	}

	// Reads.
	reads((*eckd).readData, allReads, 0x06, 0x06|mt)
	reads((*eckd).readKeyData, allReads, 0x0E, 0x0E|mt)
	reads((*eckd).readCKD, allReads, 0x1E, 0x1E|mt)
	reads((*eckd).readCount, allReads, readCount, readCount|mt)
	t[readCount].searches, t[readCount|mt].searches = true, true
	reads((*eckd).readZero, allReads, 0x16, 0x16|mt)
	reads((*eckd).readHome, allReads, 0x1A, 0x1A|mt)
	plain((*eckd).readMultiple, 0x5E)
	plain((*eckd).readIPL, 0x02)
	plain((*eckd).readSector, 0x22)
	only((*eckd).readTrack, inReadTracks, needsExtended, 0xDE)
	only((*eckd).readTrackData, inReadTracks|inReadAny, needsPrefix, 0xA6, 0xB6)

	// Writes.
	reads((*eckd).writeData, inWrite|inWriteTrack, 0x05)
	reads((*eckd).writeKeyData, inWrite|inWriteTrack, 0x0D)
	only((*eckd).updateData, inWrite|inWriteAny, needsExtended, 0x85)
	only((*eckd).updateKeyData, inWrite|inWriteAny, needsExtended, 0x8D)
	reads((*eckd).writeCKD, inFormat|inWriteTrack, writeCountKeyData)
	only((*eckd).writeNextTrack, inFormat, needsExtended, writeNext)
	reads((*eckd).writeZero, inFormat, 0x15)
	plain((*eckd).writeHome, 0x19)
	plain((*eckd).writeSpecial, 0x01)
	reads((*eckd).erase, inWriteTrack, 0x11)
	only((*eckd).writeTrackData, inWriteFields|inWriteAny, needsPrefix, 0xA5, 0xB5)
	only((*eckd).writeFullTrack, inWriteFull, needsPrefix, 0x95)

	// Control and sense.
	plain((*eckd).noOperation, 0x03)
	plain((*eckd).sense, basicSense)
	plain((*eckd).senseIdentity, 0xE4)
	plain((*eckd).readCharacteristics, readCharacteristic)
	plain((*eckd).readConfiguration, readConfig)
	plain((*eckd).reserve, 0xB4, unconditionalReserve)
	plain((*eckd).release, 0x94)
	plain((*eckd).resetAllegiance, resetAllegiance)
	plain((*eckd).readLog, 0xA4)
	plain((*eckd).setPathGroup, 0xAF)
	plain((*eckd).sensePathGroup, 0x34)
	plain((*eckd).suspendMultipath, suspendReconnection)
	plain((*eckd).setSubsystemMode, 0x87)
	plain((*eckd).senseSubsystemStatus, 0x54)
	plain((*eckd).performSubsystemFunction, 0x27)
	plain((*eckd).readSubsystemData, readSubsystem)
	plain((*eckd).readMessage, 0x4E)
	plain((*eckd).diagnosticControl, 0xF3)
	for _, c := range []byte{0xFA, 0x5B, 0x87, 0x54, 0x27, 0x3E, 0x4E} {
		t[c].needs = needsExtended
	}
	for _, c := range []byte{
		0x06, 0x0E, 0x1E, readCount, 0x16, 0x1A, 0x31, 0x51, 0x71, 0x29, 0x49, 0x69, 0x39,
	} {
		t[c].seeked, t[c|mt].seeked = true, true
	}
	for _, c := range []byte{seekHead, 0x23, 0x5E, 0x19} {
		t[c].seeked = true
	}
	return t
}()
