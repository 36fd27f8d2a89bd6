package dasd

import (
	"bytes"
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/media"
)

// strictest returns the strictest seek part of the file mask that still permits
// the command.
func strictest(code byte) byte {
	switch code {
	case arch.CommandSeekHead:
		return arch.MaskSeekHead
	case arch.CommandSeekCylinder:
		return arch.MaskSeekCylinder
	}
	return arch.MaskSeekAll
}

// seekCommand is Seek (07), Seek Cylinder (0B) and Seek Head (1B).
func (s *eckd) seekCommand(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.SeekSize)
	var p [arch.SeekSize]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	g := s.device.geometry
	address := binary.BigEndian.Uint32(p[arch.SeekAt:])
	if s.mask&arch.MaskSeek > strictest(op.Command) {
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	}
	if op.Command == arch.CommandSeekHead {
		address = g.Address(s.track/s.heads, int(binary.BigEndian.Uint16(p[arch.SeekAt+2:])))
	}
	track, ok := g.Track(address)
	switch {
	case !ok || p[0] != 0 || p[1] != 0:
		return s.reject(messageInvalidParameter)
	case track < s.extent.first || track > s.extent.last:
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	}
	s.seek(track)
	return done
}

// recalibrate is Recalibrate (13): a seek to the first track, for devices older
// than the 3390.
func (s *eckd) recalibrate(op *channel.Operation) arch.UnitStatus {
	if t := s.device.geometry.Type; t == 0x3390 || t == 0x9345 {
		return s.reject(messageInvalidCommand)
	}
	op.Data.Immediate()
	if s.extent.first > 0 || s.mask&arch.MaskSeek != 0 || s.mask&arch.MaskAuthority == arch.MaskDiagnostic {
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	}
	s.seek(0)
	return done
}

// setFileMask is Set File Mask (1F), which is valid once in a chain and not
// together with define extent.
func (s *eckd) setFileMask(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(1)
	var p [1]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if s.masked || s.extent.defined || s.loaded {
		return s.reject(messageInvalidSequence)
	}
	if p[0]&arch.MaskReserved != 0 {
		return s.reject(messageInvalidParameter)
	}
	s.masked, s.mask = true, p[0]
	return done
}

// setSector is Set Sector (23): it sets the sector at which the next search
// begins.
func (s *eckd) setSector(op *channel.Operation) arch.UnitStatus {
	g := s.device.geometry
	if g.Sectors == 0 {
		return s.reject(messageInvalidCommand)
	}
	op.Data.Expect(1)
	var p [1]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	if p[0] != arch.AnySector && int(p[0]) >= g.Sectors {
		return s.reject(messageInvalidParameter)
	}
	if p[0] != arch.AnySector {
		s.aim(p[0])
	}
	return done
}

// The comparisons of a search, in the command code.
const (
	searchEqual = 0x20
	searchHigh  = 0x40
)

// satisfied reports whether a field on the track satisfies a search for argument.
// The longer of the two is cut to the length of the other. equal reports that they
// are equal.
func satisfied(code byte, field, argument []byte) (satisfied, equal bool) {
	n := min(len(field), len(argument))
	order := bytes.Compare(field[:n], argument[:n])
	return n > 0 && (code&searchEqual != 0 && order == 0 || code&searchHigh != 0 && order > 0), n > 0 && order == 0
}

// searchID is Search ID (31 equal, 51 high, 71 equal or high): it compares the
// next count field.
func (s *eckd) searchID(op *channel.Operation) arch.UnitStatus {
	const size = arch.SearchIDSize
	op.Data.Expect(size)
	t, status := s.load()
	if status != 0 {
		return status
	}
	if _, status = s.next(t, op.Command&arch.Multitrack != 0, true); status != 0 {
		return status
	}
	var argument [size]byte
	n := op.Data.Read(argument[:])
	var field [media.CountSize]byte
	s.shown(s.record.Count).Put(field[:])
	ok, equal := satisfied(op.Command, field[:size], argument[:n])
	if !ok {
		return done
	}
	if equal && n == size && op.Command&searchEqual != 0 && op.Command&searchHigh == 0 {
		s.keep = foundID
	}
	return done | arch.StatusModifier
}

// searchKey is Search Key (29 equal, 49 high, 69 equal or high): it compares the
// key of the record whose count field has just passed, or of the next record.
func (s *eckd) searchKey(op *channel.Operation) arch.UnitStatus {
	t, status := s.load()
	if status != 0 {
		return status
	}
	if s.at != atCount {
		if t, status = s.next(t, op.Command&arch.Multitrack != 0, false); status != 0 {
			return status
		}
	}
	op.Data.Expect(int(s.record.KeyLength))
	s.at = atKey
	var argument [255]byte
	n := op.Data.Read(argument[:s.record.KeyLength])
	ok, equal := satisfied(op.Command, t.Key(s.record), argument[:n])
	if !ok {
		return done
	}
	if equal && n == int(s.record.KeyLength) && op.Command&searchHigh == 0 {
		s.keep = foundKey
	}
	return done | arch.StatusModifier
}

// searchHome is Search Home Address Equal (39).
func (s *eckd) searchHome(op *channel.Operation) arch.UnitStatus {
	const size = arch.SearchHomeSize
	op.Data.Expect(size)
	if status := s.toIndex(op.Command); status != 0 {
		return status
	}
	if _, status := s.load(); status != 0 {
		return status
	}
	s.at = atHome
	var argument, field [size]byte
	n := op.Data.Read(argument[:])
	binary.BigEndian.PutUint32(field[:], s.device.geometry.Address(s.track/s.heads, s.track%s.heads))
	if ok, _ := satisfied(searchEqual, field[:], argument[:n]); !ok {
		return done
	}
	if n == size {
		s.keep = foundHome
	}
	return done | arch.StatusModifier
}

// toIndex moves to the index of this track or, with multitrack outside a domain,
// of the next track.
func (s *eckd) toIndex(code byte) arch.UnitStatus {
	if code&arch.Multitrack != 0 && s.domain.left == 0 {
		if status := s.advance(); status != 0 {
			return status
		}
	}
	s.at = atIndex
	return 0
}
