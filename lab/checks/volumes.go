package checks

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/readcheck"
	"github.com/iosrun/iosrun/lab/rig"
)

// volumes shows a run's volumes to the check of reads. It implements
// readcheck.Media and access.ProgramWitness.
type volumes struct {
	rig    *rig.Rig
	block  *access.Block
	layout access.Layout
	reads  *readcheck.Checker
}

// Read returns the contents of a block on the volume that its pair reads from now.
func (w *volumes) Read(block int64, into *readcheck.Block) error {
	number, home, _ := w.block.Place(block)
	p := &w.rig.Pairs[number]
	return w.read(p.VolumeOf(p.Primary()), home, into)
}

// read returns the contents of a block of a volume.
func (w *volumes) read(v *rig.Volume, home int64, into *readcheck.Block) error {
	at := w.layout.Locate(home)
	if v.CKD == nil {
		return w.readFBA(v.FBA, at.Block, into)
	}
	t, err := v.CKD.Track(at.Track)
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

func (w *volumes) readFBA(m media.FBA, first int64, into *readcheck.Block) error {
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

// Arriving reports whether a mirror I/O to the present primary of a block, started
// when that was a mirror, is still under way.
func (w *volumes) Arriving(block int64) bool {
	number, _, _ := w.block.Place(block)
	for _, m := range w.rig.Pairs[number].Mirrors() {
		if r, _ := m.Oldest(); m.State == abi.MirrorFailed && (r != nil || m.Waiting() != 0) {
			return true
		}
	}
	return false
}

// Where names the place of a block.
func (w *volumes) Where(block int64) string {
	number, home, _ := w.block.Place(block)
	at := w.layout.Locate(home)
	place := fmt.Sprintf("pair %d, ", number+1)
	if w.rig.Geometry.FBA() {
		return place + fmt.Sprintf("block %d", at.Block)
	}
	return place + fmt.Sprintf("track %d, record %d", at.Track, at.Record)
}

// ProgramStarted tells the check of a channel program that is run on a pair's
// volume.
func (w *volumes) ProgramStarted(p *access.Program) {
	if i, ok := w.pairOf(p.Unit()); ok {
		g := w.rig.Geometry
		l := &readcheck.Layout{
			Device: w.layout, Number: func(home int64) (int64, bool) { return w.block.Number(i, home) }, Blocks: w.layout.Blocks(),
		}
		if !g.FBA() {
			l.Heads, l.Records = g.Heads, w.rig.RecordsATrack()
		}
		w.reads.ProgramStarted(p, l)
	}
}

// ProgramEnded tells the check that the program has ended.
func (w *volumes) ProgramEnded(p *access.Program) {
	if _, ok := w.pairOf(p.Unit()); ok {
		w.reads.ProgramEnded(p)
	}
}

// pairOf returns the number of the pair, from 0, whose volume applications know by
// the unit, or whose primary the unit has become.
func (w *volumes) pairOf(u *ios.UCB) (int, bool) {
	for i := range w.rig.Pairs {
		if p := &w.rig.Pairs[i]; p.At(0).Unit == u || p.Primary() == u {
			return i, true
		}
	}
	return 0, false
}
