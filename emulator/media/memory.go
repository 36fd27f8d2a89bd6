package media

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// chunkTracks is the number of tracks of a medium in memory that are allocated
// together.
const chunkTracks = 32

// MemoryCKD is a CKD medium in memory. Tracks that nobody has changed are all
// alike and take no memory. It implements CKD.
type MemoryCKD struct {
	geometry *Geometry
	chunks   []*chunk
	blank    Track // content of every unchanged track, with the address last asked for
	written  int
}

// chunk holds chunkTracks consecutive tracks, and a bit for each that has been
// changed.
type chunk struct {
	tracks  [chunkTracks]Track
	written uint32
}

// NewMemoryCKD makes a medium whose tracks hold records records of dataLength
// zero bytes each behind a standard record zero; with 0 records, record zero
// only. The Linux formatter leaves 12 records of 4096 bytes on each track of a 3390.
// NewMemoryCKD fails with ErrNoRoom when the records do not fit a track.
func NewMemoryCKD(g *Geometry, records, dataLength int) (*MemoryCKD, error) {
	if g.FBA() {
		return nil, fmt.Errorf("%s: a device of blocks has no tracks", g.Name)
	}
	m := &MemoryCKD{geometry: g, chunks: make([]*chunk, (g.Tracks()+chunkTracks-1)/chunkTracks)}
	if err := m.blank.Format(g, records, dataLength); err != nil {
		return nil, err
	}
	if n := len(m.blank.Tags); n <= len(blankTags) {
		m.blank.Tags = blankTags[:n]
	}
	return m, nil
}

// blankTags are the tags of unchanged tracks. All media have the same, so that
// EqualTrack need not look at each: most tracks of most media are unchanged.
// Nothing writes to them.
var blankTags [128]machine.Tag

// Geometry returns the medium's geometry.
func (m *MemoryCKD) Geometry() *Geometry { return m.geometry }

// Written returns the number of tracks that have been asked for with Update.
func (m *MemoryCKD) Written() int { return m.written }

func (m *MemoryCKD) check(n int) error {
	if uint(n) >= uint(m.geometry.Tracks()) {
		return fmt.Errorf("track %d: medium has tracks 0 to %d", n, m.geometry.Tracks()-1)
	}
	return nil
}

// Track returns track n for reading.
func (m *MemoryCKD) Track(n int) (*Track, error) {
	if uint(n) < uint(m.geometry.Tracks()) {
		if c := m.chunks[n/chunkTracks]; c != nil {
			if c.written>>(n%chunkTracks)&1 != 0 {
				return &c.tracks[n%chunkTracks], nil
			}
		}
		m.blank.Cylinder, m.blank.Head = n/m.geometry.Heads, n%m.geometry.Heads
		return &m.blank, nil
	}
	return nil, m.check(n)
}

// Update returns track n for changing.
func (m *MemoryCKD) Update(n int) (*Track, error) {
	if err := m.check(n); err != nil {
		return nil, err
	}
	c := m.chunks[n/chunkTracks]
	if c == nil {
		c = new(chunk)
		m.chunks[n/chunkTracks] = c
	}
	t := &c.tracks[n%chunkTracks]
	if c.written>>(n%chunkTracks)&1 == 0 {
		c.written |= 1 << (n % chunkTracks)
		m.written++
		b := &m.blank
		*t = Track{Cylinder: n / m.geometry.Heads, Head: n % m.geometry.Heads, Records: b.Records, DataLength: b.DataLength, Tags: make([]machine.Tag, len(b.Tags))}
	}
	return t, nil
}

// Flush does nothing.
func (m *MemoryCKD) Flush() error { return nil }

// Close does nothing.
func (m *MemoryCKD) Close() error { return nil }
