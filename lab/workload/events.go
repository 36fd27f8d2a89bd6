package workload

import (
	"bufio"
	"bytes"
	"fmt"
)

// eventsHeader is the first row of a trace of recorded events. Times are
// microseconds, offset and length bytes; flags and response_us are not used.
const eventsHeader = "us,op,offset,length,flags,response_us"

const eventsFields = 6

const byteOrderMark = "\uFEFF"

type events struct {
	lines
	headed bool
}

func openEvents(r *bufio.Reader, _ []byte) decoder { return &events{lines: lines{r: r}} }

func matchEvents(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(head, []byte(byteOrderMark)), []byte(eventsHeader))
}

func (d *events) rowNumber() int64 { return d.row }

func (d *events) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if !d.headed {
		d.headed = true
		if string(bytes.TrimPrefix(line, []byte(byteOrderMark))) != eventsHeader {
			return problem(fmt.Sprintf("header %q: want %s", shown(line), eventsHeader))
		}
		if line, err = d.next(); err != nil {
			return err
		}
	}
	if n := d.split(line); n != eventsFields {
		return problem(fmt.Sprintf("%d fields: want %d, %s", n, eventsFields, eventsHeader))
	}
	f := &d.fields
	switch string(f[1]) {
	case "read":
		q.op = Read
	case "write":
		q.op = Write
	case "flush":
		q.op = Flush
	case "trim", "zero": // neither carries data; a zeroed range is a trimmed one here
		q.op = Trim
	default:
		return problem(fmt.Sprintf("op %q: want read, write, flush, trim or zero", shown(f[1])))
	}
	var ok bool
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
