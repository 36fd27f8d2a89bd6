package image

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/media"
)

// plainCKD is a plain image: tracks at a fixed distance behind the header, in
// one file or in several that each hold whole cylinders.
type plainCKD struct {
	parts     []part
	heads     int
	trackSize int
	wide      bool
	relaxed   bool
	short     bool // the track read last was short
}

// part is one file of a plain image.
type part struct {
	file  file
	path  string
	first int // number of the first track in the file
	end   int // number of the track behind the last one
	bytes int64
	dirty bool
}

func (s *plainCKD) part(n int) *part {
	for i := range s.parts {
		if p := &s.parts[i]; n < p.end {
			return p
		}
	}
	return nil
}

func (s *plainCKD) offset(p *part, n int) int64 {
	return headerSize + int64(n-p.first)*int64(s.trackSize)
}

// headRead is the number of bytes of a track that are read first if the previous
// track was not longer: an empty track fits in it, and the rest may be a hole in
// the file that takes time to read.
const headRead = 4096

func (s *plainCKD) read(n int, buf []byte) (int, error) {
	p := s.part(n)
	off := s.offset(p, n)
	if s.short && s.trackSize > headRead {
		if m, err := p.file.ReadAt(buf[:headRead], off); m == headRead && err == nil {
			if used, fault := parseTrack(buf[:headRead], n/s.heads, n%s.heads); fault == nil {
				return used, nil
			}
		}
	}
	buf = buf[:s.trackSize]
	if m, err := p.file.ReadAt(buf, off); m < len(buf) {
		return 0, fmt.Errorf("%s, offset %#x, track %d: read %d of %d bytes: %w", p.path, off, n, m, len(buf), err)
	}
	used, fault := parseTrack(buf, n/s.heads, n%s.heads)
	s.short = used <= headRead
	if fault != nil {
		return 0, &DamageError{File: p.path, Offset: off + int64(fault.at), Unit: kindCKD.unit(), Number: n, What: fault.what}
	}
	return used, nil
}

// write stores the track and clears the bytes behind its end mark, so that equal
// volumes are equal files.
func (s *plainCKD) write(n int, unit []byte) error {
	p := s.part(n)
	off := s.offset(p, n)
	if cap(unit) < s.trackSize {
		unit = append(make([]byte, 0, s.trackSize), unit...)
	}
	full := unit[:s.trackSize]
	clear(full[len(unit):])
	if _, err := p.file.WriteAt(full, off); err != nil {
		return fmt.Errorf("%s, offset %#x, track %d: %w", p.path, off, n, err)
	}
	p.dirty = true
	return nil
}

func (s *plainCKD) relax() { s.relaxed = true }

// begin does nothing: the format has no place for an OPENED bit.
func (s *plainCKD) begin(bool) error { return nil }

func (s *plainCKD) sync() error {
	if s.relaxed {
		return nil
	}
	var errs []error
	for i := range s.parts {
		p := &s.parts[i]
		if !p.dirty {
			continue
		}
		if err := p.file.Sync(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.path, err))
			continue
		}
		p.dirty = false
	}
	return errors.Join(errs...)
}

func (s *plainCKD) close() error {
	errs := []error{s.sync()}
	for i := range s.parts {
		errs = append(errs, s.parts[i].file.Close())
	}
	return errors.Join(errs...)
}

func (s *plainCKD) abandon() {
	for i := range s.parts {
		s.parts[i].file.Close()
	}
}

func (s *plainCKD) describe(i *Info) {
	i.Format = FormatCKD
	i.Wide = s.wide
	for k := range s.parts {
		p := &s.parts[k]
		i.Files = append(i.Files, File{Path: p.path, Bytes: p.bytes})
		i.Used += p.bytes
	}
}

// plainGroup is the number of blocks of a raw FBA image that are cached together.
const plainGroup = 32

// plainFBA is a raw image: block n at n*media.BlockSize.
type plainFBA struct {
	file  file
	path  string
	bytes int64
	dirty bool

	relaxed bool
}

func (s *plainFBA) relax() { s.relaxed = true }

// begin does nothing: the format has no place for an OPENED bit.
func (s *plainFBA) begin(bool) error { return nil }

func (s *plainFBA) read(n int, buf []byte) (int, error) {
	off := int64(n) * plainGroup * media.BlockSize
	buf = buf[:min(plainGroup*media.BlockSize, s.bytes-off)]
	if m, err := s.file.ReadAt(buf, off); m < len(buf) {
		return 0, fmt.Errorf("%s, offset %#x: read %d of %d bytes: %w", s.path, off, m, len(buf), err)
	}
	return len(buf), nil
}

func (s *plainFBA) write(n int, unit []byte) error {
	off := int64(n) * plainGroup * media.BlockSize
	if _, err := s.file.WriteAt(unit, off); err != nil {
		return fmt.Errorf("%s, offset %#x: %w", s.path, off, err)
	}
	s.dirty = true
	return nil
}

func (s *plainFBA) sync() error {
	if !s.dirty || s.relaxed {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	s.dirty = false
	return nil
}

func (s *plainFBA) close() error { return errors.Join(s.sync(), s.file.Close()) }

func (s *plainFBA) abandon() { s.file.Close() }

func (s *plainFBA) describe(i *Info) {
	i.Format = FormatFBA
	i.Files = append(i.Files, File{Path: s.path, Bytes: s.bytes})
	i.Used = s.bytes
}
