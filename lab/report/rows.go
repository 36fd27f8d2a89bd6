package report

import (
	"fmt"
	"slices"
	"strings"
)

// figure is a row of the table.
type figure struct {
	label string
	cell  func(r *Run) string
	// difference is what stands beside the cell of a run that is not the first.
	difference func(base, r *Run) string
}

func none(_, _ *Run) string { return "" }

// measured is a row whose figures are compared.
func measured(label string, value func(*Run) float64, show func(float64) string) figure {
	return figure{
		label:      label,
		cell:       func(r *Run) string { return show(value(r)) },
		difference: func(base, r *Run) string { return change(value(base), value(r)) },
	}
}

// where leaves the row empty for runs that do not have the figure.
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

// stated is a row of text.
func stated(label string, cell func(*Run) string) figure { return figure{label, cell, none} }

// groups are the rows of the table, in sections.
func groups(runs []Run) [][]figure {
	return [][]figure{
		workload(runs),
		latency("read", runs, func(r *Run) *LatencySummary { return &r.ReadLatency }, func(v *Versus) *Difference { return &v.Reads }),
		latency("write", runs, func(r *Run) *LatencySummary { return &r.WriteLatency }, func(v *Versus) *Difference { return &v.Writes }),
		latency("flush", runs, func(r *Run) *LatencySummary { return &r.FlushLatency }, nil),
		{
			measured("requests/s", func(r *Run) float64 { return r.Throughput.RequestsPerS }, digits),
			measured("MB/s", func(r *Run) float64 { return r.Throughput.MBPerS }, digits),
			measured("mirror link", func(r *Run) float64 { return float64(r.MirrorLinkBytes) }, showBytes),
		},
		{
			measured("most at risk, I/Os", func(r *Run) float64 { return float64(r.DataAtRisk.MaxIOs) }, thousands),
			measured("most at risk, bytes", func(r *Run) float64 { return float64(r.DataAtRisk.MaxBytes) }, showBytes),
			measured("most at risk, time", func(r *Run) float64 { return r.DataAtRisk.MaxS }, showSeconds),
		},
		calls(runs),
		{
			stated("violations", func(r *Run) string { return count(r.Violations) }),
			stated("traps", func(r *Run) string { return count(r.Traps) }),
			stated("out-of-sync tracks", outOfSync),
		},
		checks(runs),
		{
			measured("virtual time", func(r *Run) float64 { return r.VirtualS }, showSeconds),
			stated("wall time", func(r *Run) string { return showSeconds(r.WallS) }),
			stated("event log", func(r *Run) string { return r.EventLogHash }),
		},
	}
}

// workload is shown where the runs do not have the same one.
func workload(runs []Run) []figure {
	if !slices.ContainsFunc(runs, func(r Run) bool { return r.Workload != runs[0].Workload }) {
		return nil
	}
	return []figure{
		stated("workload", func(r *Run) string { return heading(r.Workload.Name) }),
		measured("requests", func(r *Run) float64 { return float64(r.Workload.Requests) }, thousands),
	}
}

func latency(class string, runs []Run, of func(*Run) *LatencySummary, versus func(*Versus) *Difference) []figure {
	if !slices.ContainsFunc(runs, func(r Run) bool { return of(&r).Count > 0 }) {
		return nil
	}
	some := func(r *Run) bool { return of(r).Count > 0 }
	us := func(what string, value func(*LatencySummary) float64) figure {
		f := measured(class+" "+what, func(r *Run) float64 { return value(of(r)) }, showUS)
		return f.where(some)
	}
	rows := []figure{
		us("p50", func(s *LatencySummary) float64 { return s.P50US }),
		us("p95", func(s *LatencySummary) float64 { return s.P95US }),
		us("p99", func(s *LatencySummary) float64 { return s.P99US }),
		us("p99.9", func(s *LatencySummary) float64 { return s.P999US }),
		us("mean", func(s *LatencySummary) float64 { return s.MeanUS }),
	}
	if versus == nil || !slices.ContainsFunc(runs, func(r Run) bool { return r.Versus != nil && versus(r.Versus).Count > 0 }) {
		return rows
	}
	mean := &rows[len(rows)-1]
	percent := mean.difference
	mean.difference = func(base, r *Run) string {
		if r.Versus != nil && unclear(versus(r.Versus)) {
			return "~"
		}
		return percent(base, r)
	}
	return append(rows,
		stated(class+" paired", func(r *Run) string {
			switch {
			case r.Versus == nil || versus(r.Versus).Count == 0:
				return ""
			case unclear(versus(r.Versus)):
				return "~"
			}
			return signed(versus(r.Versus).MeanUS)
		}),
		stated(fmt.Sprintf("  %.0f %% from", Confidence*100), bound(versus, func(i *Interval) float64 { return i.LowUS })),
		stated("  to", bound(versus, func(i *Interval) float64 { return i.HighUS })))
}

// unclear says that there is an interval and that it includes 0.
func unclear(d *Difference) bool { return d.Interval != nil && !d.Significant }

func bound(versus func(*Versus) *Difference, end func(*Interval) float64) func(*Run) string {
	return func(r *Run) string {
		switch {
		case r.Versus == nil || versus(r.Versus).Count == 0:
			return ""
		case versus(r.Versus).Interval == nil:
			return "too few I/Os"
		}
		return signed(end(versus(r.Versus).Interval))
	}
}

// calls has a row for each slot that a run called, in the order of appearance.
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
		rows = append(rows, measured("  "+slot, func(r *Run) float64 {
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

// maxCounts is of how many mirrors each has its own count in a cell.
const maxCounts = 4

// outOfSync has the count of each mirror, or that of all where they are many.
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
		counts = append(counts, count(m.OutOfSyncTracks))
	}
	return strings.Join(counts, " + ")
}

// checks has a row for each check that a run made, in the order of appearance.
func checks(runs []Run) []figure {
	var names []string
	for _, r := range runs {
		for _, c := range r.Checks {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	var rows []figure
	for _, name := range names {
		rows = append(rows, stated(name, func(r *Run) string {
			for _, c := range r.Checks {
				switch {
				case c.Name != name:
				case c.OK:
					return "ok"
				default:
					return "FAILED"
				}
			}
			return ""
		}))
	}
	return rows
}
