package dasd

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/media"
)

// Record overflow is a feature of control units older than the 3880: a record
// is written in segments, each on a track of its own, and read and updated as
// one. A segment is a record as it lies on the track; all but the last one of
// a logical record are marked, and each next one is the first record behind
// record zero of the next track of the cylinder.
//
// On the device the mark is in the flag byte of the count area, which no image
// has. Images, those of Hercules too, keep it as the first bit of the count
// field, in the cylinder's first byte: the devices with the feature have at
// most 815 cylinders. A first byte of FF is not a mark, as it may begin a count
// field of ones. A program never sees the mark, and cannot write it as part of a
// count field: that would be an overflow record on the next read.
const overflowMark = 0x80000000

// segmented reports whether the record goes on with the next track.
func (s *eckd) segmented(c media.Count) bool {
	return s.device.unit.overflow != 0 && c.Address&overflowMark != 0 && c.Address>>24 != 0xFF
}

// shown is the count field as a program sees it.
func (s *eckd) shown(c media.Count) media.Count {
	if s.segmented(c) {
		c.Address &^= overflowMark
	}
	return c
}

// The operation under way where a record's next segment cannot be come to
// (2841), and its place in the sense bytes (recalled, unsourced): byte 5, on a 3830
// byte 3, where it is the command to go on with.
const (
	overflowRead  = 0x06
	overflowWrite = 0x05

	overflow2841 = 5
	overflow3830 = 3
)

// overflow goes on to the next segment of the current record, on the next track
// of the cylinder whatever the command's multitrack bit is. operation is for
// the sense bytes. Past the cylinder's end, where the file mask inhibits it, and
// on a track without records the unit check has overflow incomplete beside its
// own bit.
func (s *eckd) overflow(operation byte) arch.UnitStatus {
	bits := arch.Sense(0)
	switch {
	case s.mask&arch.MaskSeek == arch.MaskSeekNone:
		bits = arch.SenseFileProtected
	case (s.track+1)%s.heads == 0:
		bits = arch.SenseEndOfCylinder
	default:
		s.track++
		s.at = atIndex
		t, status := s.load()
		if status != 0 {
			return status
		}
		r, err := t.Zero()
		more := false
		if err == nil {
			r, more, err = t.Next(r)
		}
		if err != nil {
			return s.damaged(err)
		}
		if more {
			s.record, s.at = r, atCount
			return 0
		}
		bits = arch.SenseNoRecord
	}
	status := s.check(bits|arch.SenseIncomplete, messageNone, s.track)
	s.session.sense[s.device.unit.overflow] = operation
	return status
}

// readSegments sends the data of the segments behind the current one, of which
// and of the fields before n bytes were to be sent.
func (s *eckd) readSegments(op *channel.Operation, n int) (int, arch.UnitStatus) {
	for s.segmented(s.record.Count) {
		if status := s.overflow(overflowRead); status != 0 {
			return n, status
		}
		t, status := s.load()
		if status != 0 {
			return n, status
		}
		s.passRecord(t, s.record)
		n += int(s.record.DataLength)
		op.Data.Expect(n)
		s.giveData(op, t, s.record)
	}
	return n, 0
}

// writeSegments receives the data of the segments behind the current one,
// likewise.
func (s *eckd) writeSegments(op *channel.Operation, n int) arch.UnitStatus {
	for s.segmented(s.record.Count) {
		if status := s.overflow(overflowWrite); status != 0 {
			return status
		}
		t, status := s.update()
		if status != 0 {
			return status
		}
		n += int(s.record.DataLength)
		s.device.tell(s.track, s.record.Ordinal, s.record.Ordinal)
		op.Data.Expect(n)
		s.take(op, t, s.record)
		s.at = atData
		s.wroteRecord(t, s.record, int(s.record.DataLength))
	}
	return done
}

// writeSpecial is Write Special Count, Key and Data (01): Write Count, Key and
// Data of a segment that the next track goes on with. Control units without
// record overflow refuse it.
func (s *eckd) writeSpecial(op *channel.Operation) arch.UnitStatus {
	if s.device.unit.overflow == 0 {
		return s.reject(messageInvalidSequence)
	}
	if status := s.format(); status != 0 {
		return status
	}
	return s.appendRecord(op, true)
}
