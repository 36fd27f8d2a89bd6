package report

import (
	"fmt"
	"reflect"
	"strings"
)

// Trace is what was found out about the trace that was played, beside its
// requests.
type Trace struct {
	// Layout and Packing are the trace's; Packing is empty for plain data.
	Layout  string `json:"layout"`
	Packing string `json:"packing,omitempty"`
	// Device is the device that the requests are of, as the trace names it.
	Device string `json:"device,omitempty"`
	// Rows is how many rows have been read, headers and blank lines not counted.
	Rows int64 `json:"rows"`
	// Skipped are the first bad rows that were left out; the workload has the
	// number of all.
	Skipped []SkippedRow `json:"first_skipped_rows,omitempty"`
	// OtherDevices is how many rows were of another device than was asked for.
	OtherDevices int64 `json:"rows_of_other_devices,omitempty"`
	// NotPlayed are the rows that are no request, by what they are.
	NotPlayed []NotPlayed `json:"not_played,omitempty"`
	// Reordered is how many rows were put in order of time, and ReorderedByUS the
	// most microseconds by which one had been late.
	Reordered     int64   `json:"reordered_rows,omitempty"`
	ReorderedByUS float64 `json:"reordered_by_us,omitempty"`
	// Padding is how many zeros stood behind the end of packed data, and Behind how
	// many other bytes, which were not read.
	Padding int64 `json:"padding_bytes,omitempty"`
	Behind  int64 `json:"bytes_behind_the_end,omitempty"`
	// Notes says in words what else is worth knowing.
	Notes []string `json:"notes,omitempty"`
}

// SkippedRow is a bad row that was left out.
type SkippedRow struct {
	Row     int64  `json:"row"`
	Problem string `json:"problem"`
}

// NotPlayed is a kind of row that is no request.
type NotPlayed struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// traceLines says what was found out about the trace, a line each, where it was
// the same for all runs.
func traceLines(runs []Run) string {
	t := runs[0].Trace
	for _, r := range runs[1:] {
		if !reflect.DeepEqual(r.Trace, t) {
			return ""
		}
	}
	if t == nil {
		return ""
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "trace: "+format+"\n", args...) }
	if n := runs[0].Workload.SkippedRows; n > 0 {
		line("%s skipped", rowsWere(n, "bad "))
		for _, r := range t.Skipped {
			line("  row %d: %s", r.Row, r.Problem)
		}
	}
	if t.OtherDevices > 0 {
		line("%s left out: of other devices than %q", rowsWere(t.OtherDevices, ""), t.Device)
	}
	if t.Reordered > 0 {
		line("%s out of order by up to %s and put in order", rowsWere(t.Reordered, ""), showUS(t.ReorderedByUS))
	}
	for _, n := range t.NotPlayed {
		line("%s not played: %s", rowsWere(n.Count, ""), n.Name)
	}
	if t.Padding > 0 {
		line("%s zeros stand behind the end of the %s data", count(t.Padding), t.Packing)
	}
	if t.Behind > 0 {
		line("%s bytes that are something else stand behind the end of the %s data and were not read", count(t.Behind), t.Packing)
	}
	for _, n := range t.Notes {
		line("%s", n)
	}
	return b.String()
}

// rowsWere begins a line about so many rows.
func rowsWere(n int64, kind string) string {
	if n == 1 {
		return "1 " + kind + "row was"
	}
	return count(n) + " " + kind + "rows were"
}
