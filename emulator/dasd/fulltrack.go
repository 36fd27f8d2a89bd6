package dasd

import (
	"encoding/binary"
	"errors"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/media"
)

// endOfTrack is the count field behind the last record in the data of Read Track
// and Write Full Track.
const endOfTrack = ^uint64(0)

// writeFullTrack is Write Full Track (95), in a domain of the extended operation
// of that name. Its data have the form that Read Track gives, record zero first,
// and replace the track; then comes the next track of the extent. The end mark may
// be missing if the count ends with a record; data behind it are ignored. (Linux'
// driver writes raw tracks with this command and relies on the form being that of
// Read Track.)
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

// holds returns an error if the bytes are no valid track image or do not fit the
// device.
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
