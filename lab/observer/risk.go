package observer

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Figures counts the data at risk on a mirror: writes whose completion an
// application was told of and that the mirror lacks. IOs and Bytes are the present
// numbers, the others the maxima of the run.
type Figures struct {
	IOs, MaxIOs     uint64
	Bytes, MaxBytes uint64
	MaxAge          machine.Time
}

// tally counts the writes at risk on a mirror. There are two. The lower one follows
// the media: a write is at risk from the moment at which the application is told
// until each of its records, or that of a later write, is on the mirror, by a
// channel program that has ended well. The account's figures must not be below it.
// The upper one ends the risk of a write only with an I/O made for that very write:
// its own mirror I/O, a copy of its tracks at the quiet point by which the host
// knows of it, or the end of a synchronisation. The account's figures must not be
// above it. The two differ only for copies, for writes that a later one has covered
// or that were started again, for mirror I/Os that a synchronisation has overtaken,
// and for channel programs of an application's own, whose mirror chains the account
// does not always trust: in the upper one the risk of these ends only with a
// synchronisation.
type tally struct {
	Figures
	blurred      bool // more writes may be at risk than can be seen
	blurredBytes bool // or more bytes
}

func (t *tally) add(bytes uint64) {
	t.IOs++
	t.Bytes += bytes
	t.MaxIOs = max(t.MaxIOs, t.IOs)
	t.MaxBytes = max(t.MaxBytes, t.Bytes)
}

func (t *tally) remove(bytes uint64, age machine.Time) {
	t.IOs--
	t.Bytes -= bytes
	t.MaxAge = max(t.MaxAge, age)
}

// blur notes that the account may count more than can be seen here: for a chain of
// an application's own that could have written and has not, or whose counts are
// larger than the number of bytes that it has moved.
func (p *pair) blur(bytes bool) {
	for _, m := range p.mirrors {
		m.upper.blurred = m.upper.blurred || !bytes
		m.upper.blurredBytes = true
	}
}

// tell counts a write whose application has been told, on the mirrors on which it is
// at risk.
func (o *Observer) tell(p *pair, w *write) {
	if !w.own {
		p.blur(true)
	}
	for _, m := range p.mirrors {
		bit, v := uint16(1)<<m.index, m.volume.index
		former := w.lacking[v] != 0 && w.onFormer(o, m.volume)
		if w.lacking[v] != 0 && !former {
			w.lower |= bit
			m.lower.add(w.bytes)
		}
		copied := w.own && w.foreign[v] == 0 && w.copied&(1<<v) != 0
		if w.foreign[v] != 0 || !w.own || copied || former {
			w.upper |= bit
			m.upper.add(w.bytes)
		}
		if copied {
			m.pending = append(m.pending, w)
		}
	}
	if w.lower|w.upper != 0 {
		p.open = append(p.open, w)
	}
}

// onFormer reports whether the medium of a former primary has a write that was
// started again. The volume was the primary when the write was started there, but no
// longer when it was executed, so that its end was not counted.
func (w *write) onFormer(o *Observer, v *volume) bool {
	if w.drive <= firstDrive {
		return false
	}
	for i := range w.spots {
		if s := &w.spots[i]; s.had&(1<<v.index) == 0 && o.read.digest(v.device, s.spot) != s.digest {
			return false
		}
	}
	return true
}

// arrived notes that a volume may have the whole of a write now.
func (o *Observer) arrived(w *write, v *volume, copied bool) {
	if w.lower|w.upper == 0 {
		return
	}
	p := w.pair
	now := o.m.Now()
	for _, m := range p.mirrors {
		bit := uint16(1) << m.index
		if m.volume != v {
			continue
		}
		if w.lower&bit != 0 && w.lacking[v.index] == 0 {
			w.lower &^= bit
			m.lower.remove(w.bytes, now-w.toldAt)
		}
		if w.upper&bit == 0 || w.foreign[v.index] != 0 || !w.own {
			continue
		}
		if copied {
			m.pending = append(m.pending, w)
			continue
		}
		w.upper &^= bit
		m.upper.remove(w.bytes, now-w.toldAt)
	}
	p.close(w)
}

// close counts a write that is no longer at risk on any mirror.
func (p *pair) close(w *write) {
	if w.lower|w.upper != 0 {
		return
	}
	if p.closed++; p.closed < 1024 || p.closed < len(p.open)/2 {
		return
	}
	p.compact()
}

// compact forgets the writes that are no longer at risk on any mirror.
func (p *pair) compact() {
	left := p.open[:0]
	for _, w := range p.open {
		if w.lower|w.upper != 0 {
			left = append(left, w)
		}
	}
	clear(p.open[len(left):])
	p.open, p.closed = left, 0
}

// latest returns the latest time that any processor has reached.
func (o *Observer) latest() machine.Time {
	t := o.m.Clock.Now()
	for i := range o.m.Processors {
		t = max(t, o.m.Processors[i].Now())
	}
	return t
}

// known ends the risk of writes that have been copied, because the host knows by now
// that they have been. Writes that a synchronisation copies are at risk until its
// end.
func (o *Observer) known(p *pair) {
	for _, m := range p.mirrors {
		if len(m.pending) == 0 || m.state == abi.MirrorSynchronising {
			continue
		}
		bit := uint16(1) << m.index
		for _, w := range m.pending {
			if w.upper&bit != 0 {
				w.upper &^= bit
				m.upper.remove(w.bytes, o.latest()-w.toldAt)
				p.close(w)
			}
		}
		clear(m.pending)
		m.pending = m.pending[:0]
	}
}

// brought ends the risk of the writes that a synchronisation of the mirror has
// copied, after its end. Mirror I/Os that are still under way bring other writes;
// the account may wait for them even if the writes were copied. Writes that the
// primary itself lacks since a promotion are lost, and no longer at risk.
func (o *Observer) brought(p *pair, m *mirror) {
	waits := m.volume.unit.Length() != o.standing(m.volume)
	for _, w := range p.open {
		if !waits && w.lower&(1<<m.index) != 0 && w.lacking[m.volume.index] != 0 {
			o.medium(w, m.volume)
		}
	}
	for _, w := range o.writes {
		if !waits && w.pair == p {
			o.medium(w, m.volume)
		}
	}
	o.end(p, m, func(w *write) bool {
		return w.lacking[m.volume.index] == 0 && !waits || w.lacking[p.primary.index] != 0
	})
}

// medium notes the spots of a write that a volume has, by the content of its medium.
// A copy writes the records of a track that may have been formatted in between; then
// no channel program has brought the end of the track, although it is right.
func (o *Observer) medium(w *write, v *volume) {
	for i := range w.spots {
		s := &w.spots[i]
		if s.had&(1<<v.index) != 0 {
			continue
		}
		h := w.pair.history[s.spot]
		if k := newest(h, o.read.digest(v.device, s.spot), w.id); k >= find(h, w.id) {
			w.pair.has(h, k, v.index, false)
		}
	}
}

// settled ends, in the lower tally, the risk of writes that a mirror in sync has on
// its medium, at a moment when nothing is under way. They have been safe for an
// unknown time.
func (o *Observer) settled(p *pair, m *mirror) {
	bit := uint16(1) << m.index
	if m.state != abi.MirrorInSync || m.lower.IOs == 0 {
		return
	}
	for _, w := range p.open {
		if w.lower&bit == 0 {
			continue
		}
		if o.medium(w, m.volume); w.lacking[m.volume.index] == 0 {
			w.lower &^= bit
			m.lower.remove(w.bytes, 0)
		}
	}
}

// safe ends every risk on a mirror.
func (o *Observer) safe(p *pair, m *mirror) {
	o.end(p, m, func(*write) bool { return true })
}

// end ends the risk of writes on a mirror.
func (o *Observer) end(p *pair, m *mirror, of func(*write) bool) {
	bit := uint16(1) << m.index
	for _, w := range p.open {
		if !of(w) {
			continue
		}
		if w.lower&bit != 0 {
			w.lower &^= bit
			m.lower.remove(w.bytes, o.m.Clock.Now()-w.toldAt)
		}
		if w.upper&bit != 0 {
			w.upper &^= bit
			m.upper.remove(w.bytes, o.latest()-w.toldAt)
		}
	}
	clear(m.pending)
	m.pending = m.pending[:0]
	p.compact()
}

// bounds returns the figures of a mirror by both tallies, with the age of the data
// at risk at the time now.
func (o *Observer) bounds(p *pair, m *mirror, now machine.Time) (lower, upper Figures) {
	lower, upper = m.lower.Figures, m.upper.Figures
	bit := uint16(1) << m.index
	for _, w := range p.open {
		if w.lower&bit != 0 {
			lower.MaxAge = max(lower.MaxAge, now-w.toldAt)
		}
		if w.upper&bit != 0 {
			upper.MaxAge = max(upper.MaxAge, now-w.toldAt)
		}
	}
	return lower, upper
}

// atRisk compares the account's present figures with the bounds, at a moment when
// nothing is under way.
func (o *Observer) atRisk(p *pair) {
	for _, m := range p.mirrors {
		o.settled(p, m)
		claimed := o.claims.Risk(p.index, m.index, o.m.Clock.Now())
		if !between(m.lower.IOs, claimed.IOs, m.upper.IOs, m.upper.blurred) {
			o.say(risks, "%s: %s lacks %s, of which applications were told; the account says %d%s", o.now(), p.name(m), rangeOf(m.lower.IOs, m.upper.IOs, "writes"), claimed.IOs, o.example(p, m))
		}
		if !between(m.lower.Bytes, claimed.Bytes, m.upper.Bytes, m.upper.blurredBytes) {
			o.say(risks, "%s: %s lacks %s of which applications were told; the account says %d%s", o.now(), p.name(m), rangeOf(m.lower.Bytes, m.upper.Bytes, "bytes"), claimed.Bytes, o.example(p, m))
		}
	}
}
