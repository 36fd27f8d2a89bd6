package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/trace/histogram"
)

// figure is a row of the table.
type figure struct {
	label string
	cell  func(r *Run) string
	// difference returns the text beside the cell of a run that is not the first.
	difference func(base, r *Run) string
}

func none(_, _ *Run) string { return "" }

// measured returns a row whose figures are compared.
func measured(label string, value func(*Run) float64, show func(float64) string) figure {
	return figure{
		label:      label,
		cell:       func(r *Run) string { return show(value(r)) },
		difference: func(base, r *Run) string { return change(value(base), value(r)) },
	}
}

// where returns the row with empty cells for runs that do not have the figure.
func (f figure) where(has func(*Run) bool) figure {
	return figure{
		label: f.label,
		cell: func(r *Run) string {
			if !has(r) {
				return ""
			}
			return f.cell(r)
		},
		difference: func(base, r *Run) string {
			if !has(base) || !has(r) {
				return ""
			}
			return f.difference(base, r)
		},
	}
}

// stated returns a row of text.
func stated(label string, cell func(*Run) string) figure { return figure{label, cell, none} }

// groups returns the rows of the table, in sections.
func groups(runs []Run) [][]figure {
	return [][]figure{
		workload(runs),
		failures(runs),
		reads.rows(runs),
		writes.rows(runs),
		{
			measured("requests/s", func(r *Run) float64 { return r.Throughput.RequestsPerS }, digits).marked((*Run).failedRequests),
			measured("MB/s", func(r *Run) float64 { return r.Throughput.MBPerS }, digits).marked((*Run).failedRequests),
			measured("mirror link", func(r *Run) float64 { return float64(r.MirrorLinkBytes) }, showBytes).marked((*Run).failedRequests),
		},
		{
			measured("most at risk, I/Os", func(r *Run) float64 { return float64(r.DataAtRisk.MaxIOs) }, thousands).marked((*Run).failedRequests),
			measured("most at risk, bytes", func(r *Run) float64 { return float64(r.DataAtRisk.MaxBytes) }, showBytes).marked((*Run).failedRequests),
			measured("most at risk, time", func(r *Run) float64 { return r.DataAtRisk.MaxS }, showSeconds).marked((*Run).failedRequests),
		},
		losses(runs),
		calls(runs),
		contained(runs),
		mirrors(runs),
		checks(runs),
		{
			measured("virtual time", func(r *Run) float64 { return r.VirtualS }, showSeconds),
			stated("wall time", func(r *Run) string { return showSeconds(r.WallS) }),
			stated("event log", func(r *Run) string { return r.EventLogHash }),
		},
	}
}

// contained returns the rows about failures of detours that the host has contained.
func contained(runs []Run) []figure {
	rows := []figure{
		stated("violations", func(r *Run) string { return count(r.Violations) }),
		stated("traps", func(r *Run) string { return count(r.Traps) }),
	}
	if slices.ContainsFunc(runs, func(r Run) bool { return r.Exhausted > 0 }) {
		rows = append(rows, stated("  out of fuel or stack", func(r *Run) string { return count(r.Exhausted) }))
	}
	rows = append(rows, stated("invalid responses", func(r *Run) string { return count(r.InvalidResponses) }))
	rows = append(rows, stated("refused intents", func(r *Run) string { return count(r.RefusedIntents()) }))
	return append(rows, passedOver(runs)...)
}

// workload returns a row with the workload, for runs that do not have the same one.
func workload(runs []Run) []figure {
	if !slices.ContainsFunc(runs, func(r Run) bool { return r.Workload != runs[0].Workload }) {
		return nil
	}
	return []figure{
		stated("workload", func(r *Run) string { return heading(r.Workload.Name) }),
		measured("requests", func(r *Run) float64 { return float64(r.Workload.Requests) }, thousands),
	}
}

// failures returns the rows about requests that ended with an error: one for all,
// and one for each class and code that occurred.
func failures(runs []Run) []figure {
	rows := []figure{stated("failed requests", func(r *Run) string { return count(r.failedRequests()) })}
	var seen []FailedCode
	for _, r := range runs {
		for _, k := range r.Failed.Codes {
			k.Count = 0
			if !slices.Contains(seen, k) {
				seen = append(seen, k)
			}
		}
	}
	for _, want := range seen {
		rows = append(rows, stated(fmt.Sprintf("  %ss: %s", want.Class, want.Meaning), func(r *Run) string {
			for _, k := range r.Failed.Codes {
				if k.Class == want.Class && k.Code == want.Code {
					return count(k.Count)
				}
			}
			return "0"
		}))
	}
	return rows
}

func (r *Run) failedRequests() int64 { return r.Failed.Total() }

// unlike marks a difference between figures of unlike requests: some failed.
const unlike = " !"

// marked marks the differences of the row when one of the two runs has failed
// requests, which are not in its figure.
func (f figure) marked(failed func(*Run) int64) figure {
	plain := f.difference
	f.difference = func(base, r *Run) string {
		d := plain(base, r)
		if d != "" && (failed(base) != 0 || failed(r) != 0) {
			d += unlike
		}
		return d
	}
	return f
}

// class is a class of I/Os with latencies: reads or writes.
type class struct {
	name    string
	summary func(*Run) *histogram.Summary
	failed  func(*Run) int64
	versus  func(*Versus) *Difference
}

var (
	reads = class{
		"read", func(r *Run) *histogram.Summary { return &r.ReadLatency }, func(r *Run) int64 { return r.Failed.Reads },
		func(v *Versus) *Difference { return &v.Reads },
	}
	writes = class{
		"write", func(r *Run) *histogram.Summary { return &r.WriteLatency }, func(r *Run) int64 { return r.Failed.Writes },
		func(v *Versus) *Difference { return &v.Writes },
	}
)

// tooFew replaces a figure for which there are too few I/Os.
const tooFew = "too few I/Os"

// rows returns a row for each percentile, for the mean and for the paired
// differences.
func (c class) rows(runs []Run) []figure {
	if !slices.ContainsFunc(runs, func(r Run) bool { return c.summary(&r).Count > 0 }) {
		return nil
	}
	row := func(what string, percentile float64, value func(*histogram.Summary) float64) figure {
		enough := func(r *Run) bool {
			return c.summary(r).Count > 0 && histogram.EnoughFor(percentile, c.summary(r).Count)
		}
		f := measured(c.name+" "+what, func(r *Run) float64 { return value(c.summary(r)) }, showUS)
		shown := f.where(enough).marked(c.failed)
		shown.cell = func(r *Run) string {
			switch {
			case enough(r):
				return f.cell(r)
			case c.summary(r).Count > 0:
				return tooFew
			case c.failed(r) > 0:
				return "all failed"
			}
			return ""
		}
		return shown
	}
	rows := []figure{
		row("p50", 50, func(s *histogram.Summary) float64 { return s.P50US }),
		row("p95", 95, func(s *histogram.Summary) float64 { return s.P95US }),
		row("p99", 99, func(s *histogram.Summary) float64 { return s.P99US }),
		row("p99.9", 99.9, func(s *histogram.Summary) float64 { return s.P999US }),
		row("mean", 0, func(s *histogram.Summary) float64 { return s.MeanUS }),
	}
	of := func(r *Run) *Difference {
		if r.Versus == nil {
			return &Difference{}
		}
		return c.versus(r.Versus)
	}
	if !slices.ContainsFunc(runs, func(r Run) bool { return of(&r).Count > 0 || of(&r).LeftOut != nil }) {
		return rows
	}
	mean := &rows[len(rows)-1]
	percent := mean.difference
	mean.difference = func(base, r *Run) string {
		d := percent(base, r)
		// The means are of the same requests only when no pair was left out.
		if d != "" && of(r).Count > 0 && unclear(of(r)) && of(r).LeftOut == nil {
			d = "~"
		}
		return d
	}
	paired := func(r *Run, show func(*Difference) string) string {
		switch {
		case of(r).Count > 0:
			return show(of(r))
		case of(r).LeftOut != nil:
			return "no pair left"
		}
		return ""
	}
	bound := func(end func(*Interval) float64) func(*Run) string {
		return func(r *Run) string {
			switch {
			case of(r).Count == 0:
				return ""
			case of(r).Interval == nil:
				return tooFew
			}
			return signed(end(of(r).Interval))
		}
	}
	return append(rows,
		stated(c.name+" paired", func(r *Run) string {
			return paired(r, func(d *Difference) string {
				if unclear(d) {
					return "~"
				}
				return signed(d.MeanUS)
			})
		}),
		stated(fmt.Sprintf("  %.0f %% from", Confidence*100), bound(func(i *Interval) float64 { return i.LowUS })),
		stated("  to", bound(func(i *Interval) float64 { return i.HighUS })))
}

// unclear reports whether there is an interval and it includes 0.
func unclear(d *Difference) bool { return d.Interval != nil && !d.Significant }

// HookName returns the name for people of the hook that has the given name in JSON.
func HookName(name string) string {
	for _, row := range abi.HookTable {
		if row.Report == name {
			return row.Name
		}
	}
	return name
}

// calls returns a row for each slot that a run called, in the order of appearance.
func calls(runs []Run) []figure {
	rows := []figure{measured("Wasm calls an I/O", func(r *Run) float64 { return r.WasmCalls.PerIO }, digits)}
	var slots []string
	for _, r := range runs {
		for _, s := range r.WasmCalls.Slots {
			if !slices.Contains(slots, s.Slot) {
				slots = append(slots, s.Slot)
			}
		}
	}
	for _, slot := range slots {
		rows = append(rows, measured("  "+HookName(slot), func(r *Run) float64 {
			for _, s := range r.WasmCalls.Slots {
				if s.Slot == slot {
					return s.PerIO
				}
			}
			return 0
		}, digits))
	}
	return rows
}

// passedOver returns a row with the number of detours that were passed over, if
// there are any.
func passedOver(runs []Run) []figure {
	if !slices.ContainsFunc(runs, func(r Run) bool { return r.PassedOver() != 0 }) {
		return nil
	}
	return []figure{stated("detours passed over", func(r *Run) string { return count(r.PassedOver()) })}
}

// mirrors returns the rows about the state of the mirrors at the end.
func mirrors(runs []Run) []figure {
	return []figure{stated("mirrors", mirrorStates), stated("out-of-sync tracks", outOfSync)}
}

// losses returns the rows about lost writes, and about promotions if there were any.
func losses(runs []Run) []figure {
	rows := []figure{stated("lost writes", func(r *Run) string { return count(r.LostWrites) })}
	if slices.ContainsFunc(runs, func(r Run) bool { return r.LostBytes != 0 }) {
		rows = append(rows, stated("lost bytes", func(r *Run) string { return showBytes(float64(r.LostBytes)) }))
	}
	if slices.ContainsFunc(runs, func(r Run) bool { return len(r.Promotions) != 0 }) {
		rows = append(rows, stated("promotions", promotions))
	}
	return rows
}

// promotions returns a text with the number carried out and the number refused.
func promotions(r *Run) string {
	done, refused := int64(0), int64(0)
	for _, p := range r.Promotions {
		if p.Refused == 0 {
			done++
		}
		refused += p.Refused
	}
	if refused == 0 {
		return count(done)
	}
	return count(done) + ", refused " + count(refused)
}

// maxCounts is the largest number of mirrors for which a cell has a count of each.
const maxCounts = 4

// mirrorStates returns a text with each state once, with the number of mirrors in it
// unless all are.
func mirrorStates(r *Run) string {
	var states []string
	counts := make(map[string]int)
	for i := range r.Mirrors {
		s := r.Mirrors[i].State // the row of tracks has the number of each
		if len(r.Mirrors) == 1 {
			s = r.Mirrors[i].text()
		}
		if counts[s]++; counts[s] == 1 {
			states = append(states, s)
		}
	}
	for i, s := range states {
		if len(states) > 1 {
			states[i] = fmt.Sprintf("%d %s", counts[s], s)
		}
	}
	return strings.Join(states, ", ")
}

// text returns the state in words.
func (m *Mirror) text() string {
	switch {
	case m.State == MirrorInSyncBut && m.OutOfSyncTracks == 1:
		return "in sync but for 1 track"
	case m.State == MirrorInSyncBut:
		return fmt.Sprintf("in sync but for %s tracks", count(m.OutOfSyncTracks))
	}
	return m.State
}

// outOfSync returns a text with the count of each mirror, or the sum when there are
// many.
func outOfSync(r *Run) string {
	if len(r.Mirrors) > maxCounts {
		var all int64
		for _, m := range r.Mirrors {
			all += m.OutOfSyncTracks
		}
		return count(all)
	}
	var counts []string
	for _, m := range r.Mirrors {
		n := count(m.OutOfSyncTracks)
		if m.Tracks != 0 && m.OutOfSyncTracks == m.Tracks {
			n = "all " + n
		}
		counts = append(counts, n)
	}
	return strings.Join(counts, " + ")
}

// checks returns a row for each check that a run made, in the order of appearance.
func checks(runs []Run) []figure {
	var names []string
	for _, r := range runs {
		for _, c := range r.Checks {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	if len(names) == 0 && slices.ContainsFunc(runs, func(r Run) bool { return r.Interrupted }) {
		names = []string{"checks"}
	}
	var rows []figure
	for _, name := range names {
		rows = append(rows, stated(name, func(r *Run) string {
			if r.Interrupted {
				return "not made"
			}
			for _, c := range r.Checks {
				switch {
				case c.Name != name:
				case c.Allowed:
					return "allowed"
				case c.OK:
					return "ok"
				case c.Nothing:
					return "nothing to check"
				default:
					return "FAILED"
				}
			}
			return ""
		}))
	}
	return rows
}
