package readcheck

import (
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Loss counts acknowledged writes that are lost: no volume that their pair now reads
// from has them. A write that was overwritten before does not count.
type Loss struct {
	Writes int64
	Bytes  int64
}

// loss holds the checker's data about lost writes.
type loss struct {
	doubts map[int64]doubt // by unit
	gone   map[int64]gone  // by unit
	// allowed holds the writes, by number, and the units that were lost by a promotion
	// that the policy allows, and other those lost otherwise.
	allowed, other lostWrites
	findings       []string
}

type lostWrites struct {
	numbers map[uint64]struct{}
	units   int64
}

func newLoss() loss {
	return loss{
		doubts: make(map[int64]doubt), gone: make(map[int64]gone),
		allowed: lostWrites{numbers: make(map[uint64]struct{})}, other: lostWrites{numbers: make(map[uint64]struct{})},
	}
}

// add counts a unit, and reports whether it is the first of its write.
func (l *lostWrites) add(v Content) (first bool) {
	_, known := l.numbers[v.number()]
	l.numbers[v.number()] = struct{}{}
	l.units++
	return !known
}

func (l *lostWrites) sum() Loss {
	return Loss{Writes: int64(len(l.numbers)), Bytes: l.units * machine.UnitSize}
}

// doubt is a unit whose acknowledged content was not on the volume that has become
// the primary when it did. The content may still be on its way there.
type doubt struct {
	acknowledged, holds Content
	allowed             bool
}

// Lost returns the losses by promotions that the policy in force allowed although
// the mirror lacked acknowledged writes, and all other losses. Writes still on their
// way to a new primary are not lost yet.
func (c *Checker) Lost() (allowed, other Loss) {
	return c.loss.allowed.sum(), c.loss.other.sum()
}

// LostFindings describes the first MaxFindings lost writes.
func (c *Checker) LostFindings() []string { return c.loss.findings }

// Promoted notes that the pair of a volume, numbered from 0, reads from another
// volume from now on, which Media must show already. allowed says that the policy
// allows this promotion to lose writes.
func (c *Checker) Promoted(volume int, allowed bool) error {
	c.count++
	for u := range c.seen { // the new primary need not have a write under way
		if on, _, _ := c.place(u / UnitsABlock); on == volume {
			delete(c.seen, u)
		}
	}
	var on Block
	return c.table.each(func(block int64, units *Block) error {
		if v, _, _ := c.place(block); v != volume {
			return nil
		}
		if err := c.media.Read(block, &on); err != nil {
			return err
		}
		for i, want := range units {
			u := block*UnitsABlock + int64(i)
			if !want.known() || same(want, on[i]) || on[i].number() > want.number() && c.writes.possible(u, on[i]) {
				continue
			}
			if d, ok := c.loss.doubts[u]; ok { // a doubt of an earlier promotion: it is settled now
				c.lose(u, d)
			}
			c.loss.doubts[u] = doubt{want, on[i], allowed}
		}
		return nil
	})
}

// resolve judges a read of a unit in doubt, and reports whether the doubt explains
// its content.
func (c *Checker) resolve(u int64, d doubt, v Content) bool {
	switch {
	case same(d.acknowledged, v): // read from the new primary, or from the old one before
		if c.arrived(u, d) {
			delete(c.loss.doubts, u)
		}
		return true
	case v == d.holds:
		if !c.media.Arriving(u / UnitsABlock) {
			c.lose(u, d)
		}
		return true
	}
	return false
}

// beforeOverwriting settles the units in doubt that a write is about to overwrite:
// afterwards nobody can see whether their content has arrived.
func (c *Checker) beforeOverwriting(t *access.Transfer) {
	first, n := t.Offset/machine.UnitSize, t.Length/machine.UnitSize
	for u := first; u < first+n; u++ {
		if d, ok := c.loss.doubts[u]; ok && c.arrived(u, d) {
			delete(c.loss.doubts, u)
		}
	}
}

// arrived reports whether the medium has the acknowledged content by now.
func (c *Checker) arrived(u int64, d doubt) bool {
	var on Block
	return c.media.Read(u/UnitsABlock, &on) == nil && same(d.acknowledged, on[u%UnitsABlock])
}

// overwritten counts the doubtful units of an acknowledged write as lost.
func (c *Checker) overwritten(first, n int64) {
	for u := first; u < first+n; u++ {
		if d, ok := c.loss.doubts[u]; ok {
			c.lose(u, d)
		}
	}
}

// settle decides every doubt, when nothing is on its way any more.
func (c *Checker) settle() {
	units := make([]int64, 0, len(c.loss.doubts))
	for u := range c.loss.doubts {
		units = append(units, u)
	}
	slices.Sort(units)
	for _, u := range units {
		d := c.loss.doubts[u]
		if c.arrived(u, d) {
			delete(c.loss.doubts, u)
		} else {
			c.lose(u, d)
		}
	}
}

// lose counts a unit as lost. From now on a read of it rightly returns the content
// of the new primary.
func (c *Checker) lose(u int64, d doubt) {
	delete(c.loss.doubts, u)
	if d.acknowledged.number() != 0 {
		to := &c.loss.other
		if d.allowed {
			to = &c.loss.allowed
		}
		if to.add(d.acknowledged) {
			c.tellLost(u, d.acknowledged, "the volume that was promoted held "+c.text(u, d.holds))
		}
	}
	if c.table.get(u) == d.acknowledged {
		c.table.set(u, d.holds)
		c.loss.gone[u] = gone{d.acknowledged, c.count}
	}
}

// gone holds the content that a unit had before it was lost.
type gone struct {
	content Content
	when    uint64
}

// goneSince reports whether v is the content that the unit had before it was lost,
// and the loss came after the count began. A read that began before may have got it
// from the old primary.
func (c *Checker) goneSince(u int64, v Content, began uint64) bool {
	g, ok := c.loss.gone[u]
	return ok && began <= g.when && same(g.content, v)
}

// broughtBack handles a unit that a write of parts of its block has read. If its
// content v has been lost since, the write stores it on the new primary now, or
// fails: from then on the content is unknown.
func (c *Checker) broughtBack(u int64, v Content) {
	if g, ok := c.loss.gone[u]; ok && same(g.content, v) && c.table.get(u) != g.content {
		c.table.set(u, unsure)
	}
}

func (c *Checker) tellLost(u int64, v Content, why string) {
	if len(c.loss.findings) < MaxFindings {
		c.loss.findings = append(c.loss.findings, fmt.Sprintf("%s, unit %d: %s is gone; %s", c.media.Where(u/UnitsABlock), u%UnitsABlock, c.text(u, v), why))
	}
}

// Unreadable notes that the pair of a volume, numbered from 0, cannot read from its
// primary at the end of the run. legs are functions that read blocks of the mirrors
// that it could still use: acknowledged content that none of them has is lost.
func (c *Checker) Unreadable(volume int, legs []func(block int64, into *Block) error) error {
	c.settle()
	on := make([]Block, len(legs))
	return c.table.each(func(block int64, units *Block) error {
		if v, _, _ := c.place(block); v != volume {
			return nil
		}
		for i, read := range legs {
			if err := read(block, &on[i]); err != nil {
				return err
			}
		}
		for i, want := range units {
			u := block*UnitsABlock + int64(i)
			held := !want.known() || want.number() == 0
			for k := range on {
				v := on[k][i]
				held = held || same(want, v) || v.number() > want.number() && c.writes.possible(u, v)
			}
			if !held && c.loss.other.add(want) {
				c.tellLost(u, want, "the primary cannot be read any more, and no mirror that follows it has the write")
			}
		}
		return nil
	})
}
