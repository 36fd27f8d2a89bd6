package readcheck

import "github.com/iosrun/iosrun/emulator/machine"

// Pages of the table, and directories of pages, are made where something is
// written: 16 blocks are 64 KiB of the volume and take 1152 bytes.
const (
	pageBlocks = 16
	pageCount  = 256
	dirBlocks  = pageBlocks * pageCount
)

// cell is what the last acknowledged write has left in each unit of a block, and
// when that was acknowledged. They lie side by side because a write touches both.
type cell struct {
	units        Block
	acknowledged machine.Time
}

type page [pageBlocks]cell

// table is the contents of all blocks.
type table struct {
	dirs   []*[pageCount]*page
	blocks int64
	empty  cell // of a block that nobody has written: of zeros, or unlearned
}

func newTable(blocks int64, blank Content) table {
	t := table{dirs: make([]*[pageCount]*page, (blocks+dirBlocks-1)/dirBlocks), blocks: blocks}
	for i := range t.empty.units {
		t.empty.units[i] = blank
	}
	return t
}

// at is the cell of a block: of those that nobody has written, a common one, which
// must not be changed.
func (t *table) at(block int64) *cell {
	if d := t.dirs[block/dirBlocks]; d != nil {
		if p := d[block/pageBlocks%pageCount]; p != nil {
			return &p[block%pageBlocks]
		}
	}
	return &t.empty
}

// make is the cell of a block, to be changed.
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

// get is the content of a unit.
func (t *table) get(unit int64) Content { return t.at(unit / UnitsABlock).units[unit%UnitsABlock] }

func (t *table) set(unit int64, v Content) { t.make(unit / UnitsABlock).units[unit%UnitsABlock] = v }

// load copies the contents of units from first on.
func (t *table) load(into []Content, first int64) {
	for len(into) > 0 {
		n := copy(into, t.at(first / UnitsABlock).units[first%UnitsABlock:])
		into, first = into[n:], first+int64(n)
	}
}

// each calls f for every block of a page that there is, in order, until it fails.
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
