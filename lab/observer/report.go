package observer

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/emulator/machine"
)

// The properties, each with a check of its own.
const (
	durability = iota
	marks
	risks
	properties
)

// Finding is the observer's result for one property at the end of a run.
type Finding struct {
	Name   string
	OK     bool
	Detail string
}

// maxKept is the largest number of findings of a property that are kept; others are
// only counted.
const maxKept = 3

func (o *Observer) say(property int, format string, args ...any) {
	if len(o.found[property]) == maxKept {
		o.beyond[property]++
		return
	}
	o.found[property] = append(o.found[property], fmt.Sprintf(format, args...))
}

func between(low, v, high uint64, open bool) bool { return v >= low && (open || v <= high) }

func rangeOf(low, high uint64, what string) string {
	if low == high {
		return fmt.Sprintf("%d %s", low, what)
	}
	return fmt.Sprintf("%d to %d %s", low, high, what)
}

// example returns a text about one write that is at risk on a mirror.
func (o *Observer) example(p *pair, m *mirror) string {
	for _, w := range p.open {
		if w.lower&(1<<m.index) != 0 {
			return fmt.Sprintf(" (one of them is %s, told at %v)", w.text(), w.toldAt)
		}
	}
	return ""
}

// Conclude compares the whole run with the claims, after its end. reported has the
// figures of the run's report, each the highest of all mirrors. until is the time of
// these figures, at which the age of writes still at risk is measured.
func (o *Observer) Conclude(reported Figures, until machine.Time) []Finding {
	for _, p := range o.pairs {
		o.roles(p)
	}
	o.judgements()
	o.settle(o.claims.Early())
	var lowest, highest Figures
	blurred := [2]bool{}
	for _, p := range o.pairs {
		o.known(p)
		o.marked(p, true)
		o.atRisk(p)
		for _, m := range p.mirrors {
			claimed := o.claims.Risk(p.index, m.index, until)
			low, high := o.bounds(p, m, until)
			o.maxima(p.name(m)+": the account says", claimed, low, high, m.upper.blurred, m.upper.blurredBytes)
			lowest.raise(low)
			highest.raise(high)
			blurred[0] = blurred[0] || m.upper.blurred
			blurred[1] = blurred[1] || m.upper.blurredBytes
		}
	}
	o.maxima("the report says", reported, lowest, highest, blurred[0], blurred[1])
	names := [properties]string{"observed durability", "observed marks", "observed risk"}
	held := [properties]string{
		fmt.Sprintf("%d writes were where the policy has promised when applications were told, or are counted", o.told),
		fmt.Sprintf("each track that differed was marked, at %d moments when nothing was under way", o.looks),
		fmt.Sprintf("%s, %s, %v at most", rangeOf(lowest.MaxIOs, highest.MaxIOs, "writes"), rangeOf(lowest.MaxBytes, highest.MaxBytes, "bytes"), lowest.MaxAge),
	}
	var all []Finding
	for i := range names {
		f := Finding{Name: names[i], OK: len(o.found[i]) == 0, Detail: held[i]}
		if !f.OK {
			f.Detail = strings.Join(o.found[i], "; ")
			if o.beyond[i] != 0 {
				f.Detail += fmt.Sprintf("; and %d more", o.beyond[i])
			}
		}
		all = append(all, f)
	}
	return all
}

func (f *Figures) raise(o Figures) {
	f.MaxIOs, f.MaxBytes, f.MaxAge = max(f.MaxIOs, o.MaxIOs), max(f.MaxBytes, o.MaxBytes), max(f.MaxAge, o.MaxAge)
}

// maxima compares the maxima of a run.
func (o *Observer) maxima(who string, claimed, low, high Figures, blurred, blurredBytes bool) {
	if !between(low.MaxIOs, claimed.MaxIOs, high.MaxIOs, blurred) {
		o.say(risks, "%s at most %d writes at risk at a time, seen were %s", who, claimed.MaxIOs, rangeOf(low.MaxIOs, high.MaxIOs, "writes"))
	}
	if !between(low.MaxBytes, claimed.MaxBytes, high.MaxBytes, blurredBytes) {
		o.say(risks, "%s at most %d bytes at risk at a time, seen were %s", who, claimed.MaxBytes, rangeOf(low.MaxBytes, high.MaxBytes, "bytes"))
	}
	if claimed.MaxAge < low.MaxAge || !blurred && claimed.MaxAge > high.MaxAge {
		o.say(risks, "%s that a write was at risk for at most %v, seen were %s", who, claimed.MaxAge, ages(low.MaxAge, high.MaxAge))
	}
}

func ages(low, high machine.Time) string {
	if low == high {
		return low.String()
	}
	return fmt.Sprintf("%v to %v", low, high)
}
