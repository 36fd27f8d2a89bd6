package experiment

import (
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/trace"
)

// traceRead is what was found out about a trace, as a report has it.
func traceRead(f trace.Findings) *report.Trace {
	t := &report.Trace{
		Layout: string(f.Layout), Packing: f.Packing, Device: f.Device, Rows: f.Rows, OtherDevices: f.OtherDevices,
		Reordered: f.Reordered, ReorderedByUS: float64(f.ReorderedBy.Nanoseconds()) / 1e3,
		Padding: f.Padding, Behind: f.Behind, Notes: f.Notes,
	}
	for _, r := range f.Reasons {
		t.Skipped = append(t.Skipped, report.SkippedRow{Row: r.Row, Problem: r.Problem})
	}
	for _, n := range f.NotPlayed {
		t.NotPlayed = append(t.NotPlayed, report.NotPlayed{Name: n.Name, Count: n.Count})
	}
	return t
}
