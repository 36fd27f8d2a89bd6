package dasd

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
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

// allReads holds the domains of single records. In a domain to read data, counts,
// record zero and the home address may be read too (measured on Hercules 3.13).
const allReads = inRead | inReadAny

// needs names the feature that a control unit must have to know a command.
type needs uint8

const (
	needsNothing  needs = iota
	needsExtended       // controlUnit.extended
	needsPrefix         // controlUnit.prefix
)

// command holds the routine of a command and the conditions under which it is
// valid.
type command struct {
	run     func(*eckd, *channel.Operation) arch.UnitStatus
	domains domainSet // domains in which it is valid
	// outside says that the command is valid outside a domain.
	outside bool
	// seeked says that a seek, a locate record, a read IPL or a recalibrate must
	// have come before in the chain (3990 and later).
	seeked bool
	// searches says that the command may be one of a loop that looks for a record:
	// the search then counts over several commands whether the index (the start of
	// the track) has been passed.
	searches bool
	needs    needs
}

// eckdCommands holds the commands of a CKD device, and both codes of a command
// that exists with and without multitrack.
var eckdCommands = func() (t [256]command) {
	const mt = arch.Multitrack
	plain := func(run func(*eckd, *channel.Operation) arch.UnitStatus, codes ...byte) {
		for _, c := range codes {
			t[c] = command{run: run, outside: true}
		}
	}
	reads := func(run func(*eckd, *channel.Operation) arch.UnitStatus, d domainSet, codes ...byte) {
		for _, c := range codes {
			t[c] = command{run: run, domains: d, outside: true}
		}
	}
	only := func(run func(*eckd, *channel.Operation) arch.UnitStatus, d domainSet, n needs, codes ...byte) {
		for _, c := range codes {
			t[c] = command{run: run, domains: d, needs: n}
		}
	}

	// Positioning.
	plain((*eckd).defineExtent, arch.CommandDefineExtent)
	plain((*eckd).locateRecord, arch.CommandLocateRecord)
	plain((*eckd).locateRecordExtended, arch.CommandLocateRecordExtended)
	plain((*eckd).prefix, arch.CommandPrefix)
	plain((*eckd).seekCommand, arch.CommandSeek, arch.CommandSeekCylinder, arch.CommandSeekHead)
	plain((*eckd).recalibrate, arch.CommandRecalibrate)
	plain((*eckd).noOperation, arch.CommandRestore)
	plain((*eckd).setFileMask, arch.CommandSetFileMask)
	plain((*eckd).setSector, arch.CommandSetSector)
	for _, c := range []byte{arch.CommandDefineExtent, arch.CommandLocateRecord, arch.CommandLocateRecordExtended} {
		t[c].needs = needsExtended
	}
	t[arch.CommandPrefix].needs = needsPrefix

	// Searches: by equal, high, equal or high.
	for _, c := range []byte{arch.CommandSearchIDEqual, arch.CommandSearchIDHigh, arch.CommandSearchIDEqualHigh} {
		plain((*eckd).searchID, c, c|mt)
	}
	for _, c := range []byte{arch.CommandSearchKeyEqual, arch.CommandSearchKeyHigh, arch.CommandSearchKeyEqualHigh} {
		plain((*eckd).searchKey, c, c|mt)
	}
	plain((*eckd).searchHome, arch.CommandSearchHomeEqual, arch.CommandSearchHomeEqual|mt)
	for _, c := range []byte{
		arch.CommandSearchIDEqual, arch.CommandSearchIDHigh, arch.CommandSearchIDEqualHigh,
		arch.CommandSearchKeyEqual, arch.CommandSearchKeyHigh, arch.CommandSearchKeyEqualHigh, arch.CommandSearchHomeEqual,
	} {
		t[c].searches, t[c|mt].searches = true, true
	}

	// Reads.
	reads((*eckd).readData, allReads, arch.CommandReadData, arch.CommandReadData|mt)
	reads((*eckd).readKeyData, allReads, arch.CommandReadKeyData, arch.CommandReadKeyData|mt)
	reads((*eckd).readCKD, allReads, arch.CommandReadCountKeyData, arch.CommandReadCountKeyData|mt)
	reads((*eckd).readCount, allReads, arch.CommandReadCount, arch.CommandReadCount|mt)
	t[arch.CommandReadCount].searches, t[arch.CommandReadCount|mt].searches = true, true
	reads((*eckd).readZero, allReads, arch.CommandReadRecordZero, arch.CommandReadRecordZero|mt)
	reads((*eckd).readHome, allReads, arch.CommandReadHome, arch.CommandReadHome|mt)
	plain((*eckd).readMultiple, arch.CommandReadMultiple)
	plain((*eckd).readIPL, arch.CommandReadIPL)
	plain((*eckd).readSector, arch.CommandReadSector)
	only((*eckd).readTrack, inReadTracks, needsExtended, arch.CommandReadTrack)
	only((*eckd).readTrackData, inReadTracks|inReadAny, needsPrefix, arch.CommandReadTrackData, arch.CommandReadTrackDataMulti)

	// Writes.
	reads((*eckd).writeData, inWrite|inWriteTrack, arch.CommandWriteData)
	reads((*eckd).writeKeyData, inWrite|inWriteTrack, arch.CommandWriteKeyData)
	only((*eckd).updateData, inWrite|inWriteAny, needsExtended, arch.CommandWriteUpdateData)
	only((*eckd).updateKeyData, inWrite|inWriteAny, needsExtended, arch.CommandWriteUpdateKeyData)
	reads((*eckd).writeCKD, inFormat|inWriteTrack, arch.CommandWriteCountKeyData)
	only((*eckd).writeNextTrack, inFormat, needsExtended, arch.CommandWriteCountKeyDataNext)
	reads((*eckd).writeZero, inFormat, arch.CommandWriteRecordZero)
	plain((*eckd).writeHome, arch.CommandWriteHome)
	plain((*eckd).writeSpecial, arch.CommandWriteSpecial)
	reads((*eckd).erase, inWriteTrack, arch.CommandErase)
	only((*eckd).writeTrackData, inWriteFields|inWriteAny, needsPrefix, arch.CommandWriteTrackData, arch.CommandWriteTrackDataMulti)
	only((*eckd).writeFullTrack, inWriteFull, needsPrefix, arch.CommandWriteFullTrack)

	// Control and sense.
	plain((*eckd).noOperation, arch.CommandNoOperation)
	plain((*eckd).sense, arch.CommandBasicSense)
	plain((*eckd).senseIdentity, arch.CommandSenseID)
	plain((*eckd).readCharacteristics, arch.CommandReadCharacteristics)
	plain((*eckd).readConfiguration, arch.CommandReadConfiguration)
	plain((*eckd).reserve, arch.CommandReserve, arch.CommandUnconditionalReserve)
	plain((*eckd).release, arch.CommandRelease)
	plain((*eckd).resetAllegiance, arch.CommandResetAllegiance)
	plain((*eckd).readLog, arch.CommandReadLog)
	plain((*eckd).setPathGroup, arch.CommandSetPathGroup)
	plain((*eckd).sensePathGroup, arch.CommandSensePathGroup)
	plain((*eckd).suspendMultipath, arch.CommandSuspendReconnection)
	plain((*eckd).setSubsystemMode, arch.CommandSetSubsystemMode)
	plain((*eckd).senseSubsystemStatus, arch.CommandSenseSubsystemStatus)
	plain((*eckd).performSubsystemFunction, arch.CommandPerformSubsystemFunction)
	plain((*eckd).readSubsystemData, arch.CommandReadSubsystemData)
	plain((*eckd).readMessage, arch.CommandReadMessage)
	plain((*eckd).diagnosticControl, arch.CommandDiagnosticControl)
	for _, c := range []byte{
		arch.CommandReadConfiguration, arch.CommandSuspendReconnection, arch.CommandSetSubsystemMode, arch.CommandSenseSubsystemStatus,
		arch.CommandPerformSubsystemFunction, arch.CommandReadSubsystemData, arch.CommandReadMessage,
	} {
		t[c].needs = needsExtended
	}
	for _, c := range []byte{
		arch.CommandReadData, arch.CommandReadKeyData, arch.CommandReadCountKeyData, arch.CommandReadCount, arch.CommandReadRecordZero, arch.CommandReadHome,
		arch.CommandSearchIDEqual, arch.CommandSearchIDHigh, arch.CommandSearchIDEqualHigh,
		arch.CommandSearchKeyEqual, arch.CommandSearchKeyHigh, arch.CommandSearchKeyEqualHigh, arch.CommandSearchHomeEqual,
	} {
		t[c].seeked, t[c|mt].seeked = true, true
	}
	for _, c := range []byte{arch.CommandSeekHead, arch.CommandSetSector, arch.CommandReadMultiple, arch.CommandWriteHome} {
		t[c].seeked = true
	}
	return t
}()
