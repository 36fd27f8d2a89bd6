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

// segmented reports whether the record continues on the next track.
func (s *eckd) segmented(c media.Count) bool {
	return s.device.unit.overflow != 0 && c.Address&overflowMark != 0 && c.Address>>24 != 0xFF
}

// shown returns the count field as a program sees it.
func (s *eckd) shown(c media.Count) media.Count {
	if s.segmented(c) {
		c.Address &^= overflowMark
	}
	return c
}

// overflowRead and overflowWrite name the operation under way when a record's next
// segment cannot be reached (2841); overflow2841 and overflow3830 are their
// offsets in the sense bytes (recalled, unsourced). On a 3830 the byte names the
// command to continue with.
const (
	overflowRead  = 0x06
	overflowWrite = 0x05

	overflow2841 = 5
	overflow3830 = 3
)

// overflow moves to the next segment of the current record, on the next track of
// the cylinder, whatever the command's multitrack bit is. operation goes into the
// sense bytes. At the end of the cylinder, if the file mask inhibits the step, and
// on a track without records, it returns a unit check with overflow incomplete
// beside the bit for the cause.
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

// readSegments sends the data of the segments behind the current one. n is the
// number of bytes that were to be sent before them; readSegments returns the
// number with them.
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

// writeSegments receives the data of the segments behind the current one. n is the
// number of bytes that were to be received before them.
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
// Data for a segment that continues on the next track. Control units without
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
