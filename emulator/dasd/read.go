package dasd

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// fields is a set of the parts of a record that a command reads or writes.
type fields uint8

const (
	counts fields = 1 << iota
	keys
	data
)

// length returns the length of the fields of a record in bytes.
func (f fields) length(c media.Count) int {
	n := 0
	if f&counts != 0 {
		n += media.CountSize
	}
	if f&keys != 0 {
		n += int(c.KeyLength)
	}
	if f&data != 0 {
		n += int(c.DataLength)
	}
	return n
}

// give sends fields of the current record.
func (s *eckd) give(op *channel.Operation, t *media.Track, f fields) {
	r := s.record
	if f&counts != 0 {
		var p [media.CountSize]byte
		s.shown(r.Count).Put(p[:])
		op.Data.Write(p[:])
	}
	if f&keys != 0 && r.KeyLength > 0 {
		op.Data.Write(t.Key(r))
	}
	if f&data != 0 {
		s.giveData(op, t, r)
	}
}

// giveData sends a record's data, as tags if both sides can hold tags.
func (s *eckd) giveData(op *channel.Operation, t *media.Track, r media.Record) {
	tags := t.DataTags(r)
	if tags == nil {
		if p := t.Data(r); p != nil {
			op.Data.Write(p)
			return
		}
		op.Data.Write(t.AppendData(s.buffer(0), r))
		return
	}
	if left := op.Data.Remaining(); left < int(r.DataLength) {
		if left%machine.UnitSize == 0 && op.Data.WriteTags(tags[:left/machine.UnitSize]) {
			return
		}
	} else if op.Data.WriteTags(tags) {
		return
	}
	op.Data.Write(t.AppendData(s.buffer(int(r.DataLength))[:0], r))
}

// read sends fields of the current record if the head has not passed them yet,
// else of the next record.
func (s *eckd) read(op *channel.Operation, f fields) arch.UnitStatus {
	t, status := s.load()
	if status != 0 {
		return status
	}
	// The count field has passed already, so a command that sends it takes the next
	// record; a command that sends the data alone may also begin behind the key.
	here := f&counts == 0 && (s.at == atCount || s.at == atKey && f&keys == 0)
	if !here {
		if t, status = s.next(t, op.Command&arch.Multitrack != 0, false); status != 0 {
			return status
		}
	}
	s.passRecord(t, s.record)
	n := f.length(s.record.Count)
	op.Data.Expect(n)
	s.give(op, t, f)
	if f&data == 0 {
		return done
	}
	s.at = atData
	end := s.record.DataLength == 0
	if !end {
		if n, status = s.readSegments(op, n); status != 0 {
			return status
		}
	}
	s.at = atData
	st := &s.device.stats
	st.Reads++
	st.BytesRead += uint64(n)
	if s.known&(foundID|foundKey|foundData) != 0 {
		s.keep = foundData
	}
	if end {
		return exception // end of file
	}
	return done
}

// readData is Read Data (06).
func (s *eckd) readData(op *channel.Operation) arch.UnitStatus { return s.read(op, data) }

// readKeyData is Read Key and Data (0E).
func (s *eckd) readKeyData(op *channel.Operation) arch.UnitStatus { return s.read(op, keys|data) }

// readCKD is Read Count, Key and Data (1E).
func (s *eckd) readCKD(op *channel.Operation) arch.UnitStatus {
	return s.read(op, counts|keys|data)
}

// readCount is Read Count (12).
func (s *eckd) readCount(op *channel.Operation) arch.UnitStatus { return s.read(op, counts) }

// readZero is Read Record Zero (16): count, key and data.
func (s *eckd) readZero(op *channel.Operation) arch.UnitStatus {
	if s.domain.left > 0 && s.domain.operation == inReadAny && s.domain.orient != arch.OrientHome && s.domain.orient != arch.OrientIndex {
		return s.reject(messageInvalidSequence)
	}
	if status := s.toIndex(op.Command); status != 0 {
		return status
	}
	t, status := s.load()
	if status != 0 {
		return status
	}
	if t, status = s.next(t, false, true); status != 0 {
		return status
	}
	s.passRecord(t, s.record)
	op.Data.Expect((counts | keys | data).length(s.record.Count))
	s.give(op, t, counts|keys|data)
	s.at = atData
	if s.record.DataLength == 0 {
		return exception
	}
	return done
}

// readHome is Read Home Address (1A).
func (s *eckd) readHome(op *channel.Operation) arch.UnitStatus {
	if s.domain.left > 0 && s.domain.operation == inReadAny && s.domain.orient != arch.OrientIndex {
		return s.reject(messageInvalidSequence)
	}
	if status := s.toIndex(op.Command); status != 0 {
		return status
	}
	t, status := s.load()
	if status != 0 {
		return status
	}
	s.passHome()
	var p [homeAddressSize]byte
	if t.Uniform() {
		binary.BigEndian.PutUint32(p[1:], s.device.geometry.Address(t.Cylinder, t.Head))
	} else {
		copy(p[:], t.Image)
	}
	op.Data.Expect(len(p))
	op.Data.Write(p[:])
	s.at = atHome
	s.keep = foundHome
	return done
}

// readMultiple is Read Multiple Count, Key and Data (5E): the rest of the track,
// from the next record on. Behind the last record it sends nothing (measured on
// Hercules 3.13).
func (s *eckd) readMultiple(op *channel.Operation) arch.UnitStatus {
	t, status := s.load()
	if status != 0 {
		return status
	}
	r, err := s.record, error(nil)
	if s.at < atCount {
		r, err = t.Zero()
	}
	n := 0
	for err == nil {
		op.Data.Expect(n)
		var more bool
		if r, more, err = t.Next(r); !more {
			break
		}
		s.record = r
		s.passRecord(t, r)
		n += (counts | keys | data).length(r.Count)
		op.Data.Expect(n)
		s.give(op, t, counts|keys|data)
	}
	s.record = r
	if err != nil {
		return s.damaged(err)
	}
	s.at = atData
	s.device.stats.Reads++
	s.device.stats.BytesRead += uint64(n)
	return done
}

// readTrack is Read Track (DE), in a read-tracks domain: it sends every record
// from record zero on, and the end mark; then comes the next track of the extent.
func (s *eckd) readTrack(op *channel.Operation) arch.UnitStatus {
	if status := s.nextTrack(); status != 0 {
		return status
	}
	t, status := s.load()
	if status != 0 {
		return status
	}
	last, err := lastRecord(t)
	if err != nil {
		return s.damaged(err)
	}
	image := t.Image
	if t.Uniform() {
		image = t.AppendImage(s.buffer(s.device.geometry.TrackSize)[:0])
	}
	const home = homeAddressSize
	s.passTrack(t, last)
	op.Data.Expect(len(image) - home)
	op.Data.Write(image[home:])
	s.record, s.at = last, atData
	s.domain.tracks++
	s.device.stats.Reads++
	s.device.stats.BytesRead += uint64(len(image) - home)
	return done
}

// lastRecord returns the last record of the track: the place of the head after a
// command that reads or writes all of the track.
func lastRecord(t *media.Track) (media.Record, error) {
	if t.Uniform() {
		r, _, err := t.Record(t.Records)
		return r, err
	}
	r, err := t.Zero()
	for more := true; more && err == nil; {
		r, more, err = t.Next(r)
	}
	return r, err
}

// nextTrack moves to the next track of a domain that has read or written one
// already. It skips tracks that are not in the domain's trackset.
func (s *eckd) nextTrack() arch.UnitStatus {
	if s.domain.tracks == 0 {
		return 0
	}
	for s.domain.set != 0 {
		if s.domain.set <<= 1; s.domain.set&firstTrack != 0 {
			break
		}
		if status := s.advance(); status != 0 {
			return status
		}
	}
	return s.advance()
}

// readTrackData is Read Track Data (A6): it sends the data of the records from the
// current one to the end of the track.
func (s *eckd) readTrackData(op *channel.Operation) arch.UnitStatus {
	t, status := s.trackData()
	if status != 0 {
		return status
	}
	n := 0
	for r, more, err := s.record, true, error(nil); more; r, more, err = t.Next(r) {
		if err != nil {
			return s.damaged(err)
		}
		s.record = r
		s.passRecord(t, r)
		n += int(r.DataLength)
		op.Data.Expect(n)
		if op.Data.Remaining() > 0 {
			s.giveData(op, t, r)
		}
	}
	s.at = atData
	s.domain.tracks++
	s.device.stats.Reads++
	s.device.stats.BytesRead += uint64(n)
	return done
}

// trackData orients to the record at which a track data command begins: the record
// that locate record found, or the first record of the next track.
func (s *eckd) trackData() (*media.Track, arch.UnitStatus) {
	if status := s.nextTrack(); status != 0 {
		return nil, status
	}
	t, status := s.load()
	if status != 0 {
		return nil, status
	}
	if s.at == atCount {
		return t, 0
	}
	return s.next(t, true, false)
}

// readIPL is Read IPL (02): the data of record 1 of cylinder 0 head 0.
func (s *eckd) readIPL(op *channel.Operation) arch.UnitStatus {
	if s.extent.defined || s.masked {
		return s.reject(messageInvalidSequence)
	}
	s.seek(0)
	s.loaded = true
	return s.read(op, data)
}

// readSector is Read Sector (22): it sends the sector of the last record.
func (s *eckd) readSector(op *channel.Operation) arch.UnitStatus {
	g := s.device.geometry
	if g.Sectors == 0 {
		return s.reject(messageInvalidCommand)
	}
	p := [1]byte{s.sector}
	if s.at >= atCount {
		t, status := s.load()
		if status != 0 {
			return status
		}
		p[0] = byte(t.Angle(g, s.record) * g.Sectors >> 16)
	}
	op.Data.Expect(1)
	op.Data.Write(p[:])
	return done
}
