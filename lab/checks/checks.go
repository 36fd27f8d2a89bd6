package checks

import (
	"fmt"
	"strings"
	"time"

	"github.com/iosrun/iosrun/lab/report"
)

// A check compares observations of a run with a property that must hold. It fills in
// the result of a report.Check that already has the name.
type check struct {
	name string
	hold func(s *Seen, c *report.Check)
	// applies, if not nil, reports whether the check is made at all.
	applies func(s *Seen) bool
}

// ofMachine lists the checks of any I/O on a rig, in the order of reports.
var ofMachine = []check{
	{name: "completed once", hold: completedOnce},
	{name: "durability", hold: durable},
	{name: "mirrors equal", hold: equal},
	{name: "reads current", hold: readsCurrent},
	{name: "nothing lost", hold: nothingLost},
	{name: "nothing pending", hold: nothingPending},
	{name: "detours in charge", hold: inCharge},
	{name: "point in time", hold: pointInTime, applies: func(s *Seen) bool { return s.PointInTime != nil }},
}

// ofWorkload lists the further checks of a run that plays a workload.
var ofWorkload = []check{
	{name: "no request failed", hold: noneFailed},
	{name: "all events happened", hold: allHappened, applies: func(s *Seen) bool { return s.Faults+s.Swaps != 0 }},
	{name: "synchronised", hold: allSynchronised, applies: func(s *Seen) bool { return len(s.Copies) != 0 }},
	{name: "no detour at fault", hold: withoutFault, applies: func(s *Seen) bool { return s.Strict }},
}

// OfMachine makes the checks of any I/O on a rig.
func (s *Seen) OfMachine() []report.Check { return s.made(ofMachine) }

// OfWorkload makes the further checks of a run that plays a workload.
func (s *Seen) OfWorkload() []report.Check { return s.made(ofWorkload) }

func (s *Seen) made(table []check) (all []report.Check) {
	for _, k := range table {
		if k.applies == nil || k.applies(s) {
			c := report.Check{Name: k.name}
			k.hold(s, &c)
			all = append(all, c)
		}
	}
	return all
}

// nothing fills in that a check had nothing to look at.
func nothing(c *report.Check, why string) { *c = report.NothingToCheck(c.Name, why) }

// completedOnce checks that each I/O completed exactly once.
func completedOnce(s *Seen, c *report.Check) {
	if s.Tally.Issued == 0 {
		nothing(c, "no request was made")
		return
	}
	b := &s.Block
	c.OK = b.Submitted == b.Completed && s.Duplicates == 0 && b.Submitted == uint64(s.Tally.Issued)
	c.Detail = fmt.Sprintf("%d of %d requests completed, %d twice", b.Completed, s.Tally.Issued, s.Duplicates)
}

// durable checks that no completion came earlier than the policy's declared
// durability allows.
func durable(s *Seen, c *report.Check) {
	n := &s.Intercept
	switch n.Acknowledged {
	case 0:
		nothing(c, "no write was acknowledged")
		return
	case n.Alone:
		nothing(c, "no mirror was in sync when a write was acknowledged: the primary alone has them")
		return
	}
	c.OK = n.Violations == 0
	c.Detail = fmt.Sprintf("%d completions earlier than the policy declares", n.Violations)
	if n.Degraded != 0 {
		c.Detail += fmt.Sprintf(", %d in constant copy by its leave", n.Degraded)
	}
	if n.Alone != 0 {
		c.Detail += fmt.Sprintf(", %d while no mirror was in sync", n.Alone)
	}
}

// equal checks that primary and mirrors are the same block by block, except for the
// tracks that the account has marked.
func equal(s *Seen, c *report.Check) {
	var found []string
	compared := false
	c.OK = true
	for _, m := range s.Mirrors {
		c.OK = c.OK && m.Unmarked == 0
		compared = compared || m.Marked < m.Tracks
		text := fmt.Sprintf("%d tracks differ, all among the %d marked", m.Differ, m.Marked)
		switch {
		case m.Unmarked != 0:
			text = fmt.Sprintf("%d tracks differ, %d of them unmarked", m.Differ, m.Unmarked)
		case m.Marked == 0:
			text = "the same on every track"
		case m.Marked == m.Tracks:
			text = fmt.Sprintf("every track is marked; %d differ", m.Differ)
		}
		if len(s.Mirrors) > 1 {
			text = m.Name + ": " + text
		}
		found = append(found, text)
	}
	c.Detail = strings.Join(found, "; ")
	if !compared && c.OK {
		nothing(c, c.Detail)
	}
}

// nothingPending checks that no request, mirror I/O or unit of work is left, and
// that each changed its state only as the tables of states allow.
func nothingPending(s *Seen, c *report.Check) {
	l := &s.Left
	c.OK = l.Requests == 0 && l.Intercept == 0 && l.Work == 0 && l.Quiet
	c.Detail = fmt.Sprintf("%d requests on units, %d with the intercept process, %d units of work, %d events", l.Requests, l.Intercept, l.Work, l.Events)
	if n := s.Intercept.Illegal; n != 0 {
		c.OK = false
		c.Detail += fmt.Sprintf("; %d changes of state that there cannot be: a fault of this program, the log has them", n)
	}
}

// pointInTime checks that no mirror of the consistency group got a write that may
// depend on one that another mirror has missed.
func pointInTime(s *Seen, c *report.Check) {
	if s.Intercept.Acknowledged == 0 {
		nothing(c, "no write was acknowledged")
		return
	}
	c.OK = s.PointInTime.Strict
	const late = "a mirror of the group has a write that was requested after another one, which is missing, had been acknowledged"
	switch {
	case !c.OK:
		c.Detail = late
	case !s.PointInTime.Lenient:
		c.Allowed = true
		c.Detail = late + " in constant copy, by its leave"
	default:
		c.Detail = "no mirror of the group has a later write than one that is missing"
	}
}

// noneFailed checks that no request ended with an error, unless the experiment
// expects it.
func noneFailed(s *Seen, c *report.Check) {
	f := Failed(&s.Tally.Failed)
	c.OK = f.Total() == 0 || s.Expect.FailedRequests
	if f.Total() == 0 {
		c.Detail = fmt.Sprintf("all of %d requests ended well", s.Tally.Ended)
		return
	}
	var parts []string
	for _, k := range f.Codes {
		parts = append(parts, fmt.Sprintf("%d %ss: %s", k.Count, k.Class, k.Meaning))
	}
	c.Detail = fmt.Sprintf("%d of %d requests failed (%s)", f.Total(), s.Tally.Ended, strings.Join(parts, "; "))
	if c.OK {
		c.Allowed = true
		c.Detail += ", as the experiment expects"
	} else {
		c.Detail += "; expect.failed-requests or --expect-failures allows it"
	}
}

// allHappened checks that every fault and swap happened before the run had ended.
func allHappened(s *Seen, c *report.Check) {
	c.OK = len(s.Late) == 0
	c.Detail = fmt.Sprintf("%d faults and %d swaps", s.Faults, s.Swaps)
	if c.OK {
		return
	}
	var names []string
	for _, e := range s.Late {
		names = append(names, e.What+" "+e.Text)
	}
	end := (s.Tally.LastEnd - s.Begin).Duration().Round(time.Microsecond)
	c.Detail = fmt.Sprintf("the last request ended at %v, before %s", end, strings.Join(names, ", "))
}

// allSynchronised checks that every synchronisation that was asked for ended well.
func allSynchronised(s *Seen, c *report.Check) {
	var bad []string
	for _, k := range s.Copies {
		switch {
		case k.Err != nil:
			bad = append(bad, fmt.Sprintf("%s from %v: %v", k.Mirror, (k.Begun-s.Begin).Duration(), k.Err))
		case !k.Progress().Ended:
			bad = append(bad, fmt.Sprintf("%s from %v: has not ended", k.Mirror, (k.Begun-s.Begin).Duration()))
		}
	}
	c.OK = len(bad) == 0 || s.Expect.FailedSynchronisations
	switch {
	case len(bad) == 0:
		c.Detail = fmt.Sprintf("%d synchronisations ended well", len(s.Copies))
	case c.OK:
		c.Detail = strings.Join(bad, "; ") + ", as the experiment expects"
	default:
		c.Detail = strings.Join(bad, "; ") + "; expect.failed-synchronisations allows it"
	}
}
