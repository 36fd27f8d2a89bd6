package readcheck

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
)

// A channel program that is run as it is is understood as far as its CCWs show
// without being run: they show the records that it reads or writes whole behind a
// locate record that names the record. Of other programs the checker knows at most
// the tracks that they write to, from their define extent or seeks. The content of
// these tracks is then unknown until it is read once; the reads of such programs are
// not judged.

// Layout describes the place of a volume's blocks on its device.
type Layout struct {
	// Device is the layout of blocks on the device.
	Device access.Layout
	// Number returns the application's block that lies on block home of the volume,
	// and false when none does.
	Number func(home int64) (block int64, ok bool)
	// Heads is the number of tracks of a cylinder, and Records the number of records
	// of a track; 0 on fixed-block devices.
	Heads, Records int
	// Blocks is the number of the volume's blocks.
	Blocks int64
}

// program is a channel program that is under way.
type program struct {
	p *access.Program
	// records lists the records that are read or written whole.
	records []record
	// first and last bound further tracks that the program may write to, or blocks of
	// 512 bytes on fixed-block devices; there are none when last is less than first.
	first, last int64
	// doubtful holds the units that a write of the access method has reached
	// meanwhile.
	doubtful map[int64]bool
	layout   *Layout
}

// record is a record that a CCW reads or writes whole.
type record struct {
	block int64
	ccw   int
	track int64
	write bool
	exact bool // at the end its data area still has the data that was read or written
	then  Block
}

// ProgramStarted notes that a channel program is about to be run on a volume.
func (c *Checker) ProgramStarted(p *access.Program, l *Layout) {
	c.count++
	c.tally.Programs++
	g := &program{p: p, layout: l, first: 0, last: -1, doubtful: make(map[int64]bool)}
	if !g.understand() {
		c.tally.Unread++
	}
	c.programs = append(c.programs, g)
	for i := range g.records {
		r := &g.records[i]
		c.table.load(r.then[:], r.block*UnitsABlock)
	}
	for _, o := range c.programs[:len(c.programs)-1] { // it is unknown which comes last
		theirs := make(map[int64]bool)
		o.eachWritten(func(u int64) { theirs[u] = true })
		g.eachWritten(func(u int64) {
			if theirs[u] {
				o.doubtful[u], g.doubtful[u] = true, true
			}
		})
	}
	g.eachWritten(func(u int64) { c.table.set(u, unsure) })
	for n := c.writes.oldest; n <= c.writes.last; n++ {
		if e := c.writes.find(n); e.open != 0 {
			c.doubtPrograms(e)
		}
	}
}

// doubtPrograms notes that it is unknown whether a write or a program that is under
// way at the same time comes last.
func (c *Checker) doubtPrograms(e *write) {
	for _, g := range c.programs {
		g.eachWritten(func(u int64) {
			if e.rewrites(u) {
				g.doubtful[u] = true
				c.raced[u] = max(c.raced[u], e.number)
			}
		})
	}
}

// settleRaces marks the units of an acknowledged write as unknown for which a
// program may have come after it. A write that was submitted later comes after both.
func (c *Checker) settleRaces(number uint64, first, n int64) {
	for u := first; u < first+n; u++ {
		switch r, ok := c.raced[u]; {
		case ok && number < r:
			c.table.set(u, unsure)
		case ok && number == r:
			c.table.set(u, unsure)
			delete(c.raced, u)
		case ok:
			delete(c.raced, u)
		}
	}
}

// ProgramEnded judges the reads of a program, and learns the content that it has
// written.
func (c *Checker) ProgramEnded(p *access.Program) {
	c.count++
	for i, g := range c.programs {
		if g.p != p {
			continue
		}
		c.programs = append(c.programs[:i], c.programs[i+1:]...)
		for n := c.writes.oldest; n <= c.writes.last; n++ {
			if e := c.writes.find(n); e.open != 0 {
				g.eachWritten(func(u int64) {
					if e.rewrites(u) {
						g.doubtful[u] = true
						c.raced[u] = max(c.raced[u], e.number)
					}
				})
			}
		}
		g.eachWritten(func(u int64) {
			c.stirred[u] = c.count
			if !g.doubtful[u] && c.table.get(u) == unsure {
				c.table.set(u, unlearned)
			}
		})
		for i := range g.records {
			if r := &g.records[i]; r.exact && p.Code == arch.CompletionNormal {
				c.concludeRecord(g, r)
			}
		}
		return
	}
}

func (c *Checker) concludeRecord(g *program, r *record) {
	data := g.p.Data(r.ccw)
	if !r.write {
		c.tally.Reads++
		c.tally.Units += UnitsABlock
	}
	wrong, text := uint64(0), ""
	for i := range r.then {
		u := r.block*UnitsABlock + int64(i)
		v, last := OfBytes(data[i*machine.UnitSize:(i+1)*machine.UnitSize]), c.table.get(u)
		switch {
		case r.write && last == unlearned:
			c.table.set(u, v.alien())
		case r.write:
		case !last.known() || !r.then[i].known():
			c.tally.Unjudged++
			if last == unlearned && r.then[i] == unlearned {
				c.table.set(u, v.alien())
			}
		case same(last, v) || same(r.then[i], v) || v.number() > r.then[i].number() && c.writes.possible(u, v):
		default:
			if d, ok := c.loss.doubts[u]; ok && c.resolve(u, d, v) {
				continue
			}
			if wrong++; wrong == 1 {
				text = fmt.Sprintf("at %s, unit %d: %s; right was %s", c.media.Where(r.block), i, c.text(u, v), c.text(u, last))
			}
		}
	}
	if wrong != 0 {
		c.wrong(wrong, func() string { return fmt.Sprintf("channel program (I/O %d, CCW %d) read %s", g.p.ID(), r.ccw+1, text) })
	}
}

// eachWritten calls f for every unit that the program may write to.
func (g *program) eachWritten(f func(unit int64)) {
	block := func(home int64, ok bool) {
		if !ok {
			return
		}
		if b, ok := g.layout.Number(home); ok {
			for u := b * UnitsABlock; u < (b+1)*UnitsABlock; u++ {
				f(u)
			}
		}
	}
	for i := range g.records {
		if r := &g.records[i]; r.write {
			for u := r.block * UnitsABlock; u < (r.block+1)*UnitsABlock; u++ {
				f(u)
			}
		}
	}
	switch {
	case g.last < g.first:
	case g.last == wholeVolume:
		for home := range g.layout.Blocks {
			block(home, true)
		}
	case g.layout.Heads == 0:
		for at := g.first; at <= g.last; at++ {
			block(g.layout.Device.Find(access.Location{Block: at}))
		}
	default:
		for track := g.first; track <= g.last; track++ {
			for r := range g.layout.Records {
				block(g.layout.Device.Find(access.Location{Track: int(track), Record: r + 1}))
			}
		}
	}
}

// wholeVolume is the value of program.last for a program that may write anywhere.
const wholeVolume = 1 << 62

// understand finds the records that the program reads and writes, and reports
// whether all its reads of the volume's blocks are known.
func (g *program) understand() bool {
	p := g.p
	writes, attributed, modifies := false, true, false
	extent := [2]int64{0, -1} // the extent of define extent; a chain that is resumed may have another
	seeks := [2]int64{wholeVolume, -1}
	domain := struct {
		left, track, record int
		write               bool
	}{}
	for i := range p.Words() {
		w := p.Word(i)
		parameter := p.Data(i)
		if stores(w.Command) {
			modifies = modifies || p.Shares(i, -1)
			for j := range p.Words() {
				modifies = modifies || arch.IsControl(p.Word(j).Command) && p.Shares(i, j)
			}
		}
		switch {
		case w.Command == arch.CommandTransfer:
		case w.Command == arch.CommandDefineExtent && g.layout.Heads == 0 && len(parameter) >= arch.FBAExtentSize:
			first := int64(binary.BigEndian.Uint32(parameter[arch.FBAExtentPhysical:]))
			extent = union(extent, first, first+int64(binary.BigEndian.Uint32(parameter[arch.FBAExtentLast:])))
		case w.Command == arch.CommandDefineExtent && len(parameter) >= arch.DefineExtentSize:
			extent = union(extent, g.track(parameter[arch.DefineExtentFirst:]), g.track(parameter[arch.DefineExtentLast:]))
		case w.Command == arch.CommandPrefix && len(parameter) >= arch.PrefixExtent+arch.DefineExtentSize:
			extent = union(extent, g.track(parameter[arch.PrefixExtent+arch.DefineExtentFirst:]), g.track(parameter[arch.PrefixExtent+arch.DefineExtentLast:]))
		case (w.Command == arch.CommandSeek || w.Command == arch.CommandSeekCylinder || w.Command == arch.CommandSeekHead) && len(parameter) >= arch.SeekSize:
			t := g.track(parameter[arch.SeekAt:])
			seeks = [2]int64{min(seeks[0], t), max(seeks[1], t)}
		case w.Command == arch.CommandLocateRecord && g.layout.Heads != 0 && len(parameter) >= arch.LocateRecordSize:
			operation := parameter[arch.LocateRecordOperation] & arch.OperationMask
			domain.left = 0
			if operation == arch.OperationReadData || operation == arch.OperationWriteData {
				domain.left, domain.track, domain.record, domain.write = int(parameter[arch.LocateRecordCount]), int(g.track(parameter[arch.LocateRecordSearch:])), int(parameter[arch.LocateRecordRecord]), operation == arch.OperationWriteData
			}
		case domain.left > 0 && (domain.write && w.Command == arch.CommandWriteUpdateData || !domain.write && (w.Command == arch.CommandReadData|arch.Multitrack || w.Command == arch.CommandReadData)):
			home, ok := g.layout.Device.Find(access.Location{Track: domain.track, Record: domain.record})
			var block int64
			if ok {
				block, ok = g.layout.Number(home)
			}
			switch whole := ok && len(parameter) == access.BlockSize && w.Flags&^(arch.FlagCC|arch.FlagSLI) == 0; {
			case whole:
				g.records = append(g.records, record{block: block, ccw: i, track: int64(domain.track), write: domain.write, exact: g.untouched(i)})
			case domain.write:
				writes = true
			default:
				attributed = false
			}
			domain.left--
			domain.record++
		case arch.IsWrite(w.Command):
			writes = true
		case arch.IsRead(w.Command):
			attributed = false // a read that is not understood
		}
	}
	switch {
	case modifies:
		g.records, g.first, g.last = nil, 0, wholeVolume
		return false
	case !writes:
	case extent[1] >= extent[0]:
		g.first, g.last = extent[0], extent[1]
	case seeks[1] >= seeks[0]:
		g.first, g.last = seeks[0], seeks[1]
	default:
		g.first, g.last = 0, wholeVolume
	}
	for i := range g.records { // other writes of the program may go to the same record
		r := &g.records[i]
		r.exact = r.exact && (r.track < g.first || r.track > g.last)
		for j := range g.records {
			if o := &g.records[j]; o.write && o.block == r.block && (j > i || !r.write) {
				r.exact = false
			}
		}
	}
	return attributed
}

// union returns the smallest extent that contains the given one and first to last.
// An extent whose end comes before its beginning is empty.
func union(extent [2]int64, first, last int64) [2]int64 {
	if extent[1] < extent[0] {
		return [2]int64{first, last}
	}
	return [2]int64{min(extent[0], first), max(extent[1], last)}
}

// untouched reports whether the data area of CCW number i still has the data of the
// CCW at the end: no other CCW that reads shares it.
func (g *program) untouched(i int) bool {
	for j := range g.p.Words() {
		if j > i && stores(g.p.Word(j).Command) && g.p.Shares(i, j) {
			return false
		}
	}
	return true
}

// stores reports whether a command may store into main storage: it reads or senses.
func stores(command byte) bool {
	return command&3 == 2 || command&3 == 0 && command != arch.CommandTransfer
}

// track returns the number of the track with the address CCHH (cylinder and head) at
// p.
func (g *program) track(p []byte) int64 {
	cylinder, head := int64(binary.BigEndian.Uint16(p)), int64(binary.BigEndian.Uint16(p[2:]))
	if g.layout.Heads <= 15 { // the high bits of the cylinder are in front of those of the head
		cylinder, head = cylinder|head>>4<<16, head&0xF
	}
	return cylinder*int64(g.layout.Heads) + head
}
