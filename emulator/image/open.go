package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// MaximumShadows is the largest number of shadow files of a volume.
const MaximumShadows = 8

// maximumParts is the largest number of files of a split image; Hercules numbers
// them in one digit.
const maximumParts = 9

// Options holds the settings for opening a volume.
type Options struct {
	// CacheBytes is the largest size of the memory for cached tracks or blocks; 0
	// stands for DefaultCacheBytes. Lookup tables of compressed images and changes to
	// a copy-on-write volume need memory beyond that.
	CacheBytes int
	// Shadows lists the shadow files that lie on the image, the topmost last. The
	// files under the topmost one are never written to.
	Shadows []string
	// Device is a device type, such as "3370" or "3390-3", from which the geometry is
	// taken. It is needed if the files do not determine the type, for FBA images
	// whose size belongs to no device; empty leaves the choice to the files.
	Device string
	// NoSync lets the operating system decide when changes become durable, as cp
	// does: Flush and Close do not wait for it.
	NoSync bool
	// IgnoreOpened opens a compressed image for writing although its OPENED bit is
	// on: its last user did not close it. It must not be in use.
	IgnoreOpened bool

	// lock, if not nil, selects the files to be locked and the kinds of lock; nil
	// stands for lockAll.
	lock locking
	// opened lists the files that are open so far.
	opened *[]openedFile
	// wrap, if not nil, stands between the volume and each of its files: tests
	// make files fail with it.
	wrap func(path string, f file) file
}

// Open opens the volume whose image is at path. For a split image, path names its
// first file, or is the path without the _1. The whole structure is checked: the
// headers, and every entry of the lookup tables of compressed files. Tracks are
// checked when they are read.
//
// Every file of the volume is locked until the volume is closed: the file to which
// changes go against every other program, the others against programs that change
// them. If another program holds a lock, the error is a files.LockedError.
func Open(path string, mode media.Mode, o Options) (Volume, error) {
	if len(o.Shadows) > MaximumShadows {
		return nil, fmt.Errorf("%s: %d shadow files, at most %d are possible", path, len(o.Shadows), MaximumShadows)
	}
	writable := mode == media.ReadWrite
	o.opened = new([]openedFile)
	v, err := openBase(path, writable && len(o.Shadows) == 0, o)
	if err != nil {
		return nil, err
	}
	for i, p := range o.Shadows {
		if err := v.addShadow(p, writable && i == len(o.Shadows)-1, o); err != nil {
			v.store.abandon()
			return nil, err
		}
	}
	if o.NoSync {
		v.store.relax()
	}
	if writable {
		if err := v.store.begin(o.IgnoreOpened); err != nil {
			v.store.abandon()
			return nil, err
		}
	}
	return v.volume(mode, o), nil
}

// OpenCKD opens a volume like Open, which must be one of tracks.
func OpenCKD(path string, mode media.Mode, o Options) (*CKD, error) {
	v, err := Open(path, mode, o)
	if err != nil {
		return nil, err
	}
	if c, ok := v.(*CKD); ok {
		return c, nil
	}
	return nil, errors.Join(fmt.Errorf("%s: is an FBA image, should be a CKD image", path), v.Close())
}

// OpenFBA opens a volume like Open, which must be one of blocks.
func OpenFBA(path string, mode media.Mode, o Options) (*FBA, error) {
	v, err := Open(path, mode, o)
	if err != nil {
		return nil, err
	}
	if f, ok := v.(*FBA); ok {
		return f, nil
	}
	return nil, errors.Join(fmt.Errorf("%s: is a CKD image, should be an FBA image", path), v.Close())
}

// opening is a volume whose files are being opened one on the other.
type opening struct {
	store    store
	kind     kind
	geometry *media.Geometry
	dev      header
	group    int // number of blocks of a unit
	skip     int // number of bytes of a unit's header
}

func (v *opening) volume(mode media.Mode, o Options) Volume {
	if v.kind == kindFBA {
		return newFBA(v.store, v.geometry, mode, o, v.group, v.skip)
	}
	return newCKD(v.store, v.geometry, mode, o)
}

// readHeader reads the device header; it returns a nil signature for a file
// without one.
func readHeader(f file, path string) (header, bool, error) {
	p := make([]byte, headerSize)
	n, err := f.ReadAt(p, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return header{}, false, fmt.Errorf("%s: %w", path, err)
	}
	s, err := identify(p[:n])
	if err != nil {
		return header{}, false, damage(path, 0, "%v", err)
	}
	if s == nil {
		return header{}, false, nil
	}
	if n < headerSize {
		return header{}, false, damage(path, int64(n), "file is %d bytes, its header alone takes %d", n, headerSize)
	}
	return decodeHeader(p, *s), true, nil
}

// Files lists the existing files of a volume: the image at path, with all parts of
// a split one, and the shadow files. It looks at names alone, so that it works for
// a damaged volume too.
func Files(path string, shadows []string) []string {
	first, err := FirstFile(path)
	if err != nil {
		return append([]string{path}, shadows...)
	}
	all := []string{first}
	for k := 2; k <= maximumParts && isSplit(first); k++ {
		next, err := nextPart(first, k)
		if err != nil {
			break
		}
		if _, err := os.Stat(next); err != nil {
			break
		}
		all = append(all, next)
	}
	return append(all, shadows...)
}

// isSplit reports whether the header of the file at path says that it is the first
// of a split image.
func isSplit(path string) bool {
	f, err := files.OpenFile(path, "image", os.O_RDONLY)
	if err != nil {
		return false
	}
	defer f.Close()
	h, ok, err := readHeader(f, path)
	return err == nil && ok && h.container == containerPlain && h.sequence == 1
}

// NewFiles lists the files that a new image at path may consist of. It also lists
// the first file of an existing split image of that name, which the new image
// would hide.
func NewFiles(path string, o CreateOptions) []string {
	all := []string{path}
	for k := 1; k <= maximumParts && o.SplitBytes > 0; k++ {
		all = append(all, partPath(path, k))
	}
	if first, err := FirstFile(path); err == nil && !slices.Contains(all, first) {
		all = append(all, first)
	}
	return all
}

// FirstFile returns the file by which the image named path is opened: path itself
// or, if it does not exist, path with the _1 of a split image's first file.
func FirstFile(path string) (string, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err1 := os.Stat(partPath(path, 1)); err1 == nil {
			return partPath(path, 1), nil
		}
	}
	return path, err
}

func openBase(path string, writable bool, o Options) (*opening, error) {
	path, _ = FirstFile(path) // opening it says why there is none
	f, err := o.open(path, writable)
	if err != nil {
		return nil, err
	}
	v, err := openContainer(f, path, writable, o)
	if err != nil {
		f.Close()
	}
	return v, err
}

func openContainer(f file, path string, writable bool, o Options) (*opening, error) {
	h, ok, err := readHeader(f, path)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return openRaw(f, path, o)
	case h.container == containerPlain:
		return openPlain(f, path, h, writable, o)
	case h.container == containerShadow:
		return nil, fmt.Errorf("%s: is a shadow file (%s): open the image that it lies on and name this one as its shadow", path, h.id)
	}
	v := &opening{kind: h.kind, dev: h, group: BlocksPerGroup, skip: unitHeaderSize}
	s, err := openCompressed(f, path, h, nil, func(s *compressed) (err error) {
		v.geometry, err = s.checkDevice(o)
		return err
	})
	if err != nil {
		return nil, err
	}
	v.store = s
	return v, nil
}

// checkDevice finds the geometry of a compressed file's device, and from it the
// number and the size of its units.
func (s *compressed) checkDevice(o Options) (*media.Geometry, error) {
	_, at, _ := s.places()
	at += compressedHeaderOffset
	if s.kind == kindFBA {
		if err := checkFBAType(s.dev.deviceType); err != nil {
			return nil, damage(s.path, headerType, "%v", err)
		}
		g, err := fbaGeometry(int64(s.hdr.units), s.dev.deviceType, o.Device)
		if err != nil {
			return nil, damage(s.path, int64(at), "%v", err)
		}
		s.units = int((int64(s.hdr.units) + BlocksPerGroup - 1) / BlocksPerGroup)
		s.size = groupSize
		return g, nil
	}
	if at, err := checkShape(s.dev); err != nil {
		return nil, damage(s.path, at, "%v", err)
	}
	g, err := ckdGeometry(s.dev, int64(s.hdr.units), o.Device)
	if err != nil {
		return nil, damage(s.path, int64(at), "%v", err)
	}
	s.heads = g.Heads
	s.units = g.Cylinders * g.Heads
	s.size = g.TrackSize
	return g, nil
}

// addShadow opens the shadow file at path on top of the files that v has.
func (v *opening) addShadow(path string, writable bool, o Options) error {
	f, err := o.open(path, writable)
	if err != nil {
		return err
	}
	fail := func(err error) error {
		f.Close()
		return err
	}
	h, ok, err := readHeader(f, path)
	switch {
	case err != nil:
		return fail(err)
	case !ok || h.container != containerShadow:
		return fail(damage(path, 0, "is no shadow file, its identifier should be CKD_S370, FBA_S370, CKD_S064 or FBA_S064"))
	case h.kind != v.kind:
		return fail(damage(path, 0, "is %s, the image under it is of the other kind", h.id))
	case v.group == plainGroup:
		return fail(fmt.Errorf("%s: lies on a raw FBA image; a shadow file of blocks needs a compressed one", path))
	case h.kind == kindFBA && h.deviceType != 0 && v.dev.deviceType != 0 && h.deviceType != v.dev.deviceType:
		return fail(damage(path, headerType, "device type %02X; the image under it has %02X", h.deviceType, v.dev.deviceType))
	case h.kind == kindCKD && (h.heads != v.dev.heads || h.trackSize != v.dev.trackSize || h.deviceType != v.dev.deviceType):
		return fail(damage(path, 8, "device type %02X, %d heads, track size %d; the image under it has %02X, %d, %d", h.deviceType, h.heads, h.trackSize, v.dev.deviceType, v.dev.heads, v.dev.trackSize))
	}
	s, err := openCompressed(f, path, h, v.store, func(s *compressed) error {
		g, err := s.checkDevice(Options{Device: v.geometry.Name})
		if err != nil {
			return err
		}
		if g.Cylinders != v.geometry.Cylinders || g.Blocks != v.geometry.Blocks {
			_, at, _ := s.places()
			return damage(path, int64(compressedHeaderOffset+at), "has %d cylinders, %d blocks; the image under it has %d, %d", g.Cylinders, g.Blocks, v.geometry.Cylinders, v.geometry.Blocks)
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	v.store = s
	return nil
}

// openRaw opens a file without header, which can only be a raw FBA image.
func openRaw(f file, path string, o Options) (*opening, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file", path)
	}
	if st.Size() == 0 || st.Size()%media.BlockSize != 0 {
		return nil, damage(path, st.Size(), "has no header and %d bytes: a raw FBA image is a multiple of %d", st.Size(), media.BlockSize)
	}
	g, err := fbaGeometry(st.Size()/media.BlockSize, 0, o.Device)
	if err != nil {
		return nil, damage(path, st.Size(), "%v", err)
	}
	return &opening{
		kind: kindFBA, geometry: g, group: plainGroup,
		store: &plainFBA{file: f, path: path, bytes: st.Size()},
	}, nil
}

// openPlain opens a plain CKD image whose first file is f.
func openPlain(f file, path string, h header, writable bool, o Options) (*opening, error) {
	if h.sequence > 1 {
		return nil, damage(path, 17, "is file %d of a split image, which is opened by its first", h.sequence)
	}
	if h.sequence == 0 && h.highCylinder != 0 {
		return nil, damage(path, 18, "highest cylinder is %d in the only file of an image, should be 0", h.highCylinder)
	}
	if at, err := checkShape(h); err != nil {
		return nil, damage(path, at, "%v", err)
	}
	cylinder := int64(h.heads) * int64(h.trackSize)
	s := &plainCKD{heads: int(h.heads), trackSize: int(h.trackSize), wide: h.wide}
	fail := func(err error) (*opening, error) {
		for _, p := range s.parts[min(1, len(s.parts)):] {
			p.file.Close()
		}
		return nil, err
	}
	first := 0
	for {
		st, err := f.Stat()
		if err != nil {
			return fail(err)
		}
		body := st.Size() - headerSize
		here := body / cylinder
		if body <= 0 || body%cylinder != 0 {
			return fail(damage(path, st.Size(), "file is %d bytes, should be %d and a multiple of %d (a cylinder of %d tracks of %d bytes); the last whole cylinder ends at %d",
				st.Size(), headerSize, cylinder, h.heads, h.trackSize, headerSize+max(0, here)*cylinder))
		}
		end := first + int(here)
		if h.highCylinder != 0 && int(h.highCylinder) != end-1 {
			return fail(damage(path, 18, "highest cylinder is %d, the file holds cylinders %d to %d", h.highCylinder, first, end-1))
		}
		s.parts = append(s.parts, part{
			file: f, path: path, bytes: st.Size(),
			first: first * s.heads, end: end * s.heads,
		})
		first = end
		if h.highCylinder == 0 {
			break
		}
		if f, path, err = s.openNext(h, path, writable, o); err != nil {
			return fail(err)
		}
		n, ok, err := readHeader(f, path)
		if err == nil && (!ok || n.signature != h.signature || n.heads != h.heads || n.trackSize != h.trackSize || n.deviceType != h.deviceType) {
			err = damage(path, 0, "header differs from the first file's in identifier, heads, track size or device type")
		}
		if err == nil && int(n.sequence) != len(s.parts)+1 {
			err = damage(path, 17, "is file %d of a split image, should be %d", n.sequence, len(s.parts)+1)
		}
		if err != nil {
			f.Close()
			return fail(err)
		}
		h = n
	}
	g, err := ckdGeometry(h, int64(first), o.Device)
	if err != nil {
		return fail(damage(s.parts[0].path, 8, "%v", err))
	}
	return &opening{kind: kindCKD, geometry: g, dev: h, store: s}, nil
}

// openNext opens the next file of a split image.
func (s *plainCKD) openNext(h header, path string, writable bool, o Options) (file, string, error) {
	k := len(s.parts) + 1
	if k > maximumParts {
		return nil, "", damage(path, 18, "is file %d of a split image and not the last, at most %d files are possible", k-1, maximumParts)
	}
	next, err := nextPart(s.parts[0].path, k)
	if err != nil {
		return nil, "", damage(path, 18, "highest cylinder is %d, so that another file follows: %v", h.highCylinder, err)
	}
	f, err := o.open(next, writable)
	if err != nil {
		return nil, "", fmt.Errorf("%s: file %d of the split image %s: %w", next, k, s.parts[0].path, err)
	}
	return f, next, nil
}

// partPath returns the name of file k of a split image: _k goes before the first
// full stop of the name, or to its end.
func partPath(path string, k int) string {
	dir, name := filepath.Split(path)
	stem, rest := name, ""
	if i := strings.IndexByte(name, '.'); i > 0 {
		stem, rest = name[:i], name[i:]
	}
	return fmt.Sprintf("%s%s_%d%s", dir, stem, k, rest)
}

// nextPart returns the name of file k of the split image whose first file is at
// path. Hercules puts the digit in place of the last character of the stem, so the
// character before it need not be an underscore.
func nextPart(path string, k int) (string, error) {
	dir, name := filepath.Split(path)
	i := strings.IndexByte(name, '.')
	if i <= 0 {
		i = len(name)
	}
	if i == 0 || name[i-1] != '1' {
		return "", fmt.Errorf("the name of the first file should end in 1 before its first full stop")
	}
	return fmt.Sprintf("%s%s%d%s", dir, name[:i-1], k, name[i:]), nil
}
