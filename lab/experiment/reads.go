package experiment

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/readcheck"
	"github.com/iosrun/iosrun/lab/report"
)

// watched shows a run's volumes to the check of reads. It implements
// readcheck.Media and access.ProgramWitness.
type watched struct {
	r      *run
	layout access.Layout
}

// watch has every read and write of the access method checked.
func (r *run) watch(layout access.Layout) {
	r.watched = &watched{r: r, layout: layout}
	r.reads = readcheck.New(readcheck.Config{Block: r.block, Media: r.watched, Learn: r.config.images()})
	r.block.Witness = r.reads
}

// Read gives the contents of a block on the volume that its pair reads from now.
func (w *watched) Read(block int64, into *readcheck.Block) error {
	number, home, _ := w.r.block.Place(block)
	p := &w.r.storage.pairs[number]
	return w.read(p.volumeOf(p.Primary()), home, into)
}

// read gives the contents of a block of a volume.
func (w *watched) read(v *volume, home int64, into *readcheck.Block) error {
	at := w.layout.Locate(home)
	if v.ckd == nil {
		return w.readFBA(v.fba, at.Block, into)
	}
	t, err := v.ckd.Track(at.Track)
	if err != nil {
		return err
	}
	rec, found, err := t.Find(uint8(at.Record))
	switch {
	case err != nil:
		return err
	case !found || rec.Length() != access.BlockSize:
		*into = readcheck.Block{}
		for i := range into {
			into[i] = readcheck.Missing
		}
		return nil
	}
	if tags := t.DataTags(rec); tags != nil {
		for i, tag := range tags {
			into[i] = readcheck.OfTag(tag)
		}
		return nil
	}
	data := t.Data(rec)
	for i := range into {
		into[i] = readcheck.OfBytes(data[i*machine.UnitSize : (i+1)*machine.UnitSize])
	}
	return nil
}

func (w *watched) readFBA(m media.FBA, first int64, into *readcheck.Block) error {
	var tags [readcheck.UnitsABlock]machine.Tag
	if m.ReadTags(first, tags[:]) {
		for i, tag := range tags {
			into[i] = readcheck.OfTag(tag)
		}
		return nil
	}
	var data [access.BlockSize]byte
	if err := m.ReadBlocks(first, data[:]); err != nil {
		return err
	}
	for i := range into {
		into[i] = readcheck.OfBytes(data[i*machine.UnitSize : (i+1)*machine.UnitSize])
	}
	return nil
}

// Arriving reports whether a mirror I/O that was under way to the primary of a
// block, when that was a mirror, has not ended.
func (w *watched) Arriving(block int64) bool {
	number, _, _ := w.r.block.Place(block)
	for _, m := range w.r.storage.pairs[number].Mirrors() {
		if r, _ := m.Oldest(); m.State == abi.MirrorFailed && (r != nil || m.Waiting() != 0) {
			return true
		}
	}
	return false
}

// Where names the place of a block.
func (w *watched) Where(block int64) string {
	number, home, _ := w.r.block.Place(block)
	at := w.layout.Locate(home)
	place := fmt.Sprintf("pair %d, ", number+1)
	if w.r.storage.geometry.FBA() {
		return place + fmt.Sprintf("block %d", at.Block)
	}
	return place + fmt.Sprintf("track %d, record %d", at.Track, at.Record)
}

// ProgramStarted tells the check of a channel program that is run on a pair's
// volume.
func (w *watched) ProgramStarted(p *access.Program) {
	if i, ok := w.pairOf(p.Unit()); ok {
		g := w.r.storage.geometry
		l := &readcheck.Layout{
			Device: w.layout, Number: func(home int64) (int64, bool) { return w.r.block.Number(i, home) }, Blocks: w.layout.Blocks(),
		}
		if !g.FBA() {
			l.Heads, l.Records = g.Heads, w.r.recordsATrack()
		}
		w.r.reads.ProgramStarted(p, l)
	}
}

// ProgramEnded tells the check that the program has ended.
func (w *watched) ProgramEnded(p *access.Program) {
	if _, ok := w.pairOf(p.Unit()); ok {
		w.r.reads.ProgramEnded(p)
	}
}

// pairOf is the number of the pair, from 0, whose volume applications know by the
// unit, or whose primary the unit has become.
func (w *watched) pairOf(u *ios.UCB) (int, bool) {
	for i := range w.r.storage.pairs {
		if p := &w.r.storage.pairs[i]; p.primary.unit == u || p.Primary() == u {
			return i, true
		}
	}
	return 0, false
}

// readsCurrent: every read has returned what the last acknowledged write left, or
// what one that was under way wrote, and so do the volumes at the end.
func (r *run) readsCurrent() report.Check {
	t := r.reads.Tally()
	c := report.Check{Name: "reads current", OK: t.Wrong == 0}
	if c.OK && t.Units == 0 && t.Swept == 0 {
		return report.NothingToCheck(c.Name, "no read ended well, and nothing was written")
	}
	c.Detail = fmt.Sprintf("%d reads of %d units of 512 bytes held against %d writes, %d units at the end", t.Reads, t.Units, t.Writes, t.Swept)
	if t.Unjudged != 0 {
		c.Detail += fmt.Sprintf("; %d not judged, whose content was not known", t.Unjudged)
	}
	if t.Programs != 0 {
		c.Detail += fmt.Sprintf("; %d channel programs beside, what %d of them read was not judged", t.Programs, t.Unread)
	}
	if !c.OK {
		found := r.reads.Findings()
		if more := t.WrongIOs - uint64(len(found)); more != 0 {
			found = append(found[:len(found):len(found)], fmt.Sprintf("and %d more", more))
		}
		c.Detail = fmt.Sprintf("%d units are wrong: %s; %s", t.Wrong, strings.Join(found, "; "), c.Detail)
	}
	return c
}

// nothingLost: every acknowledged write is on a volume that its pair reads from.
func (r *run) nothingLost() report.Check {
	allowed, other := r.reads.Lost()
	c := report.Check{Name: "nothing lost", OK: other.Writes == 0}
	if r.reads.Tally().Acknowledged == 0 {
		return report.NothingToCheck(c.Name, "no write was acknowledged")
	}
	text := func(l readcheck.Loss) string {
		return fmt.Sprintf("%d acknowledged writes (%d bytes)", l.Writes, l.Bytes)
	}
	switch {
	case allowed.Writes == 0 && other.Writes == 0:
		c.Detail = "every acknowledged write is on a volume that its pair reads from"
	case allowed.Writes != 0:
		c.Detail = text(allowed) + " lost by a promotion that the policy allows"
	}
	if other.Writes != 0 {
		if c.Detail != "" {
			c.Detail += "; "
		}
		c.Detail += text(other) + " lost"
		if r.config.Expect.LostWrites {
			c.OK = true
			c.Detail += ", as the experiment expects"
		}
	}
	if allowed.Writes+other.Writes != 0 {
		c.Allowed = c.OK
		c.Detail += ": " + strings.Join(r.reads.LostFindings(), "; ")
	}
	if n := r.x.Counts().StaleRefused; n != 0 {
		c.Detail += fmt.Sprintf("; %d promotions of a mirror that lacks acknowledged writes were refused", n)
	}
	return c
}

// promoted tells the check of reads that a pair reads from another volume now.
func (r *run) promoted(p *intercept.Pair, stale bool) {
	if r.reads == nil {
		return // no workload
	}
	if err := r.reads.Promoted(int(p.ID)-1, stale); err != nil && r.err == nil {
		r.err = err
	}
}

// promotions is what the report says of promotions.
func (r *run) promotions() (all []report.Promotion) {
	for _, p := range r.x.Promotions() {
		all = append(all, report.Promotion{
			AtS: seconds(p.At), Mirror: r.config.mirrorName(int(p.Pair), p.Mirror), Tracks: int64(p.Tracks),
			LackedWrites: int64(p.Writes), LackedBytes: int64(p.Bytes), Refused: int64(p.Refused),
		})
	}
	return all
}

// lost is everything that was lost, allowed or not.
func (r *run) lost() readcheck.Loss {
	allowed, other := r.reads.Lost()
	return readcheck.Loss{Writes: allowed.Writes + other.Writes, Bytes: allowed.Bytes + other.Bytes}
}

// sweep looks at the volumes at the end of the run: at what they hold, and at what
// cannot be read any more.
func (r *run) sweep() error {
	if err := r.reads.Sweep(); err != nil {
		return err
	}
	for i := range r.storage.pairs {
		p := &r.storage.pairs[i]
		if p.volumeOf(p.Primary()).works() {
			continue
		}
		var legs []func(int64, *readcheck.Block) error
		for _, m := range p.Mirrors() {
			if v := p.volumeOf(m.Unit()); m.Follows() && v.works() {
				legs = append(legs, func(block int64, into *readcheck.Block) error {
					_, home, _ := r.block.Place(block)
					return r.watched.read(v, home, into)
				})
			}
		}
		if err := r.reads.Unreadable(i, legs); err != nil {
			return err
		}
	}
	return nil
}

// works reports whether the volume can be read now.
func (v *volume) works() bool {
	return v.device.Failure() == dasd.Healthy && !v.device.Subsystem().Failed() && !v.link.Down()
}
