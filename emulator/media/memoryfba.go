package media

import (
	"bytes"
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// MemoryFBA is an FBA medium in memory. Blocks that nobody has written are zero
// and take no memory; the others are kept in groups of GroupBlocks, as tags until
// bytes are written to one of them. It implements FBA.
type MemoryFBA struct {
	geometry *Geometry
	groups   []group
	written  int
}

// group is the content of GroupBlocks blocks: tags, bytes, or neither for zeros.
type group struct {
	tags  *[GroupBlocks]machine.Tag
	bytes []byte
}

// NewMemoryFBA makes a medium of zeros.
func NewMemoryFBA(g *Geometry) (*MemoryFBA, error) {
	if !g.FBA() {
		return nil, fmt.Errorf("%s: a device of tracks has no blocks", g.Name)
	}
	return &MemoryFBA{geometry: g, groups: make([]group, g.Tracks())}, nil
}

// Geometry returns the medium's geometry.
func (m *MemoryFBA) Geometry() *Geometry { return m.geometry }

// Written returns the number of groups of blocks that have been written to.
func (m *MemoryFBA) Written() int { return m.written }

func (m *MemoryFBA) check(first int64, blocks int) error {
	if first < 0 || first+int64(blocks) > m.geometry.Blocks {
		return fmt.Errorf("block %d, %d blocks: medium has blocks 0 to %d", first, blocks, m.geometry.Blocks-1)
	}
	return nil
}

// checkBytes checks a transfer of n bytes.
func (m *MemoryFBA) checkBytes(first int64, n int) error {
	if n%BlockSize != 0 {
		return fmt.Errorf("block %d: %d bytes are not a multiple of %d", first, n, BlockSize)
	}
	return m.check(first, n/BlockSize)
}

// part returns the group of block first, the index of the block in the group, and
// the number of the n blocks from it on that the group holds.
func (m *MemoryFBA) part(first int64, n int) (g *group, at, count int) {
	at = int(first % GroupBlocks)
	return &m.groups[first/GroupBlocks], at, min(n, GroupBlocks-at)
}

// ReadBlocks reads len(p)/512 blocks from block first on.
func (m *MemoryFBA) ReadBlocks(first int64, p []byte) error {
	if err := m.checkBytes(first, len(p)); err != nil {
		return err
	}
	for len(p) > 0 {
		g, at, n := m.part(first, len(p)/BlockSize)
		switch {
		case g.bytes != nil:
			copy(p[:n*BlockSize], g.bytes[at*BlockSize:])
		case g.tags != nil:
			for i, t := range g.tags[at : at+n] {
				t.Fill(p[i*BlockSize:(i+1)*BlockSize], 0)
			}
		default:
			clear(p[:n*BlockSize])
		}
		p = p[n*BlockSize:]
		first += int64(n)
	}
	return nil
}

// WriteBlocks writes len(p)/512 blocks from block first on.
func (m *MemoryFBA) WriteBlocks(first int64, p []byte) error {
	if err := m.checkBytes(first, len(p)); err != nil {
		return err
	}
	for len(p) > 0 {
		g, at, n := m.part(first, len(p)/BlockSize)
		if g.bytes == nil {
			m.materialize(g)
		}
		copy(g.bytes[at*BlockSize:], p[:n*BlockSize])
		p = p[n*BlockSize:]
		first += int64(n)
	}
	return nil
}

func (m *MemoryFBA) materialize(g *group) {
	g.bytes = make([]byte, GroupBlocks*BlockSize)
	if g.tags == nil {
		m.written++
		return
	}
	for i, t := range g.tags {
		t.Fill(g.bytes[i*BlockSize:(i+1)*BlockSize], 0)
	}
	g.tags = nil
}

// ReadTags fills tags with the content of len(tags) blocks from block first
// on, and reports false when any of them is not synthetic.
func (m *MemoryFBA) ReadTags(first int64, tags []machine.Tag) bool {
	if m.check(first, len(tags)) != nil {
		return false
	}
	for len(tags) > 0 {
		g, at, n := m.part(first, len(tags))
		switch {
		case g.bytes != nil:
			return false
		case g.tags != nil:
			copy(tags[:n], g.tags[at:])
		default:
			clear(tags[:n])
		}
		tags = tags[n:]
		first += int64(n)
	}
	return true
}

// WriteTags writes synthetic content to len(tags) blocks from block first on. A
// group into which bytes were written keeps bytes until all of it is written with
// tags.
func (m *MemoryFBA) WriteTags(first int64, tags []machine.Tag) error {
	if err := m.check(first, len(tags)); err != nil {
		return err
	}
	for len(tags) > 0 {
		g, at, n := m.part(first, len(tags))
		if g.bytes != nil && n == GroupBlocks {
			g.bytes, g.tags = nil, new([GroupBlocks]machine.Tag)
		}
		switch {
		case g.bytes != nil:
			for i, t := range tags[:n] {
				t.Fill(g.bytes[(at+i)*BlockSize:(at+i+1)*BlockSize], 0)
			}
		default:
			if g.tags == nil {
				m.written++
				g.tags = new([GroupBlocks]machine.Tag)
			}
			copy(g.tags[at:], tags[:n])
		}
		tags = tags[n:]
		first += int64(n)
	}
	return nil
}

// Flush does nothing.
func (m *MemoryFBA) Flush() error { return nil }

// Close does nothing.
func (m *MemoryFBA) Close() error { return nil }

// EqualBlocks reports whether blocks blocks from block first on have the same
// content on both media, whatever their forms. blocks is at most GroupBlocks.
func EqualBlocks(a, b FBA, first int64, blocks int) (bool, error) {
	if blocks < 0 || blocks > GroupBlocks {
		return false, fmt.Errorf("comparing %d blocks: want 0 to %d", blocks, GroupBlocks)
	}
	var ta, tb [GroupBlocks]machine.Tag
	if a.ReadTags(first, ta[:blocks]) && b.ReadTags(first, tb[:blocks]) {
		return ta == tb, nil
	}
	p := make([]byte, 2*blocks*BlockSize)
	q := p[blocks*BlockSize:]
	p = p[:blocks*BlockSize]
	if err := a.ReadBlocks(first, p); err != nil {
		return false, err
	}
	if err := b.ReadBlocks(first, q); err != nil {
		return false, err
	}
	return bytes.Equal(p, q), nil
}
