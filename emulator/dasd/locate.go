package dasd

import (
	"encoding/binary"
	"math/bits"

	"github.com/iosrun/iosrun/emulator/channel"
)

// The file mask, in set file mask and define extent.
const (
	maskWrite        = 0xC0
	maskWriteNoZero  = 0x00 // no home address or record zero
	maskWriteNone    = 0x40
	maskWriteUpdate  = 0x80
	maskWriteAll     = 0xC0
	maskReserved     = 0x20
	maskSeek         = 0x18
	maskSeekAll      = 0x00
	maskSeekCylinder = 0x08 // and head, not with the plain seek
	maskSeekHead     = 0x10
	maskSeekNone     = 0x18 // nor multitrack
	maskAuthority    = 0x06 // 00 normal, 02 device support
	maskDiagnostic   = 0x04
)

// Sizes and places of the positioning commands' parameters, in bytes.
const (
	defineExtentSize   = 16
	locateRecordSize   = 16
	locateExtendedSize = 20
	attributeECKD      = 0xC0
)

// defineExtent is Define Extent (63).
func (s *eckd) defineExtent(op *channel.Operation) channel.UnitStatus {
	op.Data.Expect(defineExtentSize)
	var p [defineExtentSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	return s.define(&p)
}

// define checks and takes the parameters of a define extent.
func (s *eckd) define(p *[defineExtentSize]byte) channel.UnitStatus {
	if s.extent.defined || s.masked || s.loaded {
		return s.reject(messageInvalidSequence)
	}
	g := s.device.geometry
	first, ok := g.Track(binary.BigEndian.Uint32(p[8:]))
	last, ok2 := g.Track(binary.BigEndian.Uint32(p[12:]))
	blockSize := int(binary.BigEndian.Uint16(p[2:]))
	if blockSize == 0 {
		blockSize = g.ZeroLength + 8
	}
	if !ok || !ok2 || first > last || p[0]&maskReserved != 0 || p[1]&attributeECKD != attributeECKD || blockSize > g.ZeroLength+8 {
		return s.reject(messageInvalidParameter)
	}
	cfwid := uint16(0)
	if p[1]&attributeFastWrite != 0 {
		cfwid = s.subsystem.cfwid
	}
	// What the sense is for an identity that is not the subsystem's is an estimate;
	// without cache fast write the bytes must be zero.
	if binary.BigEndian.Uint16(p[4:]) != cfwid {
		return s.reject(messageInvalidParameter)
	}
	s.mask, s.attribute = p[0], p[1]
	s.extent = extent{first, last, true, blockSize}
	s.touch(first, last, p[0]&maskWrite != maskWriteNone)
	return done
}

// Locate record's parameters.
const (
	orientField    = 0xC0
	orientCount    = 0x00
	orientHome     = 0x40
	orientData     = 0x80
	orientIndex    = 0xC0
	operationField = 0x3F

	auxiliaryLength = 0x80 // the transfer length factor is valid
	auxiliarySuffix = 0x01 // a read count follows

	noSector = 0xFF
)

// ways is a set of orientations, by the two bits that ask for them.
type ways uint8

const (
	byCount ways = 1 << (orientCount >> 6)
	byHome  ways = 1 << (orientHome >> 6)
	byData  ways = 1 << (orientData >> 6)
	byIndex ways = 1 << (orientIndex >> 6)
)

// operation is what an operation code of locate record means.
type operation struct {
	domain domainSet  // 0: not an operation; orient has none of its own
	orient bool       // only orient: no domain
	writes permission // that it needs
	suffix bool       // may have a read count behind it
	any    bool       // begins at any record and goes round the track
	ways   ways       // the orientations that it can have
}

// The operations of locate record, and of the extended operation byte where
// the operation is 3F.
var (
	operations = [operationField + 1]operation{
		0x00: {orient: true, ways: byCount | byHome | byData},
		0x01: {domain: inWrite, writes: updates, suffix: true, ways: byCount | byData},
		0x03: {domain: inFormat, writes: formats, ways: byCount | byHome | byIndex},
		0x06: {domain: inRead, ways: byCount | byHome | byData},
		0x0B: {domain: inWriteTrack, writes: formats, ways: byCount},
		0x0C: {domain: inReadTracks, ways: byCount | byHome},
		0x16: {domain: inReadAny, suffix: true, ways: byCount | byHome | byData | byIndex},
	}
	extendedOperations = [...]operation{
		0x09: {domain: inWriteAny, writes: updates, suffix: true, any: true, ways: byCount},
		0x0A: {domain: inReadAny, suffix: true, any: true, ways: byCount},
		0x0E: {domain: inReadTracks, ways: byCount | byHome},
		0x11: {domain: inWriteFull, writes: everything, ways: byCount},
		0x23: {domain: inWriteFields, writes: updates, ways: byCount},
	}
)

const operationExtended = 0x3F

// permission is a kind of write that the file mask permits or not.
type permission uint8

// The kinds of write, each including those before it.
const (
	nothing    permission = iota
	updates               // of data and keys
	formats               // of count, key and data
	everything            // also of home address and record zero
)

// permitted is what the file mask permits.
func (s *eckd) permitted() permission {
	switch s.mask & maskWrite {
	case maskWriteNone:
		return nothing
	case maskWriteUpdate:
		return updates
	case maskWriteNoZero:
		return formats
	}
	return everything
}

// locateRecord is Locate Record (47).
func (s *eckd) locateRecord(op *channel.Operation) channel.UnitStatus {
	op.Data.Expect(locateRecordSize)
	var p [locateExtendedSize]byte
	if op.Data.Read(p[:locateRecordSize]) < locateRecordSize {
		return s.reject(messageCountTooSmall)
	}
	if p[0]&operationField == operationExtended {
		return s.reject(messageInvalidParameter)
	}
	return s.locate(&p)
}

// locateRecordExtended is Locate Record Extended (4B).
func (s *eckd) locateRecordExtended(op *channel.Operation) channel.UnitStatus {
	op.Data.Expect(locateExtendedSize)
	var p [locateExtendedSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if status := s.extendedParameters(op, &p, locateExtendedSize); status != 0 {
		return status
	}
	return s.locate(&p)
}

// Extended operations whose parameters are special.
const (
	operationWriteAny = 0x09
	operationReadAny  = 0x0A
	operationTrackset = 0x0E
)

// maxExtendedParameters is how many bytes the extended parameters can have: a
// bit for each track of a domain.
const maxExtendedParameters = 2

// extendedParameters reads the parameters behind the fixed ones, which end at
// byte at: for write any and read any a one, for a trackset a bit for each track
// from the one sought on, of which as many are on as there are tracks in the
// domain. Others need none, or bits that are all on.
func (s *eckd) extendedParameters(op *channel.Operation, p *[locateExtendedSize]byte, at int) channel.UnitStatus {
	s.trackset = 0
	n := int(binary.BigEndian.Uint16(p[18:]))
	if n > maxExtendedParameters {
		return s.reject(messageInvalidParameter)
	}
	op.Data.Expect(at + n)
	var e [maxExtendedParameters]byte
	if op.Data.Read(e[:n]) < n {
		return s.reject(messageCountTooSmall)
	}
	extended := byte(0)
	if p[0]&operationField == operationExtended {
		extended = p[17]
	} else if p[17] != 0 {
		return s.reject(messageInvalidParameter)
	}
	set := binary.BigEndian.Uint16(e[:])
	first := byte(set >> 8)
	valid := true
	switch extended {
	case operationWriteAny, operationReadAny:
		valid = n == 1 && first == 1
	case operationTrackset:
		valid = n > 0 && set&firstTrack != 0 && bits.OnesCount16(set) == int(p[3])
		s.trackset = set
	default:
		valid = n == 0 || ^set>>(16-min(16, uint(p[3])))&(1<<min(16, uint(p[3]))-1) == 0
	}
	if !valid {
		return s.reject(messageInvalidParameter)
	}
	return 0
}

// firstTrack is the bit of a trackset for the track that is sought.
const firstTrack = 1 << 15

// locate checks and takes the parameters of a locate record: it orients and
// opens a domain.
func (s *eckd) locate(p *[locateExtendedSize]byte) channel.UnitStatus {
	g := s.device.geometry
	blockSize := s.extent.blockSize
	switch {
	case s.extent.defined:
	case s.loaded: // behind a read IPL the extent is all of the device
		blockSize = g.ZeroLength + 8
	default:
		return s.reject(messageInvalidSequence)
	}
	o := operations[p[0]&operationField]
	if p[0]&operationField == operationExtended {
		if int(p[17]) >= len(extendedOperations) {
			return s.reject(messageInvalidParameter)
		}
		o = extendedOperations[p[17]]
	}
	auxiliary, count, sector := p[1], int(p[3]), p[13]
	length := int(binary.BigEndian.Uint16(p[14:]))
	suffix := auxiliary&auxiliarySuffix != 0
	track, ok := g.Track(binary.BigEndian.Uint32(p[4:]))
	switch {
	case o.domain == 0 && !o.orient,
		o.ways>>(p[0]>>6)&1 == 0,
		auxiliary&^(auxiliaryLength|auxiliarySuffix) != 0,
		suffix && (!o.suffix || count < 2),
		o.orient != (count == 0),
		p[2] != 0,
		sector != noSector && int(sector) >= g.Sectors,
		(auxiliary&auxiliaryLength != 0) != (length != 0) || length > blockSize,
		!ok:
		return s.reject(messageInvalidParameter)
	case o.writes > s.permitted():
		return s.reject(messageInvalidSequence)
	case track < s.extent.first || track > s.extent.last:
		return s.check(senseFileProtected, messageNone, s.track)
	case s.trackset != 0 && track+15-bits.TrailingZeros16(s.trackset) > s.extent.last:
		return s.check(senseFileProtected, messageNone, s.track)
	}
	if o.writes > nothing && s.device.inhibited {
		return s.check(senseEquipmentCheck|senseWriteInhibited, messageInvalidParameter, s.track)
	}
	s.seek(track)
	s.sector = 0
	if sector != noSector {
		s.aim(sector)
	}
	orient := p[0] & orientField
	switch {
	case o.any:
		// "The search argument is ignored and no search operation is performed"
		// (SA22-1025, Read Any): a track without user records ends in no record found.
		t, status := s.load()
		if status != 0 {
			return status
		}
		if _, status := s.next(t, false, false); status != 0 {
			return status
		}
		s.at = atIndex
	case orient == orientCount || orient == orientData:
		if status := s.find(binary.BigEndian.Uint32(p[8:]), p[12], o.writes > nothing); status != 0 {
			return status
		}
		if orient == orientData {
			s.at = atData
		}
	default:
		if orient == orientHome && binary.BigEndian.Uint32(p[8:]) != g.Address(track/s.heads, track%s.heads) {
			return s.check(senseNoRecord, messageNone, s.track)
		}
		s.at = atHome
	}
	// Without a domain the orientation does not stand for the search that a write
	// needs.
	switch {
	case o.orient:
	case s.at == atHome:
		s.keep = foundHome
	default:
		s.keep = foundID
	}
	if length == 0 {
		length = blockSize
	}
	if s.attribute&attributeConversion != 0 {
		length = 0
	}
	s.domain = domain{left: count, operation: o.domain, suffix: suffix, orient: orient, length: length, set: s.trackset, any: o.any}
	s.trackset = 0
	return done
}

// find orients to the count field of the record that the search argument names.
// A fast write does not wait for the device to find it: the control unit knows
// the track's format.
func (s *eckd) find(address uint32, number byte, write bool) channel.UnitStatus {
	if write && (s.fastWrite() || s.cacheFastWrite()) {
		s.skipVisit(s.track)
	}
	t, status := s.load()
	if status != 0 {
		return status
	}
	r, found, err := t.Find(number)
	for found && err == nil && (r.Number != number || r.Address != address) {
		r, found, err = t.Next(r)
	}
	switch {
	case err != nil:
		return s.damaged(err)
	case !found:
		return s.check(senseNoRecord, messageNone, s.track)
	}
	s.record, s.at = r, atCount
	return 0
}

// Places in the parameters of a prefix.
const (
	prefixSize       = 64
	prefixExtent     = 12
	prefixLocate     = 44
	prefixFunction   = prefixSize - leastOrderSize // of the subsystem function
	prefixDefine     = 0x80                        // the define extent is valid
	prefixVerifyBase = 0x20
	prefixHyperPAV   = 0x10
	prefixSuspend    = 0x80 // suspend multipath reconnection
	prefixTrusted    = 0x08
)

// The formats of a prefix.
const (
	prefixAlone      = 0
	prefixLocating   = 1
	prefixSubsystem  = 2
	prefixLastFormat = prefixSubsystem
)

// prefix is Prefix (E7): a define extent, and in format 1 a locate record
// extended, in format 2 a perform subsystem function, in one command.
func (s *eckd) prefix(op *channel.Operation) channel.UnitStatus {
	op.Data.Expect(prefixSize)
	var p [prefixSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if op.Index > 0 {
		return s.reject(messageInvalidSequence)
	}
	format, valid := p[0], p[1]
	if format > prefixLastFormat || valid&^(0xF0) != 0 || p[3]&^(prefixSuspend|prefixTrusted) != 0 {
		return s.reject(messageInvalidParameter)
	}
	if valid&(prefixVerifyBase|prefixHyperPAV) != 0 && p[2] != byte(s.device.number) {
		return s.reject(messageInvalidParameter)
	}
	if format == prefixLocating {
		var l [locateExtendedSize]byte
		copy(l[:], p[prefixLocate:])
		if status := s.extendedParameters(op, &l, prefixSize); status != 0 {
			return status
		}
	}
	if valid&prefixDefine != 0 {
		var d [defineExtentSize]byte
		copy(d[:], p[prefixExtent:])
		if status := s.define(&d); status != done {
			return status
		}
	}
	switch format {
	case prefixAlone:
		return done
	case prefixSubsystem:
		return s.subsystemFunction(op, [leastOrderSize]byte(p[prefixFunction:]), leastOrderSize, prefixFunction)
	}
	var l [locateExtendedSize]byte
	copy(l[:], p[prefixLocate:])
	return s.locate(&l)
}
