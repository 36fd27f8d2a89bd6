package image

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// Volume is an open volume: a *CKD or an *FBA.
type Volume interface {
	Geometry() *media.Geometry
	// Info returns the contents of the headers.
	Info() Info
	// Flush makes every change durable.
	Flush() error
	// Close flushes and closes the files. The volume is closed even if Close returns
	// an error; the changes that the error names are lost.
	Close() error
}

func storeOf(v Volume) store {
	switch v := v.(type) {
	case *CKD:
		return v.cache.store
	case *FBA:
		return v.cache.store
	}
	return nil
}

// errClosed is the error of every method after Close.
var errClosed = errors.New("volume is closed")

// base holds the state that CKD and FBA volumes share.
type base struct {
	geometry *media.Geometry
	cache    *cache
	mode     media.Mode
	closed   bool
}

// Geometry returns the device's geometry.
func (v *base) Geometry() *media.Geometry { return v.geometry }

// Info returns the contents of the headers.
func (v *base) Info() Info {
	var i Info
	v.cache.store.describe(&i)
	return i
}

// Flush stores changed tracks and makes them durable; the package comment says how
// for each format. It does nothing for a copy-on-write volume.
func (v *base) Flush() error {
	if v.closed {
		return errClosed
	}
	return v.cache.flush()
}

// Close flushes and closes the files; a second Close returns an error.
func (v *base) Close() error {
	if v.closed {
		return errClosed
	}
	v.closed = true
	return v.cache.close()
}

// CKD is a volume of tracks in files. It implements media.CKD.
type CKD struct {
	base
	heads  int
	tracks int
}

func newCKD(s store, g *media.Geometry, mode media.Mode, o Options) *CKD {
	v := &CKD{heads: g.Heads, tracks: g.Cylinders * g.Heads}
	v.base = base{geometry: g, mode: mode}
	v.cache = newCache(s, g.TrackSize, o.CacheBytes, mode == media.CopyOnWrite, v.settle)
	return v
}

// Track returns track n for reading, valid until the next call of a method.
func (v *CKD) Track(n int) (*media.Track, error) {
	e, err := v.entry(n)
	if err != nil {
		return nil, err
	}
	return &e.track, nil
}

// Update returns track n for changing. Its records are checked when it is stored:
// a track that does not parse, or is longer than the device's tracks, is refused
// then.
func (v *CKD) Update(n int) (*media.Track, error) {
	if v.mode == media.ReadOnly {
		return nil, media.ErrReadOnly
	}
	e, err := v.entry(n)
	if err != nil {
		return nil, err
	}
	e.dirty = true
	return &e.track, nil
}

func (v *CKD) entry(n int) (*entry, error) {
	if v.closed {
		return nil, errClosed
	}
	if n < 0 || n >= v.tracks {
		return nil, fmt.Errorf("track %d: volume has tracks 0 to %d", n, v.tracks-1)
	}
	e, err := v.cache.get(n)
	if err != nil {
		return nil, err
	}
	e.track.Cylinder, e.track.Head = n/v.heads, n%v.heads
	return e, nil
}

func (v *CKD) settle(e *entry) ([]byte, error) {
	e.track.Materialize(v.geometry)
	p := e.track.Image
	used, fault := parseTrack(p, e.n/v.heads, e.n%v.heads)
	switch {
	case fault != nil:
		return nil, fmt.Errorf("track %d: not stored: byte %d: %w", e.n, fault.at, fault)
	case used > v.geometry.TrackSize:
		return nil, fmt.Errorf("track %d: not stored: image is %d bytes, a track of the device has %d", e.n, used, v.geometry.TrackSize)
	}
	return p[:used], nil
}

// BlocksPerGroup is the number of blocks that a compressed image compresses
// together; it is unrelated to media.GroupBlocks.
const BlocksPerGroup = 120

// groupSize is the size in bytes of a block group with its header.
const groupSize = unitHeaderSize + BlocksPerGroup*media.BlockSize

func putGroupNumber(p []byte, n int) { binary.BigEndian.PutUint32(p[1:], uint32(n)) }

func groupNumber(p []byte) int { return int(binary.BigEndian.Uint32(p[1:])) }

// FBA is a volume of blocks in files. It implements media.FBA.
type FBA struct {
	base
	blocks int64
	group  int64 // number of blocks of a cached unit
	skip   int   // number of bytes of its header
}

func newFBA(s store, g *media.Geometry, mode media.Mode, o Options, group, skip int) *FBA {
	v := &FBA{blocks: g.Blocks, group: int64(group), skip: skip}
	v.base = base{geometry: g, mode: mode}
	v.cache = newCache(s, skip+group*media.BlockSize, o.CacheBytes, mode == media.CopyOnWrite, func(e *entry) ([]byte, error) {
		return e.track.Image, nil
	})
	return v
}

// each calls do for every unit that holds some of the len(p)/media.BlockSize
// blocks from first on, with its part in the unit and in p.
func (v *FBA) each(first int64, p []byte, do func(e *entry, in, p []byte)) error {
	if v.closed {
		return errClosed
	}
	n := int64(len(p)) / media.BlockSize
	if len(p)%media.BlockSize != 0 {
		return fmt.Errorf("block %d: %d bytes are not a multiple of %d", first, len(p), media.BlockSize)
	}
	if first < 0 || first+n > v.blocks {
		return fmt.Errorf("block %d, %d blocks: volume has blocks 0 to %d", first, n, v.blocks-1)
	}
	for len(p) > 0 {
		e, err := v.cache.get(int(first / v.group))
		if err != nil {
			return err
		}
		in := e.track.Image[v.skip+int(first%v.group)*media.BlockSize:]
		in = in[:min(len(in), len(p))]
		do(e, in, p)
		p = p[len(in):]
		first += int64(len(in)) / media.BlockSize
	}
	return nil
}

// ReadBlocks reads len(p)/512 blocks from block first on.
func (v *FBA) ReadBlocks(first int64, p []byte) error {
	return v.each(first, p, func(_ *entry, in, p []byte) { copy(p, in) })
}

// WriteBlocks writes len(p)/512 blocks from block first on.
func (v *FBA) WriteBlocks(first int64, p []byte) error {
	if v.mode == media.ReadOnly {
		return media.ErrReadOnly
	}
	return v.each(first, p, func(e *entry, in, p []byte) {
		copy(in, p)
		e.dirty = true
	})
}

// ReadTags reports false: a file holds bytes.
func (v *FBA) ReadTags(int64, []machine.Tag) bool { return false }

// WriteTags writes the bytes that the tags name.
func (v *FBA) WriteTags(first int64, tags []machine.Tag) error {
	var block [media.BlockSize]byte
	for i, t := range tags {
		t.Fill(block[:], 0)
		if err := v.WriteBlocks(first+int64(i), block[:]); err != nil {
			return err
		}
	}
	return nil
}
