package mirror

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// refused reports whether a request to a CKD device has ended because the control
// unit does not know define extent, its first command: a unit check with command
// reject at the first CCW. From then on the unit is driven with the classic
// commands (program.CKD), which every control unit knows.
func (p *Process) refused(b *ios.IOSB) bool {
	w := &b.IRB.SCSW
	if b.OK() || w.Unit&arch.UnitCheck == 0 || arch.SenseOf(&b.IRB.ECW)&arch.SenseCommandReject == 0 ||
		machine.Address(w.CCWAddress) != b.ChannelProgram+arch.CCWSize {
		return false
	}
	p.classic[b.UCB] = true
	return true
}

// classic reports whether one of the two volumes is driven with the classic
// commands.
func (c *copier) classic() bool {
	return c.p.classic[c.m.Pair().Primary()] || c.p.classic[c.m.Unit()]
}

// records holds the progress of the reading of a track with classic commands is: first
// record zero and the count fields, then the records, in several channel programs
// where there are some without data or segments of overflow records.
type records struct {
	zero    bool // record zero has been read
	counted bool
	begun   int // how often
	next    int // record to be read
	done    bool
}

// maxCountings is the number of times that a track is read from its beginning when others format
// it meanwhile. Then it is left to the next copy; in the last one, with writes
// held, nobody does.
const maxCountings = 8

var errFormatted = errors.New("was formatted anew")

// readsRecords reports whether the request under way reads with classic commands.
func (t *stream) readsRecords() bool { return t.classic && !t.write }

// buildClassic is build for a unit that is driven with classic commands.
func (t *stream) buildClassic() error {
	k, r := program.CKD{Heads: t.eckd.Heads}, &t.records
	area, data, track := t.data.Bytes(), t.data.Base, int(t.first)
	switch {
	case t.write:
		return k.WriteTrack(t.control, area, data, track)
	case r.counted:
		return k.Records(t.control, area, data, track, r.next)
	case !r.zero:
		r.begun++
	}
	k.Counts(t.control, area, data, track, !r.zero)
	return nil
}

// recordsRead decides what follows a read with classic commands.
func (t *stream) recordsRead(b *ios.IOSB) error {
	r, area := &t.records, t.data.Bytes()
	w := &b.IRB.SCSW
	reached := t.control.Reached(w.CCWAddress)
	var sense arch.Sense
	if w.Unit&arch.UnitCheck != 0 {
		sense = arch.SenseOf(&b.IRB.ECW)
	}
	exception := w.Unit == arch.ChannelEnd|arch.DeviceEnd|arch.UnitException && w.Channel == 0
	protected := sense&arch.SenseFileProtected != 0
	switch {
	case !r.counted && protected:
		r.zero, r.counted, r.next = true, true, 1
	case !r.counted && exception && !r.zero:
		r.zero = true
	case !r.counted && b.OK():
		return fmt.Errorf("track %d: has more than %d records", t.first, program.MaxRecords)
	case !r.counted:
		return t.failure(b)
	case b.OK():
		r.next = program.RecordCount(area) + 1
	case exception && reached >= r.next:
		r.next = reached + 1
	case protected && sense&arch.SenseIncomplete != 0 && w.Channel == 0 && reached >= r.next:
		program.MarkSegment(area, reached)
		r.next = reached + 1
	case protected, w.Channel&arch.IncorrectLength != 0:
		return t.readAgain()
	default:
		return t.failure(b)
	}
	if r.counted && r.next > program.RecordCount(area) {
		if r.done = program.Complete(area); !r.done {
			return t.readAgain()
		}
	}
	return nil
}

// readAgain has a track read from its beginning that others have formatted anew
// meanwhile.
func (t *stream) readAgain() error {
	begun := t.records.begun
	t.records = records{begun: begun}
	if begun == maxCountings {
		return fmt.Errorf("track %d: %w %d times while it was read", t.first, errFormatted, begun)
	}
	return nil
}
