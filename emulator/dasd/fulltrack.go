package dasd

import (
	"encoding/binary"
	"errors"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/media"
)

// endOfTrack is what Read Track gives and Write Full Track takes behind the last
// record, as a count field.
const endOfTrack = ^uint64(0)

// writeFullTrack is Write Full Track (95), in a domain of the extended operation
// of that name: what Read Track gives, record zero first, becomes the track; then
// the next track of the extent. What is behind the end mark, which may be absent
// where the count ends with a record, is not taken. (Linux' driver, which writes
// raw tracks with it; that the data are those of Read Track is what it relies
// on.)
func (s *eckd) writeFullTrack(op *channel.Operation) arch.UnitStatus {
	if status := s.nextTrack(); status != 0 {
		return status
	}
	g := s.device.geometry
	s.skipVisit(s.track)
	t, status := s.update()
	if status != 0 {
		return status
	}
	const home = homeAddressSize
	p := s.buffer(g.TrackSize)
	p[0] = 0
	binary.BigEndian.PutUint32(p[1:], g.Address(t.Cylinder, t.Head))
	at, taken := home, 0
	for at+media.CountSize <= len(p) {
		n := op.Data.Read(p[at : at+media.CountSize])
		taken += n
		if n == 0 && !op.Data.Failed() {
			binary.BigEndian.PutUint64(p[at:], endOfTrack)
			n = media.CountSize
		}
		if n < media.CountSize {
			return s.check(arch.SenseInvalidFormat, messageNone, s.track)
		}
		count := p[at:]
		at += media.CountSize
		if binary.BigEndian.Uint64(count) == endOfTrack {
			break
		}
		n = media.ParseCount(count).Length()
		if at+n > len(p) || op.Data.Read(p[at:at+n]) < n {
			return s.check(arch.SenseInvalidFormat, messageNone, s.track)
		}
		at += n
		taken += n
	}
	op.Data.Expect(taken)
	w := media.Track{Cylinder: t.Cylinder, Head: t.Head, Image: p[:at]}
	if err := s.holds(&w); err != nil {
		if errors.Is(err, media.ErrTrack) {
			return s.check(arch.SenseInvalidFormat, messageNone, s.track)
		}
		return s.damaged(err)
	}
	media.CopyTrack(g, t, &w)
	s.device.tell(s.track, 0, WholeTrack)
	last, err := lastRecord(t)
	if err != nil {
		return s.damaged(err)
	}
	s.record = last
	s.device.formats++
	s.formats = s.device.formats
	s.at = atData
	s.domain.tracks++
	if s.wrote(s.track, at-home) {
		p := s.placeOf(t, last)
		s.moveArm(s.track, place{0, p.at + p.length})
	}
	return done
}

// holds looks whether a track image is one and has room on the device.
func (s *eckd) holds(w *media.Track) error {
	g := s.device.geometry
	if err := w.Validate(g); err != nil {
		return err
	}
	before, err := w.Zero()
	if err != nil {
		return err
	}
	r, more, err := w.Next(before)
	for more && err == nil {
		var next media.Record
		if next, more, err = w.Next(r); more {
			before, r = r, next
		}
	}
	if err != nil || r.Ordinal == 0 {
		return err
	}
	return w.Fits(g, before, r.Count)
}
