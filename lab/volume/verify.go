package volume

import (
	"errors"
	"fmt"
	"io"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// Progress is called with the part of a volume that is done, in tracks or block
// groups. It is called from the caller's goroutine, once every progressStep units
// and at the end. An error that it returns ends the work.
type Progress func(done, total int) error

const progressStep = 256

func (p Progress) step(done, total int) error {
	if p != nil && (done%progressStep == 0 || done == total) {
		return p(done, total)
	}
	return nil
}

// sequentialCache is the size in bytes of the track cache of a volume that is read
// once from end to end, when the options give none: a few tracks, which stay in the
// processor's own cache.
const sequentialCache = 256 << 10

func sequential(o image.Options) image.Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = sequentialCache
	}
	return o
}

// DefaultFindings is the number of findings and differences that are kept when the
// options give none; all are counted.
const DefaultFindings = 100

// VerifyOptions holds the options of Verify.
type VerifyOptions struct {
	Image    image.Options
	Limit    int // largest number of findings kept; 0 stands for DefaultFindings
	Progress Progress
}

// Finding is an error found in a volume.
type Finding struct {
	Cylinder int    `json:"cylinder"`
	Head     int    `json:"head"`
	Text     string `json:"text"`
}

// Report is the outcome of a check.
type Report struct {
	Path     string    `json:"path"`
	Geometry *Geometry `json:"geometry,omitempty"` // nil when the image does not open
	// Fatal is the reason why the image cannot be opened; it is empty when it can.
	Fatal string `json:"fatal,omitempty"`
	// Damaged is the number of tracks (or block groups) that cannot be read, and Full
	// the number of tracks that hold more than the device could.
	Damaged int `json:"damaged"`
	Full    int `json:"full"`
	// Records is the number of records behind records zero, and Bytes the number of
	// bytes of their keys and data.
	Records  int64     `json:"records"`
	Bytes    int64     `json:"bytes"`
	Findings []Finding `json:"findings,omitempty"`
	Notes    []string  `json:"notes,omitempty"` // odd, but no damage

	limit int
}

// Sound reports whether no errors were found.
func (r *Report) Sound() bool { return r.Fatal == "" && r.Damaged == 0 && r.Full == 0 }

// Verify checks the volume at path: headers, lookup tables and free space, and
// then that every track can be read and parsed and holds no more than the device's
// tracks do. Errors of the volume are in the report; a returned error says that it
// could not be checked.
func Verify(path string, o VerifyOptions) (*Report, error) {
	r := &Report{Path: path, limit: o.Limit}
	if r.limit <= 0 {
		r.limit = DefaultFindings
	}
	v, err := image.Open(path, media.ReadOnly, sequential(o.Image))
	if errors.Is(err, image.ErrDamaged) {
		r.Fatal = err.Error()
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	g := geometryOf(v.Geometry())
	r.Geometry = &g
	r.Notes = v.Info().Notes
	switch v := v.(type) {
	case *image.CKD:
		err = r.tracks(v, o.Progress)
	case *image.FBA:
		err = r.blocks(v, o.Progress)
	}
	return r, errors.Join(err, v.Close())
}

func (r *Report) find(cylinder, head int, format string, args ...any) {
	if len(r.Findings) < r.limit {
		r.Findings = append(r.Findings, Finding{cylinder, head, fmt.Sprintf(format, args...)})
	}
}

func (r *Report) tracks(v *image.CKD, p Progress) error {
	g := v.Geometry()
	room := capacity{geometry: g}
	for n := range g.Tracks() {
		if err := p.step(n, g.Tracks()); err != nil {
			return err
		}
		c, h := n/g.Heads, n%g.Heads
		t, err := v.Track(n)
		if err == nil {
			err = t.Validate(g)
		}
		switch {
		case errors.Is(err, image.ErrDamaged) || errors.Is(err, media.ErrTrack):
			r.Damaged++
			r.find(c, h, "%v", err)
			continue
		case err != nil:
			return err
		}
		last, err := r.count(t)
		if err == nil {
			err = room.check(t, last)
		}
		switch {
		case errors.Is(err, media.ErrNoRoom):
			r.Full++
			r.find(c, h, "records take more than a track has: %v", err)
		case err != nil:
			return err
		}
	}
	return p.step(g.Tracks(), g.Tracks())
}

// count counts the records of a track, and returns the last two.
func (r *Report) count(t *media.Track) (last [2]media.Record, err error) {
	last[1], err = t.Zero()
	for err == nil {
		next, more, e := t.Next(last[1])
		if e != nil || !more {
			return last, e
		}
		r.Records++
		r.Bytes += int64(next.Length())
		last[0], last[1] = last[1], next
	}
	return last, err
}

// capacity finds out whether a device could hold a track's records, by writing the
// last one anew behind the others.
type capacity struct {
	geometry *media.Geometry
	scratch  []byte
}

func (c *capacity) check(t *media.Track, last [2]media.Record) error {
	if last[1].Ordinal == 0 {
		return nil
	}
	c.scratch = append(c.scratch[:0], t.Image...)
	copied := media.Track{Cylinder: t.Cylinder, Head: t.Head, Image: c.scratch}
	_, err := copied.Append(c.geometry, last[0], last[1].Count)
	return err
}

func (r *Report) blocks(v *image.FBA, p Progress) error {
	total := v.Geometry().Blocks
	groups := int((total + image.BlocksPerGroup - 1) / image.BlocksPerGroup)
	buffer := make([]byte, image.BlocksPerGroup*media.BlockSize)
	for n := range groups {
		if err := p.step(n, groups); err != nil {
			return err
		}
		first := int64(n) * image.BlocksPerGroup
		err := v.ReadBlocks(first, buffer[:min(image.BlocksPerGroup, total-first)*media.BlockSize])
		switch {
		case errors.Is(err, image.ErrDamaged):
			r.Damaged++
			r.find(0, 0, "%v", err)
		case err != nil:
			return err
		default:
			r.Bytes += min(image.BlocksPerGroup, total-first) * media.BlockSize
		}
	}
	return p.step(groups, groups)
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	p := &printer{w: w}
	if r.Fatal != "" {
		p.line("%s", r.Fatal)
		p.line("%s: does not check out", r.Path)
		return p.err
	}
	for _, f := range r.Findings {
		if r.Geometry.Blocks > 0 {
			p.line("%s", f.Text)
		} else {
			p.line("cylinder %d head %d: %s", f.Cylinder, f.Head, f.Text)
		}
	}
	if n := r.Damaged + r.Full - len(r.Findings); n > 0 {
		p.line("and %d more", n)
	}
	for _, n := range r.Notes {
		p.line("note: %s", n)
	}
	unit, total := "tracks", r.Geometry.Tracks
	if r.Geometry.Blocks > 0 {
		unit, total = "block groups", int((r.Geometry.Blocks+image.BlocksPerGroup-1)/image.BlocksPerGroup)
	}
	verdict := "sound"
	if !r.Sound() {
		verdict = fmt.Sprintf("%d damaged, %d over capacity", r.Damaged, r.Full)
	}
	p.line("%s: %d %s, %d records, %d bytes of keys and data: %s", r.Path, total, unit, r.Records, r.Bytes, verdict)
	return p.err
}
