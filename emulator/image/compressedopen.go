package image

import (
	"errors"
	"fmt"
	"slices"
)

// maximumLevel1 is the largest number of entries of the level 1 table: 2^32 blocks
// of an FBA volume need 139811 entries, a CKD volume far fewer.
const maximumLevel1 = 140_000

// openCompressed reads and checks the headers and lookup tables of a compressed
// file. under is the store on which a shadow file lies, nil for any other file.
func openCompressed(f file, path string, dev header, under store, check func(*compressed) error) (*compressed, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() < level1Offset {
		return nil, damage(path, st.Size(), "file is %d bytes, the headers alone take %d", st.Size(), level1Offset)
	}
	raw := make([]byte, compressedHeaderSize)
	if _, err := f.ReadAt(raw, compressedHeaderOffset); err != nil {
		return nil, fmt.Errorf("%s, compressed header: %w", path, err)
	}
	l, h := decodeCompressedHeader(raw, dev.wide)
	s := &compressed{
		layout: l, file: f, path: path, dev: dev, hdr: h, kind: dev.kind, under: under,
		level: int(h.parameter),
	}
	err = check(s)
	if err == nil {
		err = s.checkHeader()
	}
	if err == nil {
		err = s.readTables(st.Size())
	}
	if err != nil {
		return nil, s.advise(err)
	}
	return s, nil
}

// advise adds a remedy to the error for damage in a file that its last user did
// not close. (This package leaves no such file; Hercules may, when it is killed.)
func (s *compressed) advise(err error) error {
	var d *DamageError
	if s.hdr.options&optionOpened != 0 && errors.As(err, &d) {
		d.What += "; the file was not closed (OPENED bit): Hercules' cckdcdsk -f -3 can rebuild its tables from what looks like tracks in it, older contents of a track among them"
	}
	return err
}

func (s *compressed) checkHeader() error {
	h := s.hdr
	const at = compressedHeaderOffset
	if h.level2 != level2Entries {
		return damage(s.path, at+8, "level 2 tables have %d entries, should be %d", h.level2, level2Entries)
	}
	need := uint32((s.units + level2Entries - 1) / level2Entries)
	// Hercules allows one entry more.
	if h.level1 != need && h.level1 != need+1 || h.level1 > maximumLevel1 {
		return damage(s.path, at+4, "level 1 table has %d entries, %d %ss need %d", h.level1, s.units, s.kind.unit(), need)
	}
	_, _, tail := s.places()
	if h.nullFormat >= nullFormats || s.kind == kindCKD && NullFormat(h.nullFormat).size() > s.size {
		return damage(s.path, int64(at+tail), "null track format is %d, should be 0, 1 or, for 3390, 2", h.nullFormat)
	}
	if h.compression >= compressions {
		return damage(s.path, int64(at+tail+1), "compression is %d, should be 0 (none), 1 (zlib) or 2 (bzip2)", h.compression)
	}
	if s.level < -1 || s.level > 9 {
		s.level = -1
	}
	return nil
}

// readTables reads the lookup tables and checks that every extent that they name
// is inside the file and overlaps no other.
func (s *compressed) readTables(fileSize int64) error {
	if s.hdr.options&optionOpened == 0 && s.hdr.size > fileSize {
		return damage(s.path, fileSize, "file is %d bytes, its header says %d", fileSize, s.hdr.size)
	}
	n := int(s.hdr.level1)
	p := make([]byte, int64(n)*s.word())
	if end := level1Offset + int64(len(p)); end > fileSize {
		return damage(s.path, fileSize, "file is %d bytes, with its level 1 table of %d entries it should be at least %d", fileSize, n, end)
	}
	if _, err := s.file.ReadAt(p, level1Offset); err != nil {
		return fmt.Errorf("%s, level 1 table: %w", s.path, err)
	}
	s.level1 = make([]int64, n)
	s.tables = make([]*[level2Entries]location, n)
	s.stale = make([]bool, n)
	uses, err := s.decodeLevel1(p, fileSize)
	if err != nil {
		return err
	}
	// Overlapping tables are found before they are decoded, which bounds memory by
	// the file's size.
	if _, u, err := newSpace(slices.Clone(uses), s.limit()); err != nil {
		return s.overlap(u, err)
	}
	q := make([]byte, s.level2Size())
	for i, at := range s.level1 {
		if at <= 0 {
			continue
		}
		if _, err := s.file.ReadAt(q, at); err != nil {
			return fmt.Errorf("%s, offset %#x, level 2 table %d: %w", s.path, at, i, err)
		}
		if uses, err = s.decodeTable(i, q, uses, fileSize); err != nil {
			return err
		}
	}
	space, u, err := newSpace(uses, s.limit())
	if err != nil {
		return s.overlap(u, err)
	}
	s.space = space
	return s.checkFree(fileSize)
}

// decodeLevel1 decodes the level 1 table p. It returns the extents that are in use
// so far: the table itself and the tables to which it refers.
func (s *compressed) decodeLevel1(p []byte, fileSize int64) ([]use, error) {
	first, last := level1Offset+int64(len(p)), fileSize-s.level2Size()
	uses := []use{{extent{0, first}, "the headers and the level 1 table", -1}}
	for i := range s.level1 {
		at := s.offset(p[int64(i)*s.word():])
		s.level1[i] = at
		entry := level1Offset + int64(i)*s.word()
		switch {
		case at == 0:
		case at == below:
			if s.under == nil {
				return nil, damage(s.path, entry, "level 1 entry %d refers to a file underneath, which only a shadow file has", i)
			}
		case at < first || at > last:
			return nil, damage(s.path, entry, "level 1 entry %d is offset %#x, a table of %d bytes fits from %#x to %#x", i, at, s.level2Size(), first, last)
		default:
			uses = append(uses, use{extent{at, s.level2Size()}, "level 2 table", i})
		}
	}
	return uses, nil
}

func (s *compressed) overlap(u *use, err error) error {
	e := &DamageError{File: s.path, Offset: u.offset, What: err.Error()}
	if u.what == s.kind.unit() {
		e.Unit, e.Number = u.what, u.index
	}
	return e
}

// decodeTable decodes level 2 table i from p and adds the extents to which it
// refers.
func (s *compressed) decodeTable(i int, p []byte, uses []use, fileSize int64) ([]use, error) {
	t := new([level2Entries]location)
	for k := range t {
		e := s.location(p[int64(k)*s.level2EntrySize():])
		n := i*level2Entries + k
		t[k] = e
		bad := func(format string, args ...any) error {
			return s.damaged(n, s.level1[i]+int64(k)*s.level2EntrySize(), "its level 2 entry "+fmt.Sprintf(format, args...), nil)
		}
		switch {
		case e.offset == below:
			if s.under == nil {
				return nil, bad("refers to a file underneath, which only a shadow file has")
			}
		case e.offset == 0:
			if s.kind == kindCKD && n < s.units && (e.length >= nullFormats || NullFormat(e.length).size() > s.size) {
				return nil, bad("names null track format %d, should be 0, 1 or, for 3390, 2", e.length)
			}
		case n >= s.units:
			return nil, bad("has offset %#x, the volume ends before it with %s %d", e.offset, s.kind.unit(), s.units-1)
		case e.length <= unitHeaderSize || int(e.length) > s.size || e.size < e.length:
			return nil, bad("has length %d and size %d, length should be %d to %d and size no less", e.length, e.size, unitHeaderSize+1, s.size)
		case e.offset < level1Offset || e.offset > fileSize-int64(e.length):
			return nil, bad("has offset %#x and length %d, the file ends at %#x", e.offset, e.length, fileSize)
		default:
			uses = append(uses, use{extent{e.offset, int64(e.size)}, s.kind.unit(), n})
		}
	}
	s.tables[i] = t
	return uses, nil
}

// checkFree compares the free space that the file lists with the gaps that the
// lookup tables leave. It does not check the list of a file that was not closed.
func (s *compressed) checkFree(fileSize int64) error {
	h := s.hdr
	if h.options&optionOpened != 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s was not closed (OPENED bit): free space rebuilt from the lookup tables; it is opened for writing only where the bit is to be ignored, and closing it then clears the bit, as does cckdcdsk -f of Hercules", s.path))
		return nil
	}
	if s.space.end > fileSize {
		// Only the size of the last unit, not its length, may reach beyond the end of
		// the file.
		return damage(s.path, fileSize, "file is %d bytes, its lookup tables refer to bytes up to %d", fileSize, s.space.end)
	}
	const at = compressedHeaderOffset
	if h.free == 0 && h.freeNumber == 0 {
		if total, _ := s.space.total(); total > 0 {
			s.notes = append(s.notes, fmt.Sprintf("%s: %d bytes in %d gaps are neither used nor listed as free", s.path, total, len(s.space.gaps)))
		}
		return nil
	}
	room := fileSize / s.freeBlockSize()
	if h.free < s.space0() || h.free > fileSize-s.freeBlockSize() || h.freeNumber < 1 || h.freeNumber > room {
		return damage(s.path, at, "free space is %d blocks from offset %#x, should be 1 to %d blocks from %#x to %#x", h.freeNumber, h.free, room, s.space0(), fileSize-s.freeBlockSize())
	}
	listed, err := s.readFree(fileSize)
	if err != nil {
		return err
	}
	return s.compareFree(listed)
}

// space0 returns the offset of the space behind the level 1 table.
func (s *compressed) space0() int64 { return level1Offset + int64(s.hdr.level1)*s.word() }

// freeEntry is a listed free extent, with the offset of its entry in the file.
type freeEntry struct {
	extent
	at int64
}

// readFree reads the list of free space: a table that begins with freeMark, or a
// chain in which each free extent begins with the offset of the next one and its
// own length.
func (s *compressed) readFree(fileSize int64) ([]freeEntry, error) {
	n := s.freeBlockSize()
	p := make([]byte, n)
	if _, err := s.file.ReadAt(p, s.hdr.free); err != nil {
		return nil, fmt.Errorf("%s, offset %#x, free space: %w", s.path, s.hdr.free, err)
	}
	var list []freeEntry
	if string(p[:len(freeMark)]) == freeMark {
		at := s.hdr.free + n
		if end := at + s.hdr.freeNumber*n; end > fileSize {
			return nil, damage(s.path, s.hdr.free, "free-space table of %d entries ends at %#x, the file at %#x", s.hdr.freeNumber, end, fileSize)
		}
		table := make([]byte, s.hdr.freeNumber*n)
		if _, err := s.file.ReadAt(table, at); err != nil {
			return nil, fmt.Errorf("%s, offset %#x, free-space table: %w", s.path, at, err)
		}
		for i := range s.hdr.freeNumber {
			q := table[i*n:]
			list = append(list, freeEntry{extent{s.offset(q), s.offset(q[s.word():])}, at + i*n})
		}
		return list, nil
	}
	at, from := s.hdr.free, int64(compressedHeaderOffset)
	for i := range s.hdr.freeNumber {
		if at < s.space0() || at > fileSize-n || len(list) > 0 && at <= list[i-1].offset {
			return nil, damage(s.path, from, "free-space chain: block %d of %d is at offset %#x, should be behind the one before and at most at %#x", i+1, s.hdr.freeNumber, at, fileSize-n)
		}
		if _, err := s.file.ReadAt(p, at); err != nil {
			return nil, fmt.Errorf("%s, offset %#x, free-space chain: %w", s.path, at, err)
		}
		list = append(list, freeEntry{extent{at, s.offset(p[s.word():])}, at})
		from, at = at, s.offset(p)
	}
	if at != 0 {
		return nil, damage(s.path, from, "free-space chain: block %d, the last, goes on to offset %#x, should be 0", s.hdr.freeNumber, at)
	}
	return list, nil
}

// compareFree checks that every listed extent lies in a gap (or at the end) and
// that the extents ascend.
func (s *compressed) compareFree(list []freeEntry) error {
	gaps := s.space.gaps
	var sum int64
	last := int64(0)
	for i, e := range list {
		if e.length <= 0 || e.offset < last || e.length > s.limit() {
			return damage(s.path, e.at, "free space %d of %d is %d bytes from offset %#x, should be at least 1 byte from %#x on", i+1, len(list), e.length, e.offset, last)
		}
		last = e.end()
		for len(gaps) > 0 && gaps[0].end() < e.end() {
			gaps = gaps[1:]
		}
		inGap := len(gaps) > 0 && e.offset >= gaps[0].offset
		if !inGap && e.offset < s.space.end {
			return damage(s.path, e.at, "free space %d of %d is %d bytes from offset %#x, which is in use", i+1, len(list), e.length, e.offset)
		}
		if e.offset < s.space.end {
			sum += e.length
		}
	}
	if total, _ := s.space.total(); sum != total {
		s.notes = append(s.notes, fmt.Sprintf("%s: %d bytes are neither used nor listed as free", s.path, total-sum))
	}
	return nil
}
