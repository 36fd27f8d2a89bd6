package trace

import (
	"fmt"
)

// The layout of the MSR Cambridge traces (Narayanan, Donnelly, Rowstron, FAST
// 2008), without a header. Times are ticks of 100 ns, in the published set since
// 1601 (Windows file time), so that nanoseconds since then exceed 63 bits.
// ResponseTime is not used.
const msrRow = "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime"

const msrFields = 7

type msr struct {
	lines
	disk []byte // host and disk of the row read last
}

func openMSR(o opening) decoder { return &msr{lines: newLines(o.r, o.head)} }

func matchMSR(f *[maxFields][]byte, n int) bool {
	_, op := msrOp(f[3])
	return n == msrFields && op && isNumber(f[0]) && isNumber(f[4])
}

func msrOp(field []byte) (Op, bool) {
	switch string(field) {
	case "Read", "read":
		return Read, true
	case "Write", "write":
		return Write, true
	}
	return 0, false
}

func (d *msr) device() []byte { return d.disk }

func (d *msr) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if n := d.commas(line); n != msrFields {
		return badFields(n, msrFields, msrRow)
	}
	f := &d.fields
	var ok bool
	if q.at, ok = number(f[0]); !ok {
		return badNumber("timestamp", f[0])
	}
	if q.op, ok = msrOp(f[3]); !ok {
		return problem(fmt.Sprintf("type %q: want Read or Write", shown(f[3])))
	}
	if q.offset, ok = number(f[4]); !ok {
		return badNumber("offset", f[4])
	}
	if q.length, ok = number(f[5]); !ok {
		return badNumber("size", f[5])
	}
	start := len(f[0]) + 1
	d.disk = line[start : start+len(f[1])+1+len(f[2])]
	return nil
}
