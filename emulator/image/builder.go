package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// HerculesSplit is the file size in bytes at which Hercules splits plain CKD
// images by default.
const HerculesSplit = 1<<31 - 1

// CreateOptions holds the settings for the files of a new volume.
type CreateOptions struct {
	// Format is the format; empty stands for FormatCKD or FormatFBA, whichever fits
	// the geometry.
	Format Format
	// Compression is the compression of a compressed format. With None, units are
	// stored uncompressed.
	Compression Compression
	// Level is the level of the compression, 1 to 9; 0 stands for the compression's
	// default.
	Level int
	// Wide makes a file with 64-bit offsets, which Hercules 4 reads and Hercules 3
	// does not. Raw FBA images have no such form.
	Wide bool
	// SplitBytes is the largest size of each file of a plain CKD image; 0 makes a
	// single file.
	SplitBytes int64
	// Replace permits to replace files that exist. They keep their permissions. A
	// file that is in use is not replaced; a compressed file with the OPENED bit
	// counts as in use unless IgnoreOpened is set.
	Replace      bool
	IgnoreOpened bool
	// Null is the format of the tracks that nobody puts into a compressed CKD image.
	// The zero value is NullEndOfFile; Create uses NullEmpty or NullLinux.
	Null NullFormat
	// NoSync lets the operating system decide when the new files become durable, as
	// cp does: faster, but a crash of the machine soon after Commit can leave them
	// damaged.
	NoSync bool
	// Temporary, if not nil, is told the name of each file that is made under a
	// temporary name, for a program that may end before Commit or Abort.
	Temporary func(path string)
	// Progress, if not nil, is told by Create the number of tracks or block groups
	// that are made, and the number of all. An error that it returns ends the work.
	Progress func(done, total int) error
}

// ErrExists says that a file to be created exists already.
var ErrExists = errors.New("file exists")

// Builder makes a new image of a volume: units are put in any order, each at most
// once, and Commit gives the files their names. Until then the files have
// temporary names, so that nobody opens a half-made volume.
type Builder struct {
	geometry *media.Geometry
	options  CreateOptions
	kind     kind
	units    int
	files    []newFile
	ckd      *plainCKD
	fba      *os.File
	packed   *compressed
	packer   *Packer
	again    Packed
	put      int
	done     bool
}

// newFile is a file that is not yet under its own name.
type newFile struct {
	file  *os.File
	temp  string
	final string
	bytes int64 // length at Commit; -1 leaves the length as it is
	// old is the file that is replaced, locked; nil if there is none. When Commit
	// names several files, it moves old aside until all of them have their names.
	old   *os.File
	aside string
}

// abandon closes the file and removes it.
func (f *newFile) abandon() {
	f.file.Close()
	os.Remove(f.temp)
	f.release()
}

// release unlocks the file that is replaced.
func (f *newFile) release() {
	if f.old != nil {
		files.Unlock(f.old)
		f.old.Close()
		f.old = nil
	}
}

// maximumTemps is the largest number of temporary names that are tried.
const maximumTemps = 100

// NewBuilder begins a volume of geometry g whose image is to be at path. It
// returns an error for options that contradict the geometry or one another.
func NewBuilder(path string, g *media.Geometry, o CreateOptions) (*Builder, error) {
	b := &Builder{geometry: g, options: o, kind: kindCKD}
	if g.FBA() {
		b.kind = kindFBA
	}
	if o.Format == "" {
		b.options.Format = FormatCKD
		if b.kind == kindFBA {
			b.options.Format = FormatFBA
		}
	}
	if err := b.check(path); err != nil {
		return nil, err
	}
	var err error
	switch b.options.Format {
	case FormatCKD:
		err = b.beginPlain(path)
	case FormatFBA:
		b.units = int((g.Blocks + BlocksPerGroup - 1) / BlocksPerGroup)
		if err = b.add(path, g.Blocks*media.BlockSize); err == nil {
			b.fba = b.files[0].file
		}
	default:
		err = b.beginCompressed(path)
	}
	if err != nil {
		b.Abort()
		return nil, err
	}
	b.packer = b.NewPacker()
	return b, nil
}

func (b *Builder) check(path string) error {
	o, g := b.options, b.geometry
	switch {
	case o.Format != FormatCKD && o.Format != FormatCCKD && o.Format != FormatFBA && o.Format != FormatCFBA:
		return fmt.Errorf("%s: format %q is none of ckd, cckd, fba, cfba", path, o.Format)
	case o.Format.FBA() != (b.kind == kindFBA):
		return fmt.Errorf("%s: format %s cannot hold a %s volume", path, o.Format, g.Name)
	case o.Compression >= compressions:
		return fmt.Errorf("%s: compression is %d, should be 0 (none), 1 (zlib) or 2 (bzip2)", path, o.Compression)
	case o.Compression != None && !o.Format.Compressed():
		return fmt.Errorf("%s: format %s does not compress, cckd and cfba do", path, o.Format)
	case o.Level < 0 || o.Level > 9:
		return fmt.Errorf("%s: compression level is %d, should be 1 to 9, or 0 for the default", path, o.Level)
	case o.Null >= nullFormats:
		return fmt.Errorf("%s: null track format is %d, should be 0, 1 or 2", path, o.Null)
	case b.kind == kindCKD && o.Null.size() > g.TrackSize:
		return fmt.Errorf("%s: null track format %v takes %d bytes, a track of a %s has %d", path, o.Null, o.Null.size(), g.Name, g.TrackSize)
	case o.SplitBytes < 0:
		return fmt.Errorf("%s: split into files of %d bytes, should be 0 (one file) or more", path, o.SplitBytes)
	case o.SplitBytes != 0 && o.Format != FormatCKD:
		return fmt.Errorf("%s: format %s is one file, only ckd can be split", path, o.Format)
	case o.Wide && o.Format == FormatFBA:
		return fmt.Errorf("%s: a raw FBA image has no 64-bit form", path)
	case b.kind == kindCKD && (g.Cylinders < 1 || g.Cylinders > maximumCylinders):
		return fmt.Errorf("%s: %d cylinders, should be 1 to %d", path, g.Cylinders, maximumCylinders)
	case b.kind == kindFBA && g.Blocks > media.MaxBlocks:
		return fmt.Errorf("%s: %d blocks, should be 1 to %d", path, g.Blocks, int64(media.MaxBlocks))
	}
	return nil
}

// add makes a file for final under a temporary name.
func (b *Builder) add(final string, bytes int64) error {
	if to, err := filepath.EvalSymlinks(final); err == nil {
		final = to // a symbolic link stays one
	}
	f := newFile{final: final, bytes: bytes}
	mode, err := b.replaced(&f)
	if err != nil {
		return err
	}
	if err := f.create(); err != nil {
		f.release()
		return err
	}
	b.files = append(b.files, f)
	if told := b.options.Temporary; told != nil {
		told(f.temp)
	}
	if mode != 0 {
		return f.file.Chmod(mode)
	}
	return nil
}

// replaced finds and locks the file that has the name already. It returns its
// permissions, 0 if there is none.
func (b *Builder) replaced(f *newFile) (mode fs.FileMode, err error) {
	info, err := os.Lstat(f.final)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	case !b.options.Replace:
		return 0, fmt.Errorf("%s: %w", f.final, ErrExists)
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%s: is no regular file, and is not replaced by one", f.final)
	}
	if f.old, err = os.Open(f.final); err != nil {
		return 0, err
	}
	if err = files.Lock(f.old, files.Exclusive); err == nil && !b.options.IgnoreOpened {
		err = checkOpened(f.old, f.final)
	}
	if err != nil {
		f.release()
		return 0, err
	}
	return info.Mode().Perm(), nil
}

// checkOpened looks for the OPENED bit of a file that need not be an image at
// all.
func checkOpened(f file, path string) error {
	h, ok, err := readHeader(f, path)
	if err != nil || !ok || h.container == containerPlain {
		return nil
	}
	raw := make([]byte, compressedHeaderSize)
	if _, err := f.ReadAt(raw, compressedHeaderOffset); err != nil {
		return nil
	}
	if _, c := decodeCompressedHeader(raw, h.wide); c.options&optionOpened != 0 {
		return inUse(path)
	}
	return nil
}

// create makes the file under a temporary name.
func (f *newFile) create() error {
	for k := range maximumTemps {
		temp := fmt.Sprintf("%s.new%d", f.final, k)
		made, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, createMode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		f.file, f.temp = made, temp
		return err
	}
	return fmt.Errorf("%s: no free temporary name from %s.new0 to .new%d", f.final, f.final, maximumTemps-1)
}

func (b *Builder) header(c container) header {
	return header{
		signature:  signatureFor(b.kind, c, b.options.Wide),
		heads:      uint32(b.geometry.Heads),
		trackSize:  uint32(b.geometry.TrackSize),
		deviceType: byte(b.geometry.Type),
	}
}

func (b *Builder) beginPlain(path string) error {
	g := b.geometry
	b.units = g.Cylinders * g.Heads
	b.ckd = &plainCKD{heads: g.Heads, trackSize: g.TrackSize, wide: b.options.Wide}
	cylinder := int64(g.Heads) * int64(g.TrackSize)
	each := int64(g.Cylinders)
	if b.options.SplitBytes > 0 {
		each = min(each, (b.options.SplitBytes-headerSize)/cylinder)
	}
	if each < 1 {
		return fmt.Errorf("%s: files of %d bytes cannot hold a cylinder, which takes %d", path, b.options.SplitBytes, headerSize+cylinder)
	}
	parts := (int64(g.Cylinders) + each - 1) / each
	if parts > maximumParts {
		return fmt.Errorf("%s: split into %d files of %d bytes, at most %d are possible", path, parts, b.options.SplitBytes, maximumParts)
	}
	for k := range parts {
		first, end := k*each, min((k+1)*each, int64(g.Cylinders))
		h := b.header(containerPlain)
		name := path
		if parts > 1 {
			name = partPath(path, int(k)+1)
			h.sequence = byte(k + 1)
			if k+1 < parts {
				h.highCylinder = uint16(end - 1)
			}
		}
		bytes := headerSize + (end-first)*cylinder
		if err := b.add(name, bytes); err != nil {
			return err
		}
		f := b.files[k].file
		if _, err := f.WriteAt(h.encode(), 0); err != nil {
			return err
		}
		b.ckd.parts = append(b.ckd.parts, part{
			file: f, path: b.files[k].temp, bytes: bytes,
			first: int(first) * g.Heads, end: int(end) * g.Heads,
		})
	}
	return nil
}

func (b *Builder) beginCompressed(path string) error {
	if err := b.add(path, -1); err != nil {
		return err
	}
	s, err := newCompressed(b.files[0].file, b.files[0].temp, b.header(containerCompressed), b.geometry, b.options)
	b.packed = s
	if s != nil {
		b.units = s.units
	}
	return err
}

// Version of the compressed format that new files name.
const (
	compressedVersion = 0
	compressedRelease = 3
	compressedLevel   = 1
)

// newCompressed writes the headers and an empty level 1 table to f.
func newCompressed(f file, path string, dev header, g *media.Geometry, o CreateOptions) (*compressed, error) {
	raw := make([]byte, compressedHeaderSize)
	raw[0], raw[1], raw[2] = compressedVersion, compressedRelease, compressedLevel
	l, h := decodeCompressedHeader(raw, dev.wide)
	h.level2 = level2Entries
	h.nullFormat = byte(o.Null)
	h.compression = byte(o.Compression)
	h.parameter = -1
	if o.Level > 0 {
		h.parameter = int16(o.Level)
	}
	s := &compressed{
		layout: l, file: f, path: path, dev: dev, hdr: h, kind: dev.kind,
		level: int(h.parameter), building: true,
	}
	if dev.kind == kindFBA {
		// Hercules 4 has the blocks and their size in place of heads and track size;
		// Hercules 3 leaves both fields zero.
		s.dev.heads, s.dev.trackSize = uint32(g.Blocks), media.BlockSize
		if !dev.wide {
			s.dev.heads, s.dev.trackSize, s.dev.deviceType = 0, 0, 0
		}
		h.units = uint32(g.Blocks)
		s.units = int((g.Blocks + BlocksPerGroup - 1) / BlocksPerGroup)
		s.size = groupSize
		h.nullFormat = 0
	} else {
		h.units = uint32(g.Cylinders)
		s.heads = g.Heads
		s.units = g.Cylinders * g.Heads
		s.size = g.TrackSize
	}
	n := (s.units + level2Entries - 1) / level2Entries
	h.level1 = uint32(n)
	s.level1 = make([]int64, n)
	s.tables = make([]*[level2Entries]location, n)
	s.stale = make([]bool, n)
	s.space = &space{end: s.space0(), limit: s.limit()}
	p := append(s.dev.encode(), h.encode(l)...)
	p = append(p, make([]byte, int64(n)*s.word())...)
	if _, err := f.WriteAt(p, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Units returns the number of units of the volume: tracks, or groups of
// BlocksPerGroup blocks, of which the last may be short.
func (b *Builder) Units() int { return b.units }

// Packer converts units to the form in which the files store them. Each goroutine
// that packs needs a Packer of its own.
type Packer struct {
	builder *Builder
	codec   codec
}

// NewPacker returns a packer for units of the volume.
func (b *Builder) NewPacker() *Packer { return &Packer{builder: b} }

// Packed is a unit in the form in which the files store it.
type Packed struct {
	unit   []byte // unit as it was given
	stored stored
	memory []byte // for compressed bytes
}

// Pack checks unit n and packs it. The unit is a track image up to its end mark,
// or a block group: GroupHeader bytes, which Pack fills, and BlocksPerGroup blocks
// behind them. The result may share memory with unit. again is an earlier result
// that is not needed any more; Pack uses its memory again.
func (p *Packer) Pack(again Packed, n int, unit []byte) (Packed, error) {
	b := p.builder
	if n < 0 || n >= b.units {
		return Packed{}, fmt.Errorf("%s %d: volume has %ss 0 to %d", b.kind.unit(), n, b.kind.unit(), b.units-1)
	}
	if b.kind == kindFBA {
		if len(unit) != groupSize {
			return Packed{}, fmt.Errorf("block group %d: %d bytes, should be %d", n, len(unit), groupSize)
		}
		unit[0] = 0
		putGroupNumber(unit, n)
	} else {
		g := b.geometry
		used, fault := parseTrack(unit, n/g.Heads, n%g.Heads)
		switch {
		case fault != nil:
			return Packed{}, fmt.Errorf("track %d: byte %d: %w", n, fault.at, fault)
		case used > g.TrackSize:
			return Packed{}, fmt.Errorf("track %d: image is %d bytes, a track of a %s has %d", n, used, g.Name, g.TrackSize)
		}
		unit = unit[:used]
	}
	if b.packed == nil {
		return Packed{unit: unit, memory: again.memory}, nil
	}
	s, err := pack(&p.codec, again.memory, unit, b.kind, b.packed.hdr, b.packed.level)
	if err != nil {
		return Packed{}, fmt.Errorf("%s %d: %w", b.kind.unit(), n, err)
	}
	if s.bytes != nil {
		again.memory = s.bytes
	}
	return Packed{stored: s, memory: again.memory}, nil
}

// GroupHeader is the number of bytes in front of the blocks of a group that is
// packed.
const GroupHeader = unitHeaderSize

// Put packs unit n and stores it.
func (b *Builder) Put(n int, unit []byte) error {
	p, err := b.packer.Pack(b.again, n, unit)
	if err != nil {
		return err
	}
	b.again = p
	return b.PutPacked(n, p)
}

// PutPacked stores unit n.
func (b *Builder) PutPacked(n int, u Packed) error {
	b.put++
	switch {
	case b.packed != nil:
		return b.packed.place(n, u.stored)
	case b.ckd != nil:
		// The file behind the end mark remains a hole, which reads as zeros.
		p := b.ckd.part(n)
		_, err := p.file.WriteAt(u.unit, b.ckd.offset(p, n))
		return err
	}
	at := int64(n) * BlocksPerGroup * media.BlockSize
	blocks := u.unit[unitHeaderSize:]
	blocks = blocks[:min(int64(len(blocks)), b.geometry.Blocks*media.BlockSize-at)]
	if isZero(blocks) {
		return nil
	}
	_, err := b.fba.WriteAt(blocks, at)
	return err
}

// Commit completes the files, makes them durable unless NoSync is set, and gives
// them their names. After an error all new files are removed.
func (b *Builder) Commit() error {
	if b.done {
		return errClosed
	}
	err := b.complete()
	if err != nil {
		b.Abort()
		return err
	}
	b.done = true
	for i := range b.files {
		if err = b.files[i].file.Close(); err != nil {
			break
		}
	}
	if err == nil {
		err = b.name()
	}
	if err != nil {
		for i := range b.files {
			b.files[i].abandon()
		}
		return err
	}
	if b.options.NoSync {
		return nil
	}
	return files.SyncFolder(filepath.Dir(b.files[0].final))
}

// name gives the files their names. A single file replaces the old file at once.
// If there are several, the files that they replace are moved aside first, and
// moved back if one of the new files cannot be named.
func (b *Builder) name() error {
	several := len(b.files) > 1
	for i := range b.files {
		f := &b.files[i]
		err := f.take(several)
		if err != nil {
			for k := i; k >= 0; k-- {
				b.files[k].back(k < i)
			}
			return err
		}
	}
	for i := range b.files {
		f := &b.files[i]
		f.release()
		if f.aside != "" {
			os.Remove(f.aside)
		}
	}
	return nil
}

// take gives the file its name. If another file has got that name meanwhile, it is
// not replaced, provided that the file system knows hard links.
func (f *newFile) take(several bool) error {
	if f.old == nil {
		err := os.Link(f.temp, f.final)
		switch {
		case err == nil:
			return os.Remove(f.temp)
		case errors.Is(err, fs.ErrExist):
			return fmt.Errorf("%s: %w", f.final, ErrExists)
		}
		return os.Rename(f.temp, f.final)
	}
	if runtime.GOOS == "windows" {
		f.release() // Windows does not replace an open file
	}
	if several {
		aside := f.final + ".old"
		if _, err := os.Lstat(aside); err == nil {
			return fmt.Errorf("%s: %w: want it out of the way: the files of a split image that are replaced have such names for a moment", aside, ErrExists)
		}
		if err := os.Rename(f.final, aside); err != nil {
			return err
		}
		f.aside = aside
	}
	return os.Rename(f.temp, f.final)
}

// back undoes take.
func (f *newFile) back(named bool) {
	if named {
		os.Remove(f.final)
	}
	if f.aside != "" {
		os.Rename(f.aside, f.final)
	}
}

func (b *Builder) complete() error {
	if b.ckd != nil && b.put != b.units {
		return fmt.Errorf("%s: %d of %d tracks were put, a plain image needs all", b.files[0].final, b.put, b.units)
	}
	if b.packed != nil {
		if err := b.packed.seal(); err != nil {
			return err
		}
	}
	for _, f := range b.files {
		if f.bytes >= 0 {
			if err := f.file.Truncate(f.bytes); err != nil {
				return err
			}
		}
		if !b.options.NoSync {
			if err := f.file.Sync(); err != nil {
				return fmt.Errorf("%s: %w", f.temp, err)
			}
		}
	}
	return nil
}

// Abort removes the files of a volume that was not committed; after Commit it
// does nothing.
func (b *Builder) Abort() {
	if b.done {
		return
	}
	b.done = true
	for i := range b.files {
		b.files[i].abandon()
	}
}
