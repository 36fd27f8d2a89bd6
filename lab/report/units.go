package report

import (
	"fmt"
	"math"
	"strconv"
)

// unit is a row of a table of units, smallest first.
type unit struct {
	name string
	of   float64 // its size in base units
}

var (
	timeUnits = [...]unit{{"ns", 1e-3}, {"µs", 1}, {"ms", 1e3}, {"s", 1e6}} // the base unit is a microsecond
	byteUnits = [...]unit{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}}
)

// showUS returns the text of microseconds, with three digits and in the unit that
// fits.
func showUS(us float64) string { return scaled(us, timeUnits[:]) }

// showSeconds does the same for seconds.
func showSeconds(s float64) string { return scaled(s*1e6, timeUnits[:]) }

// showBytes does the same for bytes; a kB is 1,000 bytes.
func showBytes(b float64) string { return scaled(b, byteUnits[:]) }

func scaled(v float64, units []unit) string {
	if v == 0 {
		return "0"
	}
	u := units[0]
	for _, next := range units[1:] {
		if math.Abs(v) < next.of*0.9995 {
			break
		}
		u = next
	}
	if u == byteUnits[0] {
		return thousands(v) + " B" // without a fraction
	}
	return digits(v/u.of) + " " + u.name
}

// digits returns the text of a number with three significant digits, at most two
// decimals, and separated thousands.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case v == 0:
		return "0"
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return thousands(v)
}

// thousands returns the text of a number without decimals, with separated thousands.
func thousands(v float64) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v <= -0.5 {
		s = "-" + s
	}
	return s
}

// signed returns the text of a difference in microseconds, with its sign.
func signed(us float64) string {
	if us > 0 {
		return "+" + showUS(us)
	}
	return showUS(us)
}

// change returns the text of the difference of v from base: a percentage, or a
// multiple from ten times base up. It is empty when base is 0.
func change(base, v float64) string {
	switch {
	case base == 0:
		return ""
	case v/base >= 10:
		return "×" + digits(v/base)
	}
	percent := (v/base - 1) * 100
	if math.Abs(percent) < 0.05 {
		return "0.0%"
	}
	return fmt.Sprintf("%+.1f%%", percent)
}
