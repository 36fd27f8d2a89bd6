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
	// latest is the latest request time of a write that a mirror has got, missing the
	// earliest acknowledgement of a write that a mirror has missed until its next
	// synchronisation.
	latest, missing machine.Time
	misses          bool
	copying         bool // mirrors are being synchronised
	broken          bool
}

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
// been a point in time of their primaries all along, except during
// synchronisations. It is true for a pair in no group.
func (p *Pair) PointInTime() bool {
	g := p.group
	if g == nil {
		return true
	}
	g.judge()
	return !g.broken
}

// got notes a write that a mirror has.
func (g *group) got(requested machine.Time) {
	if g != nil && !g.copying {
		g.latest = max(g.latest, requested)
	}
}

// missed notes a write that m will not get until it is synchronised. A former
// primary that has failed does not count: it is no part of the image that the
// other mirrors show.
func (g *group) missed(m *Mirror, acknowledged machine.Time) {
	if g == nil || g.copying || m.State == abi.MirrorFailed {
		return
	}
	if !g.misses || acknowledged < g.missing {
		g.missing = acknowledged
	}
	g.misses = true
}

func (g *group) judge() { g.broken = g.broken || g.misses && g.latest > g.missing }

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
	g.latest, g.missing, g.misses, g.copying = 0, 0, false, false
}
