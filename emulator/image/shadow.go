package image

import (
	"errors"
	"fmt"
	"os"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// CreateShadow makes an empty shadow file at path on the volume whose image is at
// under with the shadow files shadows. It has the compression of o; o.Format is
// ignored, and it has 64-bit offsets if the file under it has them.
func CreateShadow(path, under string, shadows []string, o CreateOptions) error {
	v, err := Open(under, media.ReadOnly, Options{Shadows: shadows})
	if err != nil {
		return err
	}
	i := v.Info()
	k := kindCKD
	o.Format = FormatCCKD
	if i.Format.FBA() {
		k, o.Format = kindFBA, FormatCFBA
	}
	// Hercules applies the null format of the topmost file to tracks of the files
	// under it.
	if s, ok := storeOf(v).(*compressed); ok {
		o.Null = NullFormat(s.hdr.nullFormat)
		o.Wide = o.Wide || s.wide
	}
	err = createShadow(path, v.Geometry(), k, i, o)
	return errors.Join(err, v.Close())
}

func createShadow(path string, g *media.Geometry, k kind, i Info, o CreateOptions) error {
	if i.Format == FormatFBA {
		return fmt.Errorf("%s: cannot lie on a raw FBA image, a compressed one can have shadow files", path)
	}
	if i.Shadows >= MaximumShadows {
		return fmt.Errorf("%s: would be shadow file %d, at most %d are possible", path, i.Shadows+1, MaximumShadows)
	}
	b := &Builder{geometry: g, options: o, kind: k}
	if err := b.check(path); err != nil {
		return err
	}
	if err := b.add(path, -1); err != nil {
		return err
	}
	s, err := newCompressed(b.files[0].file, b.files[0].temp, b.header(containerShadow), g, o)
	if err == nil {
		b.packed = s
		err = s.shade()
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

// shade makes every entry of a new file refer to the file under it.
func (s *compressed) shade() error {
	p := make([]byte, int64(len(s.level1))*s.word())
	for i := range s.level1 {
		s.level1[i] = below
		s.putOffset(p[int64(i)*s.word():], below)
	}
	_, err := s.file.WriteAt(p, level1Offset)
	return err
}

// MergeOptions holds the settings for merging a shadow file.
type MergeOptions struct {
	// Device names the device type, as in Options.
	Device string
	// Keep leaves the shadow file in its place. It is not needed any more: the file
	// under it has its content too.
	Keep bool
	// NoSync lets the operating system decide when the changes become durable. A
	// crash of the machine soon after can then lose the content of the shadow file.
	NoSync bool
	// IgnoreOpened merges although the OPENED bit of one of the files is on, as in
	// Options.
	IgnoreOpened bool
	// Progress, if not nil, is told the number of tracks or block groups that were
	// looked at, and the number of all; each counts twice. An error that it returns
	// ends the work.
	Progress func(done, total int) error
}

// Merged is the outcome of a merge.
type Merged struct {
	Shadow string `json:"shadow"`
	Into   string `json:"into"` // the file that took the changes
	// Units is the number of tracks or block groups of the volume, Changed the number
	// of those that the shadow file held.
	Units   int `json:"units"`
	Changed int `json:"changed"`
}

// MergeShadow writes the content of the topmost of the shadow files on the image
// at under to the file on which it lies, the image or another shadow file, and
// then removes the shadow file. All of its content is read and checked before
// anything is written. During the merge, and after an error, the volume with all
// its shadow files has the content that it had before.
func MergeShadow(under string, shadows []string, o MergeOptions) (*Merged, error) {
	if len(shadows) == 0 {
		return nil, fmt.Errorf("%s: no shadow file named: want those that lie on it, the topmost last", under)
	}
	top := shadows[len(shadows)-1]
	// The first opening reads and locks only the topmost file, against every other
	// program, because the file is to be removed; the second one locks the others.
	from, err := Open(under, media.ReadOnly, Options{Shadows: shadows, Device: o.Device, lock: func(path string, _ bool) (files.LockKind, bool) {
		return files.Exclusive, path == top
	}})
	if err != nil {
		return nil, err
	}
	defer storeOf(from).abandon() // nothing was written to it
	if !o.IgnoreOpened {
		for s, ok := storeOf(from).(*compressed); ok; s, ok = s.under.(*compressed) {
			if s.hdr.options&optionOpened != 0 {
				if s.path != top {
					if err := busy(s.path); err != nil {
						return nil, err
					}
				}
				return nil, inUse(s.path)
			}
		}
	}
	to, err := Open(under, media.ReadWrite, Options{Shadows: shadows[:len(shadows)-1], Device: o.Device, NoSync: o.NoSync, IgnoreOpened: o.IgnoreOpened})
	if err != nil {
		return nil, err
	}
	source, target := storeOf(from).(*compressed), storeOf(to)
	m := &Merged{Shadow: top, Into: under, Units: source.units}
	if n := len(shadows); n > 1 {
		m.Into = shadows[n-2]
	}
	if err := m.merge(source, target, o.Progress); err != nil {
		return nil, errors.Join(err, target.close())
	}
	if err := target.close(); err != nil {
		return nil, err
	}
	if o.Keep {
		return m, nil
	}
	return m, os.Remove(top)
}

// busy returns an error if a program that locks its files is changing the file.
func busy(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := files.Lock(f, files.Shared); err != nil {
		return err
	}
	files.Unlock(f)
	return nil
}

// merge reads the units that the source itself stores, and then writes them to the
// target.
func (m *Merged) merge(source *compressed, target store, progress func(done, total int) error) error {
	p := make([]byte, source.size)
	for pass := range 2 {
		for n := range m.Units {
			if progress != nil && n%progressStep == 0 {
				if err := progress(pass*m.Units+n, 2*m.Units); err != nil {
					return err
				}
			}
			if source.locate(n).offset == below {
				continue
			}
			length, err := source.read(n, p)
			if err != nil {
				return err
			}
			if pass == 0 {
				m.Changed++
				continue
			}
			if err := target.write(n, p[:length]); err != nil {
				return err
			}
		}
	}
	return nil
}
