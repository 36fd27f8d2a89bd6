package readcheck

import "github.com/iosrun/iosrun/emulator/machine"

// Pages of the table, and directories of pages, are made at the first write to them:
// a page of 16 blocks covers 64 KiB of the volume and takes 1152 bytes.
const (
	pageBlocks = 16
	pageCount  = 256
	dirBlocks  = pageBlocks * pageCount
)

// cell holds, for each unit of a block, the content of the last acknowledged write
// and the count at which it was acknowledged. They lie side by side because a write
// touches both.
type cell struct {
	units        Block
	acknowledged machine.Time
}

type page [pageBlocks]cell

// table holds the contents of all blocks.
type table struct {
	dirs   []*[pageCount]*page
	blocks int64
	empty  cell // cell of a block that nobody has written: zeros, or unlearned
}

func newTable(blocks int64, blank Content) table {
	t := table{dirs: make([]*[pageCount]*page, (blocks+dirBlocks-1)/dirBlocks), blocks: blocks}
	for i := range t.empty.units {
		t.empty.units[i] = blank
	}
	return t
}

// at returns the cell of a block. Blocks that nobody has written share one, which
// must not be changed.
func (t *table) at(block int64) *cell {
	if d := t.dirs[block/dirBlocks]; d != nil {
		if p := d[block/pageBlocks%pageCount]; p != nil {
			return &p[block%pageBlocks]
		}
	}
	return &t.empty
}

// make returns the cell of a block for a change.
func (t *table) make(block int64) *cell {
	d := t.dirs[block/dirBlocks]
	if d == nil {
		d = new([pageCount]*page)
		t.dirs[block/dirBlocks] = d
	}
	p := d[block/pageBlocks%pageCount]
	if p == nil {
		p = new(page)
		for i := range p {
			p[i] = t.empty
		}
		d[block/pageBlocks%pageCount] = p
	}
	return &p[block%pageBlocks]
}

// get returns the content of a unit.
func (t *table) get(unit int64) Content { return t.at(unit / UnitsABlock).units[unit%UnitsABlock] }

func (t *table) set(unit int64, v Content) { t.make(unit / UnitsABlock).units[unit%UnitsABlock] = v }

// load copies the contents of units from first on.
func (t *table) load(into []Content, first int64) {
	for len(into) > 0 {
		n := copy(into, t.at(first / UnitsABlock).units[first%UnitsABlock:])
		into, first = into[n:], first+int64(n)
	}
}

// each calls f for every block of the pages that exist, in order, until it fails.
func (t *table) each(f func(block int64, units *Block) error) error {
	for i, d := range t.dirs {
		if d == nil {
			continue
		}
		for j, p := range d {
			if p == nil {
				continue
			}
			first := int64(i)*dirBlocks + int64(j)*pageBlocks
			for k := range min(pageBlocks, t.blocks-first) {
				if err := f(first+k, &p[k].units); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
