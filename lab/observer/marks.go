package observer

import (
	"slices"

	"github.com/iosrun/iosrun/abi"
)

// judge notes, after a change of a volume's track, the mirrors on which it differs
// now.
func (p *pair) judge(v *volume, track int) {
	p.touched[track] = true
	for _, m := range p.mirrors {
		if v == p.primary || v == m.volume {
			p.compare(m, track)
		}
	}
}

// compare notes whether a mirror's track differs from the primary's.
func (p *pair) compare(m *mirror, track int) {
	if same(p.primary.device, m.volume.device, track) {
		delete(m.differs, track)
		return
	}
	if !m.differs[track] {
		m.differs[track] = true
		m.suspects = append(m.suspects, track)
	}
}

// marked checks, at a moment when nothing is under way, that the tracks that differ
// are marked: those that differ since the last look, or all. While a mirror is
// synchronised its copies always count as under way.
func (o *Observer) marked(p *pair, all bool) {
	for _, m := range p.mirrors {
		if m.state == abi.MirrorSynchronising {
			continue
		}
		if all || len(m.suspects) == 0 && o.looks%sweepEvery == 0 {
			m.suspects = m.suspects[:0]
			for t := range m.differs {
				m.suspects = append(m.suspects, t)
			}
			slices.Sort(m.suspects)
		}
		for _, t := range m.suspects {
			if m.differs[t] && !o.claims.Marked(p.index, m.index, uint32(t)) {
				o.say(marks, "%s: %s differs from device %04X, its primary, on track %d (%s), and no I/O is under way: want a mark, found none",
					o.now(), p.name(m), p.primary.unit.DeviceNumber, t, p.where(at(t, 0)))
				delete(m.differs, t) // reported only once
			}
		}
		m.suspects = m.suspects[:0]
	}
}

// sweepEvery is the number of looks at quiet points after which all differing tracks
// are checked again, in case a mark has vanished.
const sweepEvery = 256
