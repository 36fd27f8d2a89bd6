package trace

import (
	"fmt"
	"strings"
	"time"
)

// MaxReasons is the most bad rows whose problem is kept; all are counted.
const MaxReasons = 3

// Findings is what has been found out about a trace so far, beside its requests.
type Findings struct {
	// Layout and Packing are the trace's; Packing is empty for plain data.
	Layout  Format
	Packing string
	// Device is the device that the requests are of, as the trace names it; empty
	// where the layout names none.
	Device string
	// Rows is how many rows have been read, headers and blank lines not counted:
	// requests, bad rows, rows of other devices and rows that are not played.
	Rows int64
	// Requests is how many requests have been handed out, and Ops how many of each
	// operation.
	Requests int64
	Ops      [numOps]int64
	// Bad is how many bad rows were left out, and Reasons the first of them.
	Bad     int64
	Reasons []*RowError
	// OtherDevices is how many rows were of another device than was asked for.
	OtherDevices int64
	// NotPlayed are the commands that are in order and move no data, or that are
	// not issued here, in the order in which they first came up.
	NotPlayed []Count
	// Reordered is how many rows were later in the trace than in time and were put
	// in order, and ReorderedBy the most by which one was.
	Reordered   int64
	ReorderedBy time.Duration
	// Padding is how many zeros stand behind the end of packed data, and Behind how
	// many other bytes, which were not read.
	Padding, Behind int64
	// Notes says in words what else is worth knowing.
	Notes []string
}

// Count is how often something came up.
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

// Text says what the rows that were read are, such as "102 rows: 2 writes, 100
// bad".
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
