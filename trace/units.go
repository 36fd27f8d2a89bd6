package trace

import (
	"fmt"
	"time"
)

// timeUnit is one row of the table of units of time.
type timeUnit struct {
	name string
	unit time.Duration
	// text is the name of the unit in messages.
	text string
}

func timeUnits() []timeUnit {
	return []timeUnit{
		{"ns", time.Nanosecond, "nanoseconds"},
		{"100ns", 100 * time.Nanosecond, "units of 100 ns"},
		{"us", time.Microsecond, "microseconds"},
		{"ms", time.Millisecond, "milliseconds"},
		{"s", time.Second, "seconds"},
	}
}

// TimeUnits returns the names of the units of a trace's times.
func TimeUnits() []string {
	var names []string
	for _, u := range timeUnits() {
		names = append(names, u.name)
	}
	return names
}

// ParseTimeUnit returns the unit of that name; "" is 0, which stands for the
// layout's own.
func ParseTimeUnit(name string) (time.Duration, error) {
	if name == "" {
		return 0, nil
	}
	for _, u := range timeUnits() {
		if u.name == name {
			return u.unit, nil
		}
	}
	return 0, fmt.Errorf("time unit %q: want %s, or none for the layout's own", name, oneOf(TimeUnits()))
}

func nameOfUnit(unit time.Duration) timeUnit {
	for _, u := range timeUnits() {
		if u.unit == unit {
			return u
		}
	}
	return timeUnit{unit: unit, text: unit.String()}
}

// The years in which traces are recorded, in seconds since 1970: 1990 to 2050.
const (
	firstYears = 631152000
	lastYears  = 2524608000
)

// otherUnit finds times that count from 1970 in a finer unit than the assumed one.
// Nanoseconds read as microseconds would stretch a trace a thousandfold, and nothing
// else would show it.
func otherUnit(value uint64, unit time.Duration) (timeUnit, bool) {
	for _, u := range timeUnits() {
		if u.unit == 100*time.Nanosecond { // file times count from 1601
			continue
		}
		if seconds := value / uint64(time.Second/u.unit); u.unit < unit && seconds >= firstYears && seconds < lastYears {
			return u, true
		}
	}
	return timeUnit{}, false
}
