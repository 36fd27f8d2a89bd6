package experiment

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/report"
)

// checks holds the finished run against what must hold.
func (r *run) checks() ([]report.Check, error) {
	completed := r.completedOnce()
	durable := r.durable()
	equal, err := r.equal()
	if err != nil {
		return nil, err
	}
	if err := r.sweep(); err != nil {
		return nil, err
	}
	all := []report.Check{completed, durable, equal, r.readsCurrent(), r.nothingLost(), r.nothingPending(), r.inCharge()}
	if !r.ungrouped {
		all = append(all, r.pointInTime())
	}
	return all, nil
}

// pointInTime: no mirror of the consistency group got a write that may depend on
// one that another has missed.
func (r *run) pointInTime() report.Check {
	const name = "point in time"
	if r.x.Counts().Acknowledged == 0 {
		return report.NothingToCheck(name, "no write was acknowledged")
	}
	c := report.Check{Name: name, OK: r.storage.pairs[0].PointInTime()}
	c.Detail = "no mirror of the group has a later write than one that is missing"
	if !c.OK {
		c.Detail = "a mirror of the group has a write that was requested after another one, which is missing, had been acknowledged"
	}
	return c
}

// completedOnce: each I/O completed exactly once.
func (r *run) completedOnce() report.Check {
	c := report.Check{Name: "completed once"}
	if r.issued == 0 {
		return report.NothingToCheck(c.Name, "no request was made")
	}
	b := r.block.Counts()
	d := b.Duplicates + r.ios.Counts().Duplicates + r.duplicates
	c.OK = b.Submitted == b.Completed && d == 0 && b.Submitted == uint64(r.issued)
	c.Detail = fmt.Sprintf("%d of %d requests completed, %d twice", b.Completed, r.issued, d)
	return c
}

// durable: no completion earlier than the policy's declared durability allows.
func (r *run) durable() report.Check {
	const name = "durability"
	n := r.x.Counts()
	switch n.Acknowledged {
	case 0:
		return report.NothingToCheck(name, "no write was acknowledged")
	case n.Alone:
		return report.NothingToCheck(name, "no mirror was in sync when a write was acknowledged: the primary alone has them")
	}
	c := report.Check{Name: name, OK: n.Violations == 0}
	c.Detail = fmt.Sprintf("%d completions earlier than the policy declares", n.Violations)
	if n.Degraded != 0 {
		c.Detail += fmt.Sprintf(", %d in constant copy by its leave", n.Degraded)
	}
	if n.Alone != 0 {
		c.Detail += fmt.Sprintf(", %d while no mirror was in sync", n.Alone)
	}
	return c
}

// equal: primary and each mirror are the same block by block, but for what the
// account has marked.
func (r *run) equal() (report.Check, error) {
	c := report.Check{Name: "mirrors equal", OK: true}
	var found []string
	compared := false
	err := r.eachMirror(func(p *pair, m *intercept.Mirror, name string) error {
		differ, unmarked, err := r.compare(p, m)
		c.OK = c.OK && unmarked == 0
		marked, tracks := m.OutOfSync(), int(m.Pair().Geometry().Tracks)
		compared = compared || marked < tracks
		text := fmt.Sprintf("%d tracks differ, all among the %d marked", differ, marked)
		switch {
		case unmarked != 0:
			text = fmt.Sprintf("%d tracks differ, %d of them unmarked", differ, unmarked)
		case marked == 0:
			text = "the same on every track"
		case marked == tracks:
			text = fmt.Sprintf("every track is marked; %d differ", differ)
		}
		if r.config.pairs() > 1 || len(p.mirrors) > 1 {
			text = name + ": " + text
		}
		found = append(found, text)
		return err
	})
	c.Detail = strings.Join(found, "; ")
	if !compared && c.OK {
		c = report.NothingToCheck(c.Name, c.Detail)
	}
	return c, err
}

// eachMirror calls f for every mirror of every pair, with what messages call it,
// until f fails.
func (r *run) eachMirror(f func(p *pair, m *intercept.Mirror, name string) error) error {
	for i := range r.storage.pairs {
		p := &r.storage.pairs[i]
		for j, m := range p.Mirrors() {
			if err := f(p, m, r.config.mirrorName(i+1, j+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mirrorName is what messages call a mirror, pair and mirror numbered from 1.
func (c *Config) mirrorName(pair, mirror int) string {
	if c.pairs() == 1 {
		return fmt.Sprintf("mirror %d", mirror)
	}
	return fmt.Sprintf("pair %d, mirror %d", pair, mirror)
}

// nothingPending: no request, mirror I/O or unit of work is left.
func (r *run) nothingPending() report.Check {
	c := report.Check{Name: "nothing pending"}
	queued := 0
	for _, u := range r.ios.Units() {
		queued += u.Length()
	}
	left := r.x.Pending()
	c.OK = queued == 0 && left == 0 && r.m.Dispatcher.Length() == 0 && r.m.Clock.Next() == machine.Never
	c.Detail = fmt.Sprintf("%d requests on units, %d with the intercept process, %d units of work, %d events", queued, left, r.m.Dispatcher.Length(), r.m.Clock.Pending())
	return c
}
