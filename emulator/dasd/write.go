package dasd

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// take receives the record's data, as tags if both sides can hold tags. The rest
// of the record becomes zero.
func (s *eckd) take(op *channel.Operation, t *media.Track, r media.Record) {
	if tags := t.DataTags(r); tags != nil {
		n := len(tags)
		if left := op.Data.Remaining(); left < int(r.DataLength) {
			n = left / machine.UnitSize
			if left%machine.UnitSize != 0 {
				n = -1
			}
		}
		if n == 0 || n > 0 && op.Data.ReadTags(tags[:n]) {
			clear(tags[n:])
			return
		}
		t.Materialize(s.device.geometry)
	} else if r.Ordinal == 0 {
		s.takeZero(op, t, r)
		return
	}
	p := t.Data(r)
	n := op.Data.Read(p)
	clear(p[n:])
}

// takeKey receives the record's key.
func (s *eckd) takeKey(op *channel.Operation, t *media.Track, r media.Record) {
	p := t.Key(r)
	n := op.Data.Read(p)
	clear(p[n:])
}

// write receives key or data of the current record.
func (s *eckd) write(op *channel.Operation, f fields) arch.UnitStatus {
	r := s.record
	if r.DataLength == 0 {
		op.Data.Expect(0)
		return exception // a record without data marks the end of a file
	}
	t, status := s.update()
	if status != 0 {
		return status
	}
	n := f.length(r.Count)
	op.Data.Expect(n)
	if f&keys != 0 && r.KeyLength > 0 {
		s.takeKey(op, t, r)
	}
	s.at = atData
	s.keep = foundData
	s.device.tell(s.track, r.Ordinal, r.Ordinal)
	s.take(op, t, r)
	s.wroteRecord(t, r, n)
	if s.domain.left == 1 && s.domain.operation == inWriteTrack && r.Ordinal == 0 {
		// The last command of a write-track domain ends the track. (Hercules 4.9; 3.13
		// leaves the records behind record zero.)
		t.EraseAfter(r)
		s.device.formats++
		s.formats = s.device.formats
	}
	return s.writeSegments(op, n)
}

// writeHere writes into the record that a search or locate record has found. In a
// write domain that must be the last record.
func (s *eckd) writeHere(op *channel.Operation, f fields, found established) arch.UnitStatus {
	if s.known&found == 0 || s.permitted() < updates || s.at != atCount && (s.at != atKey || f&keys != 0) {
		return s.reject(messageInvalidSequence)
	}
	if s.domain.left > 0 {
		last := 1
		if s.domain.suffix {
			last = 2
		}
		if s.domain.operation == inWrite && s.domain.left != last {
			return s.reject(messageInvalidSequence)
		}
		length := s.domain.length
		if s.domain.operation == inWriteTrack && s.record.Ordinal == 0 {
			length = 8 // the standard record zero
		}
		if length != 0 && f.length(s.record.Count) != length {
			return s.check(arch.SenseInvalidFormat, messageNone, s.track)
		}
	}
	return s.write(op, f)
}

// writeData is Write Data (05). It must follow a search that found the record.
func (s *eckd) writeData(op *channel.Operation) arch.UnitStatus {
	return s.writeHere(op, data, foundID|foundKey)
}

// writeKeyData is Write Key and Data (0D). It must follow a search for the
// identifier.
func (s *eckd) writeKeyData(op *channel.Operation) arch.UnitStatus {
	return s.writeHere(op, keys|data, foundID)
}

// updateData is Write Update Data (85), in a write domain: the first one writes
// the record that locate record found, each further one the next record.
func (s *eckd) updateData(op *channel.Operation) arch.UnitStatus { return s.writeNext(op, data) }

// updateKeyData is Write Update Key and Data (8D).
func (s *eckd) updateKeyData(op *channel.Operation) arch.UnitStatus {
	return s.writeNext(op, keys|data)
}

func (s *eckd) writeNext(op *channel.Operation, f fields) arch.UnitStatus {
	if s.at != atCount || s.record.Ordinal == 0 {
		s.skipVisit(s.track)
		t, status := s.load()
		if status != 0 {
			return status
		}
		if _, status = s.next(t, true, false); status != 0 {
			return status
		}
	}
	if n := s.domain.length; n != 0 && f.length(s.record.Count) != n {
		return s.check(arch.SenseInvalidFormat, messageNone, s.track)
	}
	return s.write(op, f)
}

// format prepares for a format write behind the current record.
func (s *eckd) format() arch.UnitStatus {
	const behind = foundID | foundKey | foundData | writtenZero | writtenCKD
	if s.known&behind == 0 || s.permitted() < formats || s.at < atCount {
		return s.reject(messageInvalidSequence)
	}
	return 0
}

// takeCount receives the count field of a record to be written. Bytes that the
// program's count does not reach are zero (measured on Hercules 3.13).
func (s *eckd) takeCount(op *channel.Operation) (c media.Count, status arch.UnitStatus) {
	var p [media.CountSize]byte
	op.Data.Expect(len(p))
	if op.Data.Read(p[:]) < len(p) && op.Data.Failed() {
		return c, s.reject(messageCountTooSmall)
	}
	c = media.ParseCount(p[:])
	if s.segmented(c) {
		return c, s.reject(messageInvalidParameter)
	}
	op.Data.Expect(len(p) + c.Length())
	return c, 0
}

// formatted notes that the record has been written and is the current one.
func (s *eckd) formatted(t *media.Track, r media.Record, n int) {
	s.device.tell(s.track, r.Ordinal, WholeTrack)
	s.record, s.at = r, atData
	s.device.formats++
	s.formats = s.device.formats
	s.wroteRecord(t, r, n)
}

// appendRecord writes a record behind the current one; a special one is a segment
// of an overflow record. If it has no room, the track stays as it was (measured on
// Hercules 3.13).
func (s *eckd) appendRecord(op *channel.Operation, special bool) arch.UnitStatus {
	c, status := s.takeCount(op)
	if status != 0 {
		return status
	}
	if special {
		c.Address |= overflowMark
		if !s.segmented(c) {
			return s.reject(messageInvalidParameter)
		}
	}
	t, status := s.update()
	if status != 0 {
		return status
	}
	g := s.device.geometry
	r, err := t.Append(g, s.record, c)
	if err != nil {
		return s.damaged(err)
	}
	if c.KeyLength > 0 {
		s.takeKey(op, t, r)
	}
	if op.Data.Remaining() > 0 {
		s.take(op, t, r)
	}
	s.formatted(t, r, media.CountSize+c.Length())
	s.keep = writtenCKD
	return done
}

// writeCKD is Write Count, Key and Data (1D): it writes the record behind the
// current one and erases the rest of the track.
func (s *eckd) writeCKD(op *channel.Operation) arch.UnitStatus {
	if status := s.format(); status != 0 {
		return status
	}
	return s.appendRecord(op, false)
}

// writeNextTrack is Write Count, Key and Data Next Track (9D): it writes the first
// record of the next track of the extent.
func (s *eckd) writeNextTrack(op *channel.Operation) arch.UnitStatus {
	if s.before != arch.CommandWriteCountKeyData && s.before != arch.CommandWriteCountKeyDataNext {
		return s.reject(messageInvalidSequence)
	}
	if status := s.format(); status != 0 {
		return status
	}
	if status := s.advance(); status != 0 {
		return status
	}
	s.skipVisit(s.track)
	t, status := s.load()
	if status != 0 {
		return status
	}
	if _, status = s.next(t, false, true); status != 0 {
		return status
	}
	return s.appendRecord(op, false)
}

// writeZero is Write Record Zero (15), which must follow the home address. It
// erases the rest of the track.
func (s *eckd) writeZero(op *channel.Operation) arch.UnitStatus {
	if s.known&foundHome == 0 || s.permitted() < everything {
		return s.reject(messageInvalidSequence)
	}
	c, status := s.takeCount(op)
	if status != 0 {
		return status
	}
	if c.Number != 0 {
		return s.reject(messageInvalidParameter)
	}
	t, status := s.update()
	if status != 0 {
		return status
	}
	r, err := t.ReplaceZero(s.device.geometry, c)
	if err != nil {
		return s.damaged(err)
	}
	if c.KeyLength > 0 {
		s.takeKey(op, t, r)
	}
	s.takeZero(op, t, r)
	s.formatted(t, r, media.CountSize+c.Length())
	s.keep = writtenZero
	return done
}

// takeZero receives the data of record zero. A uniform track stays uniform if the
// data are zero.
func (s *eckd) takeZero(op *channel.Operation, t *media.Track, r media.Record) {
	p := s.buffer(int(r.DataLength))
	n := op.Data.Read(p)
	clear(p[n:])
	if t.Uniform() {
		if zeros(p) {
			return
		}
		t.Materialize(s.device.geometry)
	}
	copy(t.Data(r), p)
}

func zeros(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// writeHome is Write Home Address (19): flag byte and CCHH, which must equal the
// track's own.
func (s *eckd) writeHome(op *channel.Operation) arch.UnitStatus {
	const size = homeAddressSize
	if s.permitted() < everything {
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	}
	op.Data.Expect(size)
	var p [size]byte
	if op.Data.Read(p[:]) < len(p) {
		return s.reject(messageCountTooSmall)
	}
	g := s.device.geometry
	if n, ok := g.Track(media.ParseCount([]byte{p[1], p[2], p[3], p[4], 0, 0, 0, 0}).Address); !ok || n != s.track {
		return s.reject(messageInvalidParameter)
	}
	t, status := s.update()
	if status != 0 {
		return status
	}
	if p[0] != 0 || !t.Uniform() {
		t.Materialize(g)
		t.Image[0] = p[0]
		s.device.tell(s.track, 0, WholeTrack)
	}
	if s.wrote(s.track, size) {
		s.moveArm(s.track, place{0, s.device.mechanics.span(size)})
	}
	s.at = atHome
	s.keep = foundHome
	return done
}

// erase is Erase (11): it erases the track behind the current record. Its data
// have the form of those of Write Count, Key and Data for a record that has room;
// they are not written.
func (s *eckd) erase(op *channel.Operation) arch.UnitStatus {
	if status := s.format(); status != 0 {
		return status
	}
	c, status := s.takeCount(op)
	if status != 0 {
		return status
	}
	t, status := s.update()
	if status != 0 {
		return status
	}
	if err := t.Fits(s.device.geometry, s.record, c); err != nil {
		return s.damaged(err)
	}
	op.Data.Read(s.buffer(c.Length()))
	t.EraseAfter(s.record)
	s.formatted(t, s.record, media.CountSize)
	return done
}

// writeTrackData is Write Track Data (A5): it writes the data of the records from
// the current one on, until the data or the track ends.
func (s *eckd) writeTrackData(op *channel.Operation) arch.UnitStatus {
	s.skipVisit(s.track)
	if _, status := s.trackData(); status != 0 {
		return status
	}
	t, status := s.update()
	if status != 0 {
		return status
	}
	n, first := 0, s.record
	for r, more, err := s.record, true, error(nil); more; r, more, err = t.Next(r) {
		if err != nil {
			return s.damaged(err)
		}
		if op.Data.Remaining() == 0 {
			break
		}
		s.record = r
		s.device.tell(s.track, r.Ordinal, r.Ordinal)
		n += int(r.DataLength)
		op.Data.Expect(n)
		s.take(op, t, r)
	}
	s.at = atData
	s.domain.tracks++
	if s.wrote(s.track, n) {
		from, to := s.placeOf(t, first), s.placeOf(t, s.record)
		s.moveArm(s.track, place{from.at, to.at + to.length - from.at})
	}
	return done
}
