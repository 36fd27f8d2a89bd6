package intercept

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
)

// group is a consistency group: a set of pairs whose mirrors, taken together, must
// show a state that all primaries together have been in at one point in time (M4).
// A write that an application has requested after it was told that an earlier
// write was done may depend on that earlier write. So the mirrors are a point in
// time as long as no mirror has a write that was requested after the
// acknowledgement of a write that another mirror lacks.
//
// While a mirror of the group is synchronised, its tracks arrive in the order of
// their numbers, and the group is no point in time until all of its mirrors follow
// again. A violation that was found before that still counts.
type group struct {
	id    uint32
	pairs []*Pair
	// latest is the latest request time of a write that a mirror has got.
	latest  machine.Time
	strict  order // of the writes that waited for their mirrors
	lenient order // of those acknowledged in constant copy, which did not
	copying bool  // mirrors are being synchronised
}

// order keeps whether writes have come to the group's mirrors in the order of their
// dependence.
type order struct {
	missing machine.Time // earliest acknowledgement of a write that a mirror has missed for good
	misses  bool
	broken  bool // a mirror has got a write that may depend on one that another has missed
}

// missed notes a write that a mirror has missed, acknowledged at that time.
func (o *order) missed(acknowledged machine.Time) {
	if !o.misses || acknowledged < o.missing {
		o.missing = acknowledged
	}
	o.misses = true
}

// judge looks whether the latest request that a mirror has got came after a write that
// is missing was acknowledged.
func (o *order) judge(latest machine.Time) { o.broken = o.broken || o.misses && latest > o.missing }

// begin begins anew; what was found before counts.
func (o *order) begin() { o.missing, o.misses = 0, false }

// JoinGroup makes the pair one of consistency group id, which is not 0.
func (x *Process) JoinGroup(p *Pair, id uint32) error {
	if id == 0 || p.group != nil {
		return fmt.Errorf("pair %d: consistency group %d: want a group from 1 on, for a pair that is in none", p.ID, id)
	}
	for _, g := range x.groups {
		if g.id == id {
			p.group = g
		}
	}
	if p.group == nil {
		p.group = &group{id: id}
		x.groups = append(x.groups, p.group)
	}
	p.group.pairs = append(p.group.pairs, p)
	return nil
}

// Group returns the number of the pair's consistency group, 0 for none.
func (p *Pair) Group() uint32 {
	if p.group == nil {
		return 0
	}
	return p.group.id
}

// PointInTime reports whether the mirrors of the pair's consistency group have
// been a point in time of their primaries all along, synchronisations apart. It
// holds for a pair in no group. Lenient says the same of the writes alone that were
// acknowledged in constant copy: those that follow from a chain that suspends itself
// wait for no mirror, so that a policy cannot keep them in order.
func (p *Pair) PointInTime() (strict, lenient bool) {
	g := p.group
	if g == nil {
		return true, true
	}
	g.judge()
	return !g.strict.broken, !g.lenient.broken
}

// got notes a write that a mirror has.
func (g *group) got(requested machine.Time) {
	if g != nil && !g.copying {
		g.latest = max(g.latest, requested)
	}
}

// missed notes a write that m will not get until it is synchronised, acknowledged at
// that time; leave says that it was in constant copy. What has been the primary belongs
// to no image of the others.
func (g *group) missed(m *Mirror, acknowledged machine.Time, leave bool) {
	switch {
	case g == nil || g.copying || m.State == abi.MirrorFailed:
	case leave:
		g.lenient.missed(acknowledged)
	default:
		g.strict.missed(acknowledged)
	}
}

func (g *group) judge() {
	g.strict.judge(g.latest)
	g.lenient.judge(g.latest)
}

// synchronising says that from now on the order in which a mirror gets its tracks
// has no meaning.
func (g *group) synchronising() {
	if g != nil {
		g.judge()
		g.copying = true
	}
}

// synchronised says that a synchronisation has ended. With the last one the
// group begins anew.
func (g *group) synchronised() {
	if g == nil {
		return
	}
	for _, p := range g.pairs {
		for _, m := range p.mirrors {
			if m.State != abi.MirrorInSync {
				return
			}
		}
	}
	g.latest, g.copying = 0, false
	g.strict.begin()
	g.lenient.begin()
}
