package intercept

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
)

// group is a consistency group: pairs whose mirrors are to be a point in time of
// all primaries together (M4). A write that an application asked for after it
// had been told that an earlier one was done may depend on that one; so the
// mirrors are a point in time as long as none has a write that was requested
// after the acknowledgement of one that its own mirror lacks.
//
// While a mirror of the group is synchronised its tracks come in the order of
// their numbers, and the group is no point in time until all of its mirrors
// follow again. What was found before counts.
type group struct {
	id    uint32
	pairs []*Pair
	// latest is the latest request time of a write that a mirror has got, and
	// missing the earliest acknowledgement of one that a mirror has missed for good.
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

// Group is the pair's consistency group, 0 for none.
func (p *Pair) Group() uint32 {
	if p.group == nil {
		return 0
	}
	return p.group.id
}

// PointInTime reports whether the mirrors of the pair's consistency group have
// been a point in time of their primaries all along, synchronisations apart. It
// holds for a pair in no group.
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

// missed notes a write that m will not get until it is synchronised. What has
// been the primary belongs to no image of the others.
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

// synchronising says that the order in which a mirror gets its tracks means
// nothing from now on.
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
