package trace

import (
	"fmt"
)

// systorHeader is the first row of the virtual-desktop traces of SYSTOR '17 (Lee,
// Kumano, Matsuki and others): times in seconds with a fraction, offset and size
// in bytes. Rows are written when a request ends, so that they are out of order.
// Response is not used.
const systorHeader = "Timestamp,Response,IOType,LUN,Offset,Size"

const systorFields = 6

type systor struct {
	lines
	unit   uint64
	headed bool
}

func openSystor(o opening) decoder { return &systor{lines: newLines(o.r, o.head), unit: o.unit} }

// matchSystor knows the layout by its header, or a piece that was cut out of a
// trace by its rows.
func matchSystor(head []byte) int {
	return max(header(systorHeader)(head), rows(commas, func(f *[maxFields][]byte, n int) bool {
		if n != systorFields {
			return false
		}
		_, op := letterOp(f[2])
		return (op || len(f[2]) == 0) && isDecimal(f[0]) && isDecimal(f[1]) && isNumber(f[3]) && isNumber(f[4]) && isNumber(f[5])
	})(head))
}

func (d *systor) device() []byte { return d.fields[3] }

func (d *systor) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if !d.headed {
		d.headed = true
		if string(line) == systorHeader {
			if line, err = d.next(); err != nil {
				return err
			}
		}
	}
	if n := d.commas(line); n != systorFields {
		return badFields(n, systorFields, systorHeader)
	}
	f := &d.fields
	var ok bool
	if q.at, ok = decimal(f[0], d.unit); !ok {
		return badTime(f[0], d.unit)
	}
	if len(f[2]) == 0 {
		return notPlayed("row without a type")
	}
	if q.op, ok = letterOp(f[2]); !ok {
		return problem(fmt.Sprintf("type %q: want R, W or nothing", shown(f[2])))
	}
	if q.offset, ok = number(f[4]); !ok {
		return badNumber("offset", f[4])
	}
	if q.length, ok = number(f[5]); !ok {
		return badNumber("size", f[5])
	}
	return nil
}
