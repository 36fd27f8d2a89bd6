package dasd

import (
	"encoding/binary"
	"math/bits"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// defineExtent is Define Extent (63).
func (s *eckd) defineExtent(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.DefineExtentSize)
	var p [arch.DefineExtentSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	return s.define(&p)
}

// define checks and takes the parameters of a define extent.
func (s *eckd) define(p *[arch.DefineExtentSize]byte) arch.UnitStatus {
	if s.extent.defined || s.masked || s.loaded {
		return s.reject(messageInvalidSequence)
	}
	g := s.device.geometry
	first, ok := g.Track(binary.BigEndian.Uint32(p[arch.DefineExtentFirst:]))
	last, ok2 := g.Track(binary.BigEndian.Uint32(p[arch.DefineExtentLast:]))
	blockSize := int(binary.BigEndian.Uint16(p[arch.DefineExtentBlockSize:]))
	if blockSize == 0 {
		blockSize = g.ZeroLength + 8
	}
	if !ok || !ok2 || first > last || p[arch.DefineExtentMask]&arch.MaskReserved != 0 || p[arch.DefineExtentAttribute]&arch.AttributeECKD != arch.AttributeECKD || blockSize > g.ZeroLength+8 {
		return s.reject(messageInvalidParameter)
	}
	cfwid := uint16(0)
	if p[arch.DefineExtentAttribute]&arch.AttributeFastWrite != 0 {
		cfwid = s.subsystem.cfwid
	}
	// The sense for an identity that is not the subsystem's is an estimate; without
	// cache fast write the bytes must be zero.
	if binary.BigEndian.Uint16(p[arch.DefineExtentFastWrite:]) != cfwid {
		return s.reject(messageInvalidParameter)
	}
	s.mask, s.attribute = p[arch.DefineExtentMask], p[arch.DefineExtentAttribute]
	s.extent = extent{first, last, true, blockSize}
	s.touch(first, last, p[arch.DefineExtentMask]&arch.MaskWrite != arch.MaskWriteNone)
	return done
}

// ways is a set of orientations, one bit for each value of the two bits that ask
// for them.
type ways uint8

const (
	byCount ways = 1 << (arch.OrientCount >> 6)
	byHome  ways = 1 << (arch.OrientHome >> 6)
	byData  ways = 1 << (arch.OrientData >> 6)
	byIndex ways = 1 << (arch.OrientIndex >> 6)
)

// operation holds the properties of an operation code of locate record.
type operation struct {
	domain domainSet  // 0: no operation, or orient, which opens no domain
	orient bool       // only orients: no domain
	writes permission // permission that it needs
	suffix bool       // a read count may follow
	any    bool       // begins at any record and goes round the track
	ways   ways       // the orientations that it can have
}

// The operations of locate record, and the extended operations, which are named by
// another byte if the operation is 3F.
var (
	operations = [arch.OperationMask + 1]operation{
		arch.OperationOrient:     {orient: true, ways: byCount | byHome | byData},
		arch.OperationWriteData:  {domain: inWrite, writes: updates, suffix: true, ways: byCount | byData},
		arch.OperationFormat:     {domain: inFormat, writes: formats, ways: byCount | byHome | byIndex},
		arch.OperationReadData:   {domain: inRead, ways: byCount | byHome | byData},
		arch.OperationWriteTrack: {domain: inWriteTrack, writes: formats, ways: byCount},
		arch.OperationReadTracks: {domain: inReadTracks, ways: byCount | byHome},
		arch.OperationRead:       {domain: inReadAny, suffix: true, ways: byCount | byHome | byData | byIndex},
	}
	extendedOperations = [...]operation{
		arch.ExtendedWriteAny:       {domain: inWriteAny, writes: updates, suffix: true, any: true, ways: byCount},
		arch.ExtendedReadAny:        {domain: inReadAny, suffix: true, any: true, ways: byCount},
		arch.ExtendedReadTrackset:   {domain: inReadTracks, ways: byCount | byHome},
		arch.ExtendedWriteFullTrack: {domain: inWriteFull, writes: everything, ways: byCount},
		arch.ExtendedWriteTrackData: {domain: inWriteFields, writes: updates, ways: byCount},
	}
)

// permission names the kinds of write that the file mask permits.
type permission uint8

// The kinds of write. Each includes the kinds before it.
const (
	nothing    permission = iota
	updates               // of data and keys
	formats               // of count, key and data
	everything            // also of home address and record zero
)

// permitted returns the kinds of write that the file mask permits.
func (s *eckd) permitted() permission {
	switch s.mask & arch.MaskWrite {
	case arch.MaskWriteNone:
		return nothing
	case arch.MaskWriteUpdate:
		return updates
	case arch.MaskWriteNoZero:
		return formats
	}
	return everything
}

// locateRecord is Locate Record (47).
func (s *eckd) locateRecord(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.LocateRecordSize)
	var p [arch.LocateRecordExtendedSize]byte
	if op.Data.Read(p[:arch.LocateRecordSize]) < arch.LocateRecordSize {
		return s.reject(messageCountTooSmall)
	}
	if p[arch.LocateRecordOperation]&arch.OperationMask == arch.OperationExtended {
		return s.reject(messageInvalidParameter)
	}
	return s.locate(&p)
}

// locateRecordExtended is Locate Record Extended (4B).
func (s *eckd) locateRecordExtended(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.LocateRecordExtendedSize)
	var p [arch.LocateRecordExtendedSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if status := s.extendedParameters(op, &p, arch.LocateRecordExtendedSize); status != 0 {
		return status
	}
	return s.locate(&p)
}

// maxExtendedParameters is the largest number of bytes of extended parameters: a
// bit for each track of a domain.
const maxExtendedParameters = 2

// extendedParameters reads the parameters behind the fixed ones, which end at byte
// at. Write any and read any need a byte of 1. A trackset needs a bit for each
// track from the one sought on, and as many bits are on as the domain has tracks.
// Other operations need no byte, or bits that are all on.
func (s *eckd) extendedParameters(op *channel.Operation, p *[arch.LocateRecordExtendedSize]byte, at int) arch.UnitStatus {
	s.trackset = 0
	n := int(binary.BigEndian.Uint16(p[arch.LocateRecordExtendedCount:]))
	if n > maxExtendedParameters {
		return s.reject(messageInvalidParameter)
	}
	op.Data.Expect(at + n)
	var e [maxExtendedParameters]byte
	if op.Data.Read(e[:n]) < n {
		return s.reject(messageCountTooSmall)
	}
	extended := byte(0)
	if p[arch.LocateRecordOperation]&arch.OperationMask == arch.OperationExtended {
		extended = p[arch.LocateRecordExtendedOperation]
	} else if p[arch.LocateRecordExtendedOperation] != 0 {
		return s.reject(messageInvalidParameter)
	}
	set := binary.BigEndian.Uint16(e[:])
	first := byte(set >> 8)
	valid := true
	switch extended {
	case arch.ExtendedWriteAny, arch.ExtendedReadAny:
		valid = n == 1 && first == 1
	case arch.ExtendedReadTrackset:
		valid = n > 0 && set&firstTrack != 0 && bits.OnesCount16(set) == int(p[arch.LocateRecordCount])
		s.trackset = set
	default:
		valid = n == 0 || ^set>>(16-min(16, uint(p[arch.LocateRecordCount])))&(1<<min(16, uint(p[arch.LocateRecordCount]))-1) == 0
	}
	if !valid {
		return s.reject(messageInvalidParameter)
	}
	return 0
}

// firstTrack is the bit of a trackset that stands for the track sought.
const firstTrack = 1 << 15

// locate checks and takes the parameters of a locate record: it orients the head
// and opens a domain.
func (s *eckd) locate(p *[arch.LocateRecordExtendedSize]byte) arch.UnitStatus {
	g := s.device.geometry
	blockSize := s.extent.blockSize
	switch {
	case s.extent.defined:
	case s.loaded: // after a read IPL the extent is all of the device
		blockSize = g.ZeroLength + 8
	default:
		return s.reject(messageInvalidSequence)
	}
	o := operations[p[arch.LocateRecordOperation]&arch.OperationMask]
	if p[arch.LocateRecordOperation]&arch.OperationMask == arch.OperationExtended {
		if int(p[arch.LocateRecordExtendedOperation]) >= len(extendedOperations) {
			return s.reject(messageInvalidParameter)
		}
		o = extendedOperations[p[arch.LocateRecordExtendedOperation]]
	}
	auxiliary, count, sector := p[arch.LocateRecordAuxiliary], int(p[arch.LocateRecordCount]), p[arch.LocateRecordSector]
	length := int(binary.BigEndian.Uint16(p[arch.LocateRecordLength:]))
	suffix := auxiliary&arch.AuxiliarySuffix != 0
	track, ok := g.Track(binary.BigEndian.Uint32(p[arch.LocateRecordTrack:]))
	switch {
	case o.domain == 0 && !o.orient,
		o.ways>>(p[arch.LocateRecordOperation]>>6)&1 == 0,
		auxiliary&^(arch.AuxiliaryLength|arch.AuxiliarySuffix) != 0,
		suffix && (!o.suffix || count < 2),
		o.orient != (count == 0),
		p[2] != 0,
		sector != arch.AnySector && int(sector) >= g.Sectors,
		(auxiliary&arch.AuxiliaryLength != 0) != (length != 0) || length > blockSize,
		!ok:
		return s.reject(messageInvalidParameter)
	case o.writes > s.permitted():
		return s.reject(messageInvalidSequence)
	case track < s.extent.first || track > s.extent.last:
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	case s.trackset != 0 && track+15-bits.TrailingZeros16(s.trackset) > s.extent.last:
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	}
	if o.writes > nothing && s.device.inhibited {
		return s.check(arch.SenseEquipmentCheck|arch.SenseWriteInhibited, messageInvalidParameter, s.track)
	}
	s.seek(track)
	s.sector = 0
	if sector != arch.AnySector {
		s.aim(sector)
	}
	orient := p[arch.LocateRecordOperation] & arch.OrientMask
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
	case orient == arch.OrientCount || orient == arch.OrientData:
		if status := s.find(binary.BigEndian.Uint32(p[arch.LocateRecordSearch:]), p[arch.LocateRecordRecord], o.writes > nothing); status != 0 {
			return status
		}
		if orient == arch.OrientData {
			s.at = atData
		}
	default:
		if orient == arch.OrientHome && binary.BigEndian.Uint32(p[arch.LocateRecordSearch:]) != g.Address(track/s.heads, track%s.heads) {
			return s.check(arch.SenseNoRecord, messageNone, s.track)
		}
		s.at = atHome
	}
	// An orientation without a domain does not replace the search that a write needs.
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
	if s.attribute&arch.AttributeConversion != 0 {
		length = 0
	}
	s.domain = domain{left: count, operation: o.domain, suffix: suffix, orient: orient, length: length, set: s.trackset, any: o.any}
	s.trackset = 0
	return done
}

// find orients to the count field of the record that the search argument names. A
// fast write does not wait until the device finds the record: the control unit
// knows the track's format.
func (s *eckd) find(address uint32, number byte, write bool) arch.UnitStatus {
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
		return s.check(arch.SenseNoRecord, messageNone, s.track)
	}
	s.record, s.at = r, atCount
	return 0
}

// Offsets of the parts in the parameters of a prefix.
const (
	prefixFunction   = arch.PrefixSize - leastOrderSize // the subsystem function
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
func (s *eckd) prefix(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.PrefixSize)
	var p [arch.PrefixSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if op.Index > 0 {
		return s.reject(messageInvalidSequence)
	}
	format, valid := p[arch.PrefixFormat], p[arch.PrefixValidity]
	if format > prefixLastFormat || valid&^(0xF0) != 0 || p[arch.PrefixAuxiliary]&^(prefixSuspend|prefixTrusted) != 0 {
		return s.reject(messageInvalidParameter)
	}
	if valid&(prefixVerifyBase|prefixHyperPAV) != 0 && p[arch.PrefixBase] != byte(s.device.number) {
		return s.reject(messageInvalidParameter)
	}
	if format == prefixLocating {
		var l [arch.LocateRecordExtendedSize]byte
		copy(l[:], p[arch.PrefixLocate:])
		if status := s.extendedParameters(op, &l, arch.PrefixSize); status != 0 {
			return status
		}
	}
	if valid&arch.PrefixExtentValid != 0 {
		var d [arch.DefineExtentSize]byte
		copy(d[:], p[arch.PrefixExtent:])
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
	var l [arch.LocateRecordExtendedSize]byte
	copy(l[:], p[arch.PrefixLocate:])
	return s.locate(&l)
}
