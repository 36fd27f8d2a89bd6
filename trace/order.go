package trace

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of putting rows in order.
const (
	// OrderRows is the largest number of rows that are held back to be put in order.
	OrderRows = 16384
	// judgedAgainst is the number of following rows that the time of a row is compared
	// with.
	judgedAgainst = 63
)

// pending is a row that has been read and not been handed out.
type pending struct {
	raw
	problem problem // empty for a good row
}

// ahead is a ring of rows that have been read and not judged yet.
type ahead struct {
	rows  [judgedAgainst + 1]pending
	first int64 // number of the row in front, counted from 0
	count int
	// step is the number of the last row whose time is not near the time of the row
	// before it. When that row is not behind the row in front, the time of the row in
	// front needs no comparison.
	step int64
	last uint64 // time of the last good row
	any  bool   // there has been one
}

func (a *ahead) full() bool      { return a.count == len(a.rows) }
func (a *ahead) front() *pending { return a.at(0) }
func (a *ahead) drop()           { a.first++; a.count-- }

func (a *ahead) at(i int) *pending { return &a.rows[(a.first+int64(i))&judgedAgainst] }

// room returns the place for the next row; push takes the row that the caller has
// put there.
func (a *ahead) room() *pending { return a.at(a.count) }

func (a *ahead) push(w window) {
	p := a.at(a.count)
	if p.problem == "" {
		if a.any && (w.before(p.at, a.last) || w.farAfter(p.at, a.last)) {
			a.step = a.first + int64(a.count)
		}
		a.last, a.any = p.at, true
	}
	a.count++
}

// window holds the limits of the differences between times, in ticks.
type window struct {
	tick uint64 // nanoseconds
	late uint64 // longest time by which a row may be late
	span uint64 // longest time between the first and the last row
}

func newWindow(tick uint64, late machine.Time) window {
	return window{tick: tick, late: uint64(late) / tick, span: uint64(MaxSpan) / tick}
}

// before reports whether a is earlier than b by more than a row may be late.
func (w window) before(a, b uint64) bool { return a < b && b-a > w.late }

// farAfter reports whether a is later than b by more than a workload may last.
func (w window) farAfter(a, b uint64) bool { return a > b && a-b > w.span }

func (w window) text(ticks uint64) string {
	if ticks > w.span {
		return fmt.Sprintf("more than %d days", MaxSpanDays)
	}
	return machine.Time(ticks * w.tick).Duration().String()
}

// odd compares the time of the row in front with the rows behind it. When most of
// those disagree, this row is wrong and not they, unless its time follows closely on
// the rows before it.
func (a *ahead) odd(o *order, w window) problem {
	if a.step <= a.first || o.follows(a.front().at, w) {
		return ""
	}
	r := a.front()
	rows, earlier, later := 0, 0, 0
	var near uint64 // the latest of the earlier ones
	for i := 1; i < a.count; i++ {
		p := a.at(i)
		if p.problem != "" {
			continue
		}
		rows++
		if w.before(p.at, r.at) {
			earlier++
			near = max(near, p.at)
		} else if w.farAfter(p.at, r.at) {
			later++
		}
	}
	switch {
	case o.any && rows < 2: // one row against one
	case 2*earlier > rows:
		return problem(fmt.Sprintf("time %d is later than %d of the next %d rows, by %s or more: want rows in order of time, or less than %s late",
			r.at, earlier, rows, w.text(r.at-near), w.text(w.late)))
	case 2*later > rows:
		return problem(fmt.Sprintf("time %d is more than %d days before %d of the next %d rows: want at most that in all", r.at, MaxSpanDays, later, rows))
	}
	return ""
}

// order holds rows back until no earlier row can come, and hands them out in order
// of time; rows of the same time keep the order of the file. It is a ring, sorted:
// rows that come in order are appended, and others moved to their place.
type order struct {
	rows  []raw
	first int
	count int
	high  uint64 // the latest time that has been taken
	low   uint64 // the earliest time, and later the time of the row handed out last
	any   bool   // a row has been taken
	// base is the time of the first row handed out.
	base    uint64
	started bool

	// moved counts the rows that were not in order; most is the longest time by which
	// one was late, in ticks.
	moved int64
	most  uint64
}

func (o *order) at(i int) *raw { return &o.rows[(o.first+i)&(len(o.rows)-1)] }

// far reports a time that is too far behind the first.
func (o *order) far(at uint64, w window) problem {
	start := o.low
	if o.started {
		start = o.base
	}
	if o.any && w.farAfter(at, start) {
		return problem(fmt.Sprintf("time %d is %d units of %d ns after the first: want at most %d days", at, at-start, w.tick, MaxSpanDays))
	}
	return ""
}

// follows reports whether a time is near the latest one before it.
func (o *order) follows(at uint64, w window) bool {
	return o.any && !w.before(at, o.high) && !w.before(o.high, at)
}

// put takes a row in, or returns the reason why it cannot be put in order.
func (o *order) put(r *raw, w window) problem {
	if !o.any {
		o.any, o.high, o.low = true, r.at, r.at
	}
	switch {
	case w.before(r.at, o.high):
		return problem(fmt.Sprintf("time %d is %s before %d, the latest of the rows above: want rows in order of time, or less than %s late",
			r.at, w.text(o.high-r.at), o.high, w.text(w.late)))
	case o.started && r.at < o.low:
		return problem(fmt.Sprintf("time %d is before %d, and more than %d rows lie between: want rows in order of time, or fewer rows late",
			r.at, o.low, OrderRows))
	}
	o.grow()
	i := o.count
	o.count++
	if r.at < o.high {
		o.moved++
		o.most = max(o.most, o.high-r.at)
		for ; i > 0 && o.at(i-1).at > r.at; i-- {
			*o.at(i) = *o.at(i - 1)
		}
	}
	*o.at(i) = *r
	o.high = max(o.high, r.at)
	if !o.started {
		o.low = min(o.low, r.at)
	}
	return ""
}

// grow makes room for a row.
func (o *order) grow() {
	if o.count < len(o.rows) {
		return
	}
	rows := make([]raw, max(256, 2*len(o.rows)))
	for i := range o.count {
		rows[i] = *o.at(i)
	}
	o.rows, o.first = rows, 0
}

// ready reports whether the first row can be handed out: no earlier one can come, or
// there is no room to wait for one. With all, no more rows come.
func (o *order) ready(w window, all bool) bool {
	return o.count > 0 && (all || o.count == OrderRows || o.high-o.at(0).at >= w.late && o.high != o.at(0).at)
}

// take hands the first row out.
func (o *order) take() *raw {
	r := o.at(0)
	o.first = (o.first + 1) & (len(o.rows) - 1)
	o.count--
	if !o.started {
		o.started, o.base = true, r.at
	}
	o.low = r.at
	return r
}
