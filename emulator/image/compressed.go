package image

import (
	"errors"
	"fmt"
)

// compressed is a compressed image or one shadow file. Its lookup tables are in
// memory, about 4 KiB for every 256 units that it stores; a volume with shadow
// files has one of these over another.
type compressed struct {
	layout
	file file
	path string
	dev  header
	hdr  *compressedHeader

	kind  kind
	units int
	heads int // number of tracks of a cylinder; 0 for block groups
	size  int // size in bytes of the largest unit

	level1  []int64
	tables  []*[level2Entries]location // level 2 tables; nil if level1 is 0 or below
	stale   []bool                     // marks the tables that differ from the file
	space   *space
	relaxed bool
	under   store // store under a shadow file, else nil

	codec
	buffer   []byte // memory for a stored unit
	level    int
	building bool // the file is new and has a temporary name: no fsync before the end
	touched  bool // the header says OPENED
	before   byte // options byte before the header said OPENED
	written  bool // something was stored since the file was opened
	changed  bool // some entry of stale is true
	notes    []string
}

func (s *compressed) locate(n int) location {
	i := n / level2Entries
	if t := s.tables[i]; t != nil {
		return t[n%level2Entries]
	}
	if s.level1[i] == below {
		return location{offset: below}
	}
	return location{length: uint16(s.hdr.nullFormat)}
}

func (s *compressed) read(n int, p []byte) (int, error) {
	e := s.locate(n)
	switch e.offset {
	case below:
		return s.under.read(n, p)
	case 0:
		return s.null(n, NullFormat(e.length), p), nil
	}
	if cap(s.buffer) < int(e.length) {
		s.buffer = make([]byte, s.size)
	}
	b := s.buffer[:e.length]
	if m, err := s.file.ReadAt(b, e.offset); m < len(b) {
		return 0, fmt.Errorf("%s, offset %#x, %s %d: read %d of %d bytes: %w", s.path, e.offset, s.kind.unit(), n, m, len(b), err)
	}
	m, err := s.decode(p[:s.size], b)
	if err != nil {
		return 0, s.damaged(n, e.offset, "cannot be decompressed", err)
	}
	if s.kind == kindFBA {
		return m, s.checkGroup(n, e.offset, p[:m])
	}
	used, fault := parseTrack(p[:m], n/s.heads, n%s.heads)
	if fault != nil {
		return 0, s.damaged(n, e.offset, fault.what, nil)
	}
	if used != m {
		return 0, s.damaged(n, e.offset, fmt.Sprintf("end mark ends at byte %d of the track image, which has %d bytes and should end there", used, m), nil)
	}
	return m, nil
}

func (s *compressed) damaged(n int, offset int64, what string, err error) error {
	return &DamageError{File: s.path, Offset: offset, Unit: s.kind.unit(), Number: n, What: what, Err: err}
}

// null makes unit n, which is not stored. Entries with format 0 in a Linux
// volume come from programs that left the format out.
func (s *compressed) null(n int, f NullFormat, p []byte) int {
	if s.kind == kindFBA {
		clear(p[:s.size])
		putGroupNumber(p, n)
		return s.size
	}
	if f == NullEndOfFile && NullFormat(s.hdr.nullFormat) == NullLinux {
		f = NullLinux
	}
	return len(f.appendNull(p[:0], n/s.heads, n%s.heads))
}

func (s *compressed) checkGroup(n int, offset int64, p []byte) error {
	if len(p) != s.size {
		return s.damaged(n, offset, fmt.Sprintf("is %d bytes with its header, should be %d", len(p), s.size), nil)
	}
	if g := groupNumber(p); g != n {
		return s.damaged(n, offset, fmt.Sprintf("its header says group %d", g), nil)
	}
	return nil
}

// stored is a unit in the form in which a compressed file holds it.
type stored struct {
	bytes []byte // nil when the unit is null
	null  NullFormat
}

// pack makes the stored form of a unit, in dst's memory. It changes only c, so
// that several calls with different codecs can run at once.
func pack(c *codec, dst, unit []byte, k kind, h *compressedHeader, level int) (stored, error) {
	if k == kindFBA {
		if isZero(unit[unitHeaderSize:]) {
			return stored{}, nil
		}
	} else {
		if unit[0] != 0 {
			return stored{}, fmt.Errorf("home address flag %#02x cannot be kept in a compressed image, which has no place for it", unit[0])
		}
		f, ok := nullFormatOf(unit)
		if ok && (f != NullEndOfFile || NullFormat(h.nullFormat) != NullLinux) {
			return stored{null: f}, nil
		}
	}
	b, err := c.encode(dst[:0], unit, Compression(h.compression), level)
	return stored{bytes: b}, err
}

func (s *compressed) write(n int, unit []byte) error {
	u, err := pack(&s.codec, s.buffer, unit, s.kind, s.hdr, s.level)
	if err != nil {
		return fmt.Errorf("%s, %s %d: %w", s.path, s.kind.unit(), n, err)
	}
	if u.bytes != nil {
		s.buffer = u.bytes
	}
	return s.place(n, u)
}

// place stores unit n in new space and changes its entry in memory.
func (s *compressed) place(n int, u stored) error {
	s.written = true
	next := location{length: uint16(u.null), size: uint16(u.null)}
	if u.bytes != nil {
		x, ok := s.space.take(int64(len(u.bytes)), false)
		if !ok {
			return fmt.Errorf("%s, %s %d: %w: %d bytes more than its limit of %d", s.path, s.kind.unit(), n, ErrFull, len(u.bytes), s.space.limit)
		}
		if _, err := s.file.WriteAt(u.bytes, x.offset); err != nil {
			s.space.free(x)
			return fmt.Errorf("%s, offset %#x, %s %d: %w", s.path, x.offset, s.kind.unit(), n, err)
		}
		next = location{x.offset, uint16(len(u.bytes)), uint16(x.length)}
	}
	i := n / level2Entries
	t := s.tables[i]
	if t == nil {
		t = new([level2Entries]location)
		fill := location{length: uint16(s.hdr.nullFormat), size: uint16(s.hdr.nullFormat)}
		if s.level1[i] == below {
			fill = location{below, ^uint16(0), ^uint16(0)}
		}
		for k := range t {
			t[k] = fill
		}
		s.tables[i] = t
	}
	if old := t[n%level2Entries]; old.offset > 0 {
		s.space.free(extent{old.offset, int64(old.size)})
	}
	t[n%level2Entries] = next
	s.stale[i], s.changed = true, true
	return nil
}

// begin sets the OPENED bit. If the file was not closed properly, close will write a
// new list of its free space.
func (s *compressed) begin(ignore bool) error {
	if s.hdr.options&optionOpened != 0 {
		if !ignore {
			return inUse(s.path)
		}
		s.written = true
	}
	s.before = s.hdr.options
	s.hdr.options |= optionOpened | optionReadWrite
	if err := s.writeHeader(); err != nil {
		return err
	}
	s.touched = true
	return nil
}

func (s *compressed) writeHeader() error {
	if _, err := s.file.WriteAt(s.hdr.encode(s.layout), compressedHeaderOffset); err != nil {
		return fmt.Errorf("%s, compressed header: %w", s.path, err)
	}
	return s.fsync()
}

func (s *compressed) relax() { s.relaxed = true }

func (s *compressed) fsync() error {
	if s.building || s.relaxed {
		return nil
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	return nil
}

// sync writes the lookup tables that changed to new space. When they and the units
// are durable, it switches the level 1 table to them.
func (s *compressed) sync() error {
	if !s.changed {
		return nil
	}
	next := make(map[int]int64)
	undo := func(err error) error {
		for _, at := range next {
			if at > 0 {
				s.space.free(extent{at, s.level2Size()})
			}
		}
		return err
	}
	p := make([]byte, s.level2Size())
	for i, stale := range s.stale {
		if !stale {
			continue
		}
		if at, ok := s.collapse(s.tables[i]); ok {
			next[i] = at
			continue
		}
		for k, e := range s.tables[i] {
			s.putLocation(p[int64(k)*s.level2EntrySize():], e)
		}
		x, ok := s.space.take(int64(len(p)), true)
		if !ok {
			return undo(fmt.Errorf("%s, level 2 table %d: %w: %d bytes more than its limit of %d", s.path, i, ErrFull, len(p), s.space.limit))
		}
		next[i] = x.offset
		if _, err := s.file.WriteAt(p, x.offset); err != nil {
			return undo(fmt.Errorf("%s, offset %#x, level 2 table %d: %w", s.path, x.offset, i, err))
		}
	}
	if err := s.fsync(); err != nil {
		return undo(err)
	}
	return s.switchTables(next)
}

// collapse returns the level 1 entry that stands for the whole table, and false if
// there is none.
func (s *compressed) collapse(t *[level2Entries]location) (int64, bool) {
	first := t[0]
	if first.offset > 0 || first.offset == 0 && first.length != uint16(s.hdr.nullFormat) {
		return 0, false
	}
	for _, e := range t {
		if e != first {
			return 0, false
		}
	}
	return first.offset, true
}

// switchTables makes the level 1 table refer to the tables at next. From here on
// the old and the new state are both sound, so that an error leaves entries to be
// written again and the old tables' space unused.
func (s *compressed) switchTables(next map[int]int64) error {
	p := make([]byte, s.word())
	for i, stale := range s.stale {
		if !stale {
			continue
		}
		s.putOffset(p, next[i])
		at := level1Offset + int64(i)*s.word()
		if _, err := s.file.WriteAt(p, at); err != nil {
			return fmt.Errorf("%s, offset %#x, level 1 entry %d: %w", s.path, at, i, err)
		}
	}
	if err := s.fsync(); err != nil {
		return err
	}
	for i, stale := range s.stale {
		if !stale {
			continue
		}
		if old := s.level1[i]; old > 0 {
			s.space.free(extent{old, s.level2Size()})
		}
		s.level1[i], s.stale[i] = next[i], false
		if next[i] <= 0 {
			s.tables[i] = nil
		}
	}
	s.changed = false
	s.space.release()
	return nil
}

// close syncs, writes the free-space table and clears the OPENED bit.
func (s *compressed) close() error {
	err := s.seal()
	errs := []error{err, s.file.Close()}
	if s.under != nil {
		errs = append(errs, s.under.close())
	}
	return errors.Join(errs...)
}

func (s *compressed) seal() error {
	if err := s.sync(); err != nil {
		return err
	}
	if !s.touched && !s.building {
		return nil
	}
	if !s.written && !s.building {
		s.hdr.options = s.before
		if err := s.writeHeader(); err != nil {
			return err
		}
		s.touched = false
		return nil
	}
	end := s.space.end
	if len(s.space.gaps) > 0 {
		p := s.freeTable()
		if _, err := s.file.WriteAt(p, end); err != nil {
			return fmt.Errorf("%s, offset %#x, free-space table: %w", s.path, end, err)
		}
		end += int64(len(p))
	}
	if err := s.file.Truncate(end); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	if err := s.fsync(); err != nil {
		return err
	}
	s.account()
	s.hdr.options = s.hdr.options&^optionOpened&^optionSpaceErrors | optionReadWrite
	if err := s.writeHeader(); err != nil {
		return err
	}
	s.touched = false
	return nil
}

// freeMark begins a free-space table; a chain has no such mark.
const freeMark = "FREE_BLK"

// freeTable makes the free-space table at the end of the file: the mark in the
// place of one entry, then an entry with offset and length for each gap.
func (s *compressed) freeTable() []byte {
	n := s.freeBlockSize()
	p := make([]byte, n*int64(1+len(s.space.gaps)))
	copy(p, freeMark)
	for i, g := range s.space.gaps {
		at := p[n*int64(i+1):]
		s.putOffset(at, g.offset)
		s.putOffset(at[s.word():], g.length)
	}
	return p
}

// account fills the header's sizes from the tables.
func (s *compressed) account() {
	h := s.hdr
	h.freeTotal, h.freeLargest = s.space.total()
	h.freeNumber = int64(len(s.space.gaps))
	h.free = 0
	if h.freeNumber > 0 {
		h.free = s.space.end
	}
	h.size = s.space.end
	h.freeEmbed = s.embedded()
	h.freeTotal += h.freeEmbed
	h.used = h.size - h.freeTotal
}

// embedded returns the number of bytes that the space of units has beyond their
// length.
func (s *compressed) embedded() int64 {
	var n int64
	for _, t := range s.tables {
		if t == nil {
			continue
		}
		for _, e := range t {
			if e.offset > 0 {
				n += int64(e.size) - int64(e.length)
			}
		}
	}
	return n
}

func (s *compressed) abandon() {
	s.file.Close()
	if s.under != nil {
		s.under.abandon()
	}
}

func (s *compressed) describe(i *Info) {
	if s.under != nil {
		s.under.describe(i)
		i.Shadows++
	}
	i.Format = FormatCCKD
	if s.kind == kindFBA {
		i.Format = FormatCFBA
	}
	i.Wide = s.wide
	i.Compression = Compression(s.hdr.compression).String()
	i.Opened = i.Opened || s.hdr.options&optionOpened != 0
	i.BigEndian = s.hdr.options&optionBigEndian != 0
	i.Notes = append(i.Notes, s.notes...)
	f := File{Path: s.path}
	if st, err := s.file.Stat(); err == nil {
		f.Bytes = st.Size()
	}
	i.Files = append(i.Files, f)
	free, _ := s.space.total()
	free += s.embedded()
	i.Free += free
	i.FreeSpaces += len(s.space.gaps)
	i.Used += s.space.end - free
	for n := range s.units {
		if s.locate(n).offset > 0 {
			i.UnitsStored++
		}
	}
}
