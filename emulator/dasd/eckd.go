package dasd

import (
	"errors"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// orientation is the place of the head on a track, as far as the following
// commands depend on it.
type orientation uint8

const (
	atIndex orientation = iota // before the home address
	atHome                     // behind the home address
	atCount                    // behind the count field of session.record
	atKey                      // behind the key of that record
	atData                     // behind the data of that record
)

// established is a set of conditions that earlier commands of the chain have met
// and that writes require. Each command clears the set unless it puts conditions
// into session.keep.
type established uint8

const (
	foundHome   established = 1 << iota // search home address was satisfied
	foundID                             // search identifier equal was satisfied
	foundKey                            // search key equal was satisfied
	foundData                           // data was read or written after one of these
	writtenZero                         // record zero has been written
	writtenCKD                          // a record has been written
	selected                            // read subsystem data has been prepared
)

// eckd is a session of a CKD device.
type eckd struct {
	session

	heads   int
	track   int // track that the head is on
	record  media.Record
	at      orientation
	known   established // conditions before the command under way
	keep    established // conditions for the next command
	passed  bool        // the index has been passed since the searches began
	seeked  bool        // a seek, locate record or the like has positioned the chain
	before  byte        // code of the previous command, 0 for none
	formats uint32      // Device.formats at the last positioning
	sector  byte        // sector named by set sector or locate record

	masked   bool // set file mask was used
	loaded   bool // read IPL was used
	mask     byte
	extent   extent
	domain   domain
	scratch  []byte
	trackset uint16                   // trackset of the locate record extended under way
	subsys   [subsystemOrderSize]byte // parameters of the last subsystem function
}

// extent is the range of tracks that define extent has defined; without one, all
// of the device.
type extent struct {
	first, last int
	defined     bool
	blockSize   int // 0: not checked
}

// domain is the number of records or tracks, and the operation on them, that
// locate record has defined.
type domain struct {
	left      int
	operation domainSet // a single bit
	suffix    bool      // the last command must be a read count
	orient    byte      // orientation asked for
	length    int       // transfer length factor
	tracks    int       // number of tracks read or written whole so far
	set       uint16    // trackset: a bit for each track from the first on, high bit first
	any       bool      // read any or write any: begins at any record and goes round the track
}

// Begin starts a chain. It keeps only the position of the arm from an earlier
// chain.
func (s *eckd) Begin(now machine.Time, orb *channel.ORB) arch.UnitStatus {
	d := s.device
	s.track = d.position
	s.at, s.record = atIndex, media.Record{}
	s.known, s.keep, s.passed = 0, 0, false
	s.seeked, s.before = false, 0
	s.trackset = 0
	s.formats = d.formats
	s.sector = 0
	s.masked, s.loaded, s.mask = false, false, 0
	s.extent = extent{last: d.tracks - 1}
	s.domain = domain{}
	return s.begin(now, orb)
}

// Reset drops the chain, and after a clear also the sense bytes.
func (s *eckd) Reset(clear bool) {
	s.domain = domain{}
	s.known, s.keep = 0, 0
	if clear {
		s.sensed, s.owed.is = false, false
	}
}

// Command executes a command.
func (s *eckd) Command(op *channel.Operation) arch.UnitStatus {
	s.command(op)
	status := s.execute(op)
	if status == done && s.domain.left > 0 && op.Data.Last() {
		status = s.check(arch.SenseCommandReject|arch.SenseIncompleteDomain, messageNone, s.track)
	}
	s.device.position = s.track
	s.before = op.Command
	s.moved(op, status)
	return status
}

func (s *eckd) execute(op *channel.Operation) arch.UnitStatus {
	c := &eckdCommands[op.Command]
	if op.Command != arch.CommandBasicSense {
		s.sensed = false
		if status := s.broken(s.track); status != 0 {
			return status
		}
	}
	if c.run == nil || c.needs == needsExtended && !s.device.unit.extended || c.needs == needsPrefix && !s.device.unit.prefix {
		return s.reject(messageInvalidCommand)
	}
	if s.formats != s.device.formats {
		if status := s.reorient(); status != 0 {
			return status
		}
	}
	if !c.searches {
		s.passed = false
	}
	s.known, s.keep = s.keep, 0
	if c.seeked && !s.seeked && s.device.unit.extended || s.known&selected != 0 && op.Command != arch.CommandReadSubsystemData {
		return s.reject(messageInvalidSequence)
	}
	if s.domain.left == 0 {
		if c.outside {
			return c.run(s, op)
		}
		return s.reject(messageInvalidSequence)
	}
	if !s.admits(op.Command, c) {
		return s.reject(messageInvalidSequence)
	}
	status := c.run(s, op)
	s.domain.left--
	if status != done {
		s.domain = domain{}
	}
	return status
}

// admits reports whether the command is valid at this place in the domain.
func (s *eckd) admits(code byte, c *command) bool {
	if s.domain.suffix && s.domain.left == 1 {
		return code&^arch.Multitrack == arch.CommandReadCount
	}
	return c.domains&s.domain.operation != 0
}

// reorient finds the record again after another session has formatted a track
// of the device, between two events of one long chain.
func (s *eckd) reorient() arch.UnitStatus {
	s.formats = s.device.formats
	if s.at < atCount {
		return 0
	}
	t, status := s.load()
	if status != 0 {
		return status
	}
	r, more, err := t.Record(s.record.Ordinal)
	if err != nil {
		return s.damaged(err)
	}
	if !more {
		s.at = atIndex
	}
	s.record = r
	return 0
}

// reject makes the unit check of a command reject with a message of format 0.
func (s *eckd) reject(message byte) arch.UnitStatus {
	return s.check(arch.SenseCommandReject, message, s.track)
}

// damaged makes the unit check for an error of the medium.
func (s *eckd) damaged(err error) arch.UnitStatus {
	switch {
	case errors.Is(err, media.ErrReadOnly):
		return s.check(arch.SenseEquipmentCheck|arch.SenseWriteInhibited, messageInvalidParameter, s.track)
	case errors.Is(err, media.ErrNoRoom):
		return s.check(arch.SenseInvalidFormat, messageNone, s.track)
	case errors.Is(err, media.ErrTrack):
		return s.check(arch.SenseDataCheck, messageNone, s.track)
	}
	return s.check(arch.SenseEquipmentCheck, messageNone, s.track)
}

// load returns the track that the head is on, for reading.
func (s *eckd) load() (*media.Track, arch.UnitStatus) {
	if s.track != s.visited {
		s.visit(s.track)
		if !s.extent.defined {
			s.touch(s.track, s.track, false)
		}
	}
	t, err := s.device.ckd.Track(s.track)
	if err != nil {
		return nil, s.damaged(err)
	}
	return t, 0
}

// update returns the track that the head is on, for changing.
func (s *eckd) update() (*media.Track, arch.UnitStatus) {
	if s.device.inhibited {
		return nil, s.damaged(media.ErrReadOnly)
	}
	if !s.extent.defined {
		s.touch(s.track, s.track, true)
	}
	t, err := s.device.ckd.Update(s.track)
	if err != nil {
		return nil, s.damaged(err)
	}
	return t, 0
}

// placeOf returns the place of the record on the track, from its count field to
// the end of its data.
func (s *eckd) placeOf(t *media.Track, r media.Record) place {
	return place{t.Angle(s.device.geometry, r), s.device.mechanics.span(media.CountSize + r.Length())}
}

// passRecord takes the time for reading the record.
func (s *eckd) passRecord(t *media.Track, r media.Record) {
	if s.missed {
		s.pass(s.placeOf(t, r))
	}
}

// passTrack takes the time for reading the track from the index to the end of its
// last record.
func (s *eckd) passTrack(t *media.Track, last media.Record) {
	if s.missed {
		p := s.placeOf(t, last)
		s.pass(place{0, p.at + p.length})
	}
}

// passHome takes the time for reading the home address.
func (s *eckd) passHome() { s.pass(place{0, s.device.mechanics.span(homeAddressSize)}) }

// homeAddressSize is the length of a home address in bytes: a flag and CCHH.
const homeAddressSize = 5

// wroteRecord takes the time for n bytes written to the record.
func (s *eckd) wroteRecord(t *media.Track, r media.Record, n int) {
	if s.wrote(s.track, n) {
		s.moveArm(s.track, s.placeOf(t, r))
	}
}

// aim makes the head wait for a sector, which set sector or locate record names,
// on its way to the next record.
func (s *eckd) aim(sector byte) {
	s.sector = sector
	s.wait = int(sector) * turn / s.device.geometry.Sectors
}

// next moves to the count field of the next record. Beyond the end of this track
// it continues on the next track with multitrack, else round the same track again.
// ("If the multitrack bit is '0', the control unit is oriented to the count field
// of the first user data record on the same track", in a domain too: IBM, Internal
// Disk Subsystem Reference Guide, SA22-1025, Read Data.) A record zero on the way
// counts only if zero is set. A search that goes round the track ends with no
// record found when it comes to the index again.
func (s *eckd) next(t *media.Track, mt, zero bool) (*media.Track, arch.UnitStatus) {
	for {
		var r media.Record
		var more bool
		var err error
		if s.at < atCount {
			if r, err = t.Zero(); zero && err == nil {
				more = true
			} else if err == nil {
				r, more, err = t.Next(r)
			}
		} else {
			r, more, err = t.Next(s.record)
		}
		if err != nil {
			return nil, s.damaged(err)
		}
		if more {
			s.record, s.at = r, atCount
			return t, 0
		}
		switch {
		case mt && !s.domain.any:
			if status := s.advance(); status != 0 {
				return nil, status
			}
			var status arch.UnitStatus
			if t, status = s.load(); status != 0 {
				return nil, status
			}
		case s.passed:
			s.index()
			return nil, s.check(arch.SenseNoRecord, messageNone, s.track)
		default:
			s.index()
			s.passed = true
		}
		s.at = atIndex
	}
}

// advance moves the head to the next track: in a domain to the next one of the
// extent, else to the next one of the cylinder.
func (s *eckd) advance() arch.UnitStatus {
	switch {
	case s.domain.left == 0 && s.mask&arch.MaskSeek == arch.MaskSeekNone:
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	case s.domain.left == 0 && (s.track+1)%s.heads == 0:
		status := s.check(arch.SenseEndOfCylinder, messageNone, s.track)
		// Selecting a head beyond the last one leaves no head selected.
		s.track = 0
		return status
	case s.track >= s.extent.last:
		return s.check(arch.SenseFileProtected, messageNone, s.track)
	}
	s.track++
	s.at = atIndex
	s.wait = -1
	return 0
}

// seek moves the head to a track.
func (s *eckd) seek(track int) {
	s.track = track
	s.at = atIndex
	s.wait = -1
	s.seeked = true
}

// buffer returns scratch memory of n bytes, at most the size of a track. It is
// valid until the next call.
func (s *eckd) buffer(n int) []byte {
	if cap(s.scratch) < n {
		s.scratch = make([]byte, max(n, s.device.geometry.TrackSize))
	}
	return s.scratch[:n]
}
