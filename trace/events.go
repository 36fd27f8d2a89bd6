package trace

import (
	"fmt"
)

// eventsHeader is the first row of a trace of recorded events. Times are
// microseconds, offset and length bytes; flags and response_us are not used.
const eventsHeader = "us,op,offset,length,flags,response_us"

const eventsFields = 6

type events struct {
	lines
	oneDevice
	headed bool
}

func openEvents(o opening) decoder { return &events{lines: newLines(o.r, o.head)} }

// likeEvents knows rows of the layout, whatever stands in front of them.
func likeEvents(f *[maxFields][]byte, n int) bool {
	if n != eventsFields {
		return false
	}
	_, op := eventsOp(f[1])
	return op && isNumber(f[0]) && isNumber(f[2]) && isNumber(f[3])
}

func eventsOp(field []byte) (Op, bool) {
	switch string(field) {
	case "read":
		return Read, true
	case "write":
		return Write, true
	case "flush":
		return Flush, true
	case "trim", "zero": // neither carries data; a zeroed range is a trimmed one here
		return Trim, true
	}
	return 0, false
}

func (d *events) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if !d.headed {
		d.headed = true
		if string(line) != eventsHeader {
			return problem(fmt.Sprintf("header %q: want %s", shown(line), eventsHeader))
		}
		if line, err = d.next(); err != nil {
			return err
		}
	}
	if n := d.commas(line); n != eventsFields {
		return badFields(n, eventsFields, eventsHeader)
	}
	f := &d.fields
	var ok bool
	if q.op, ok = eventsOp(f[1]); !ok {
		return problem(fmt.Sprintf("op %q: want read, write, flush, trim or zero", shown(f[1])))
	}
	if q.at, ok = number(f[0]); !ok {
		return badNumber("time", f[0])
	}
	if q.offset, ok = number(f[2]); !ok {
		return badNumber("offset", f[2])
	}
	if q.length, ok = number(f[3]); !ok {
		return badNumber("length", f[3])
	}
	return nil
}
