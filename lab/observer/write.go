package observer

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
)

// write is a channel program of an application that has changed a primary's medium.
type write struct {
	id    uint32 // the low half of the I/O's identity
	pair  *pair
	spots []written
	bytes uint64 // number of bytes that its write commands have moved
	// lacking is, by volume, the number of spots for which no ended channel program
	// has brought the content of this write or of a later one. foreign is the number
	// of those for which no program made for this write has.
	lacking, foreign [maxVolumes]int32
	drive            uint32 // begun.drive
	own              bool   // made by the block access method
	done             bool   // told, or failed
	told             bool
	toldAt           machine.Time
	copied           uint16 // mask: volumes to which its tracks were copied
	lower, upper     uint16 // masks: mirrors for which it counts as at risk
}

// written is a spot of a write.
type written struct {
	spot   spot
	digest digest
	had    uint16 // mask: volumes that have it, or the content of a later write
	made   uint16 // mask: volumes that have it by a channel program made for this write
}

// version is the content that a write has given a spot.
type version struct {
	w *write
	i int // in w.spots
}

// arrival is the content of a spot that a volume got before the primary of that time
// did.
type arrival struct {
	volume    uint8
	id, drive uint32
	digest    digest
}

// executed notes the changes of the primary by an application's channel program.
func (o *Observer) executed(f *function) {
	p := f.volume.pair
	w := o.writes[f.id]
	if w == nil {
		w = &write{id: f.id, pair: p, own: f.driver == o.blockDriver, drive: f.drive}
		o.writes[f.id] = w
	}
	w.bytes = uint64(f.written)
	for _, c := range f.changes[f.fresh:] {
		w.put(c)
	}
}

// put notes the content that the write has given a spot as its newest version.
func (w *write) put(c change) {
	p := w.pair
	h := p.history[c.spot]
	for k := range h {
		if h[k].w != w {
			continue
		}
		s := &w.spots[h[k].i]
		if s.digest != c.digest { // another part of the program has written it again
			w.lose(s)
			s.digest = c.digest
		}
		p.history[c.spot] = append(append(h[:k:k], h[k+1:]...), h[k])
		p.settleEarly(c)
		return
	}
	w.spots = append(w.spots, written{spot: c.spot, digest: c.digest})
	for v := range p.volumes {
		w.lacking[v]++
		w.foreign[v]++
	}
	h = append(h, version{w, len(w.spots) - 1})
	p.history[c.spot] = h
	p.settleEarly(c)
}

// settleEarly notes the volumes that had the primary's newest version of a spot
// before the primary.
func (p *pair) settleEarly(c change) {
	h := p.history[c.spot]
	w := h[len(h)-1].w
	early := p.early[c.spot]
	left := early[:0]
	for _, a := range early {
		if a.digest != c.digest {
			left = append(left, a)
			continue
		}
		p.has(h, len(h)-1, a.volume, w.madeBy(a.id, a.drive))
	}
	if len(left) == 0 {
		delete(p.early, c.spot)
	} else {
		p.early[c.spot] = left
	}
}

// madeBy reports whether a mirror I/O was made for the last start of the write. A
// standing chain has an identity of its own, which does not show that when the write
// was started several times.
func (w *write) madeBy(id, drive uint32) bool {
	if id == w.id {
		return drive == 0 || drive == w.drive
	}
	return w.drive <= firstDrive
}

// redriven notes that a request is started again: I/Os made for its earlier start do
// not count as made for this one.
func (o *Observer) redriven(id, drive uint32) {
	w := o.writes[id]
	if w == nil {
		return
	}
	w.drive = drive
	for i := range w.spots {
		w.spots[i].made = 0
	}
	for v := range w.pair.volumes {
		w.foreign[v] = int32(len(w.spots))
	}
}

// lose notes that no volume has a spot of the write any more.
func (w *write) lose(s *written) {
	for v := range w.pair.volumes {
		if s.had&(1<<v) != 0 {
			w.lacking[v]++
		}
		if s.made&(1<<v) != 0 {
			w.foreign[v]++
		}
	}
	s.had, s.made = 0, 0
}

// has notes that a volume has version k of a spot, and with it every earlier one.
// made says that the channel program that brought it was made for that write.
func (p *pair) has(h []version, k int, volume uint8, made bool) {
	bit := uint16(1) << volume
	for _, v := range h[:k+1] {
		s := &v.w.spots[v.i]
		if s.had&bit == 0 {
			s.had |= bit
			v.w.lacking[volume]--
		}
	}
	if s := &h[k].w.spots[h[k].i]; made && s.made&bit == 0 {
		s.made |= bit
		h[k].w.foreign[volume]--
	}
}

// ended notes the content brought by a channel program that the channel has ended
// with good status.
func (o *Observer) ended(f *function) {
	v := f.volume
	if v == nil || v.pair == nil || len(f.changes) == 0 {
		return
	}
	p := v.pair
	copies := f.driver == o.copyDriver
	for _, c := range f.changes {
		h := p.history[c.spot]
		k, j := newest(h, c.digest, f.id), find(h, f.id)
		_, begun := o.begun[f.id]
		if !copies && (j < 0 || begun && h[j].w.spots[h[j].i].digest != c.digest) {
			// The primary does not have this content yet: it comes from a mirror I/O whose
			// request may be suspended before it writes the spot again, or from one that
			// was started when this volume was the primary. When the write before has left
			// the same content, the request's identity shows the difference, or the fact
			// that the volume had that content already. A standing chain's identity is no
			// request's: what it brings may be either.
			if k < 0 || begun || o.writes[f.id] == nil || h[k].w.spots[h[k].i].had&(1<<v.index) != 0 {
				p.noteEarly(c.spot, arrival{v.index, f.id, f.drive, c.digest})
			}
		}
		if k < 0 {
			continue
		}
		p.has(h, k, v.index, !copies && h[k].w.madeBy(f.id, f.drive))
		if j := find(h[:k+1], f.id); copies && j >= 0 { // the copy was made for this write
			p.has(h, j, v.index, true)
			h[j].w.copied |= 1 << v.index
		}
		for _, u := range h[:k+1] {
			o.arrived(u.w, v, copies)
		}
		p.prune(c.spot)
	}
}

// newest finds the version of the given content, that of the I/O id first.
func newest(h []version, d digest, id uint32) int {
	found := -1
	for k := len(h) - 1; k >= 0; k-- {
		if h[k].w.spots[h[k].i].digest != d {
			continue
		}
		if h[k].w.id == id {
			return k
		}
		if found < 0 {
			found = k
		}
	}
	return found
}

func find(h []version, id uint32) int {
	for k := range h {
		if h[k].w.id == id {
			return k
		}
	}
	return -1
}

// noteEarly keeps the newest arrival at a spot of a volume.
func (p *pair) noteEarly(s spot, n arrival) {
	early := p.early[s]
	for i := range early {
		if early[i].volume == n.volume {
			early[i] = n
			return
		}
	}
	p.early[s] = append(early, n)
}

// prune forgets the oldest versions, for as long as every volume has them and the
// application has been told. A newer one is kept as long as an older one, because
// the medium may have its content in place of the older one's.
func (p *pair) prune(s spot) {
	h := p.history[s]
	all := uint16(1)<<len(p.volumes) - 1
	n := 0
	for n < len(h) && h[n].w.done && h[n].w.spots[h[n].i].had == all {
		n++
	}
	switch n {
	case 0:
	case len(h):
		delete(p.history, s)
	default:
		p.history[s] = append(h[:0:0], h[n:]...)
	}
}

// holds checks whether a volume's medium now has, for each spot of the write, its
// content or that of a later write. A spot that a later write has changed on the
// primary may have any content as long as nobody has been told of that write.
func (o *Observer) holds(w *write, v *volume) (spot, bool) {
	p := w.pair
	primary := p.primary
	for i := range w.spots {
		s := &w.spots[i]
		d := o.read.digest(v.device, s.spot)
		if d == s.digest || v != primary && d == o.read.digest(primary.device, s.spot) {
			continue
		}
		h := p.history[s.spot]
		own, last := find(h, w.id), h[len(h)-1].w
		k := newest(h, d, 0)
		if k < own && (last == w || last.done) && !(k < 0 && o.ahead(v, s.spot, d)) {
			return s.spot, false
		}
	}
	return 0, true
}

// ahead reports whether a volume got the content of a spot from a request that the
// primary has not executed yet.
func (o *Observer) ahead(v *volume, s spot, d digest) bool {
	for _, a := range v.pair.early[s] {
		if a.volume == v.index && a.digest == d {
			return true
		}
	}
	for _, f := range o.functions {
		if f == nil || !f.active || f.volume != v {
			continue
		}
		if _, begun := o.begun[f.id]; !begun {
			continue
		}
		if k, ok := f.index[s]; ok && f.changes[k].digest == d {
			return true
		}
	}
	return false
}

// where returns the text of a spot's address.
func (p *pair) where(s spot) string {
	g := p.volumes[0].device.Geometry()
	switch {
	case g.FBA():
		return fmt.Sprintf("block %d", s.track()*groupBlocks+s.ordinal())
	case s.ordinal() == dasd.WholeTrack:
		return fmt.Sprintf("the end of the track at cylinder %d head %d", s.track()/g.Heads, s.track()%g.Heads)
	}
	return fmt.Sprintf("cylinder %d head %d record %d", s.track()/g.Heads, s.track()%g.Heads, s.ordinal())
}

// text returns a text with the identity of the write and its first spot.
func (w *write) text() string {
	t := fmt.Sprintf("I/O %d", w.id)
	if n := len(w.spots); n != 0 {
		t += " at " + w.pair.where(w.spots[0].spot)
		if n > 1 {
			t += fmt.Sprintf(" and %d more", n-1)
		}
	}
	return t
}
