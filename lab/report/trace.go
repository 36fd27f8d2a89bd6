package report

import (
	"fmt"
	"reflect"
	"strings"
)

// Trace holds facts and problems found in the trace that was played, besides its
// requests.
type Trace struct {
	// Layout is the trace's layout, and Packing the name of its compression; Packing
	// is empty for plain data.
	Layout  string `json:"layout"`
	Packing string `json:"packing,omitempty"`
	// Device is the name in the trace of the device of the requests.
	Device string `json:"device,omitempty"`
	// Rows is the number of rows that have been read, without headers and blank lines.
	Rows int64 `json:"rows"`
	// Skipped lists the first bad rows that were left out; the workload has the number
	// of all.
	Skipped []SkippedRow `json:"first_skipped_rows,omitempty"`
	// OtherDevices is the number of rows of other devices than the one asked for.
	OtherDevices int64 `json:"rows_of_other_devices,omitempty"`
	// NotPlayed counts the valid rows that are not played, by kind.
	NotPlayed []NotPlayed `json:"not_played,omitempty"`
	// Reordered is the number of rows that were put in order of time, and
	// ReorderedByUS the longest time in microseconds by which one was late.
	Reordered     int64   `json:"reordered_rows,omitempty"`
	ReorderedByUS float64 `json:"reordered_by_us,omitempty"`
	// Padding is the number of zeros behind the end of packed data, and Behind the
	// number of other bytes there. Neither are rows.
	Padding int64 `json:"padding_bytes,omitempty"`
	Behind  int64 `json:"bytes_behind_the_end,omitempty"`
	// Notes holds further remarks for a person, one sentence each.
	Notes []string `json:"notes,omitempty"`
}

// SkippedRow is a bad row that was left out.
type SkippedRow struct {
	Row     int64  `json:"row"`
	Problem string `json:"problem"`
}

// NotPlayed is a kind of valid rows that are not played.
type NotPlayed struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// traceLines returns the lines about the trace, if it was the same for all runs.
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

// rowsWere returns the beginning of a line about n rows.
func rowsWere(n int64, kind string) string {
	if n == 1 {
		return "1 " + kind + "row was"
	}
	return count(n) + " " + kind + "rows were"
}
