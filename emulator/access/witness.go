package access

import "github.com/iosrun/iosrun/emulator/machine"

// Witness is told of the requests of applications and of their outcome, part by
// part: a part of a request is one channel program. It must not change anything.
// The order of the calls is the order of the events.
type Witness interface {
	// Submitted says that a part has been asked for, before any of its I/O is under
	// way. The parts of one request are submitted one after the other.
	Submitted(t *Transfer)
	// Started says that the channel program of a part is about to be started. A part
	// that reads its blocks before it writes them has two programs; Started is called
	// for each.
	Started(t *Transfer)
	// Reread says that the blocks of a part that changes only some of their bytes
	// have been read, all of them and whole, and are in the data area.
	Reread(t *Transfer, now machine.Time)
	// Ended says that a part has ended with completion code t.Code. The data of a
	// read that ended well is in the data area. Ended is called before later writes
	// to the same blocks are started.
	Ended(t *Transfer, now machine.Time)
}

// Transfer is a part of a request as a Witness sees it. It belongs to the access
// method, and is the same one from Submitted to Ended.
type Transfer struct {
	// Token is the application's name of the request.
	Token uint64
	// ID is the identity of the I/O, from Started on.
	ID    uint64
	Write bool
	// ReadsFirst says that the part changes only some of the bytes of its blocks, and
	// reads the blocks first.
	ReadsFirst bool
	// Offset and Length give the place of the part on the volume that the application
	// sees, in bytes.
	Offset, Length int64
	// Content names what a write stores: unit i of the part, from 0, gets the tag
	// Content + i + 1.
	Content uint64
	// Code is the completion code; it is set in Ended.
	Code uint8
	// Mark and Since are for the witness to use.
	Mark  int
	Since uint64

	part *part
}

// Tags returns the tags of length bytes at offset of the volume in the part's data
// area, or nil when the area holds bytes. Both are multiples of 512, within the
// blocks of the part.
func (t *Transfer) Tags(offset, length int64) []machine.Tag {
	tags := t.part.data.Tags()
	if tags == nil {
		return nil
	}
	at := (offset - t.part.first*BlockSize) / machine.UnitSize
	return tags[at : at+length/machine.UnitSize]
}

// Bytes returns the same range as Tags, as bytes, or nil when the area holds tags.
func (t *Transfer) Bytes(offset, length int64) []byte {
	bytes := t.part.data.Bytes()
	if bytes == nil {
		return nil
	}
	at := offset - t.part.first*BlockSize
	return bytes[at : at+length]
}

// ProgramWitness is told of channel programs that are run as they are. It must not
// change anything.
type ProgramWitness interface {
	// ProgramStarted says that a program is about to be run.
	ProgramStarted(p *Program)
	// ProgramEnded says that a program has ended with completion code p.Code.
	ProgramEnded(p *Program)
}
