package trace

import (
	"fmt"
	"strings"
	"time"
)

// MaxReasons is the number of bad rows whose problem is kept; all are counted.
const MaxReasons = 3

// Findings holds facts and problems found in a trace so far, besides its requests.
type Findings struct {
	// Layout and Packing are the trace's layout and the name of its compression;
	// Packing is empty for plain data.
	Layout  Format
	Packing string
	// Device is the name of the device of the requests, as the trace has it; it is
	// empty when the layout has no devices.
	Device string
	// Rows is the number of rows that have been read: requests, bad rows, rows of
	// other devices and rows that are not played, but not headers and blank lines.
	Rows int64
	// Requests is the number of requests that have been handed out, and Ops the number
	// for each operation.
	Requests int64
	Ops      [numOps]int64
	// Bad is the number of bad rows that were left out, and Reasons holds the first of
	// them.
	Bad     int64
	Reasons []*RowError
	// OtherDevices is the number of rows of other devices than the one asked for.
	OtherDevices int64
	// NotPlayed counts the valid commands that are not played because they move no
	// data or are not supported, in the order of their first occurrence.
	NotPlayed []Count
	// Reordered is the number of rows that stood too late in the trace and were put in
	// order, and ReorderedBy the longest time by which one was late.
	Reordered   int64
	ReorderedBy time.Duration
	// Padding is the number of zeros behind the end of packed data, and Behind the
	// number of other bytes there. Neither are rows.
	Padding, Behind int64
	// Notes holds further remarks for a person, one sentence each.
	Notes []string
}

// Count is the number of occurrences of a name.
type Count struct {
	Name  string
	Count int64
}

// count adds one to the count of that name.
func count(all []Count, name string) []Count {
	for i := range all {
		if all[i].Name == name {
			all[i].Count++
			return all
		}
	}
	return append(all, Count{name, 1})
}

// Text sums up the rows that were read, such as "102 rows: 2 writes, 100 bad".
func (f *Findings) Text() string {
	if f.Rows == 0 {
		return "no rows"
	}
	var parts []string
	for op, n := range f.Ops {
		if n > 0 {
			parts = append(parts, plural(n, Op(op).String()))
		}
	}
	if f.Bad > 0 {
		parts = append(parts, fmt.Sprintf("%d bad (the first: row %d: %s)", f.Bad, f.Reasons[0].Row, f.Reasons[0].Problem))
	}
	if f.OtherDevices > 0 {
		parts = append(parts, fmt.Sprintf("%d of other devices than %q", f.OtherDevices, f.Device))
	}
	for _, n := range f.NotPlayed {
		parts = append(parts, fmt.Sprintf("%d %s", n.Count, n.Name))
	}
	return plural(f.Rows, "row") + ": " + strings.Join(parts, ", ")
}

func plural(n int64, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "sh"):
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
