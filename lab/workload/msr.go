package workload

import (
	"bufio"
	"bytes"
	"fmt"
)

// The layout of the MSR Cambridge traces (Narayanan, Donnelly, Rowstron, FAST
// 2008): Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime, without
// a header. Times are ticks of 100 ns, in the published set since 1601
// (Windows file time), so that nanoseconds since then exceed 63 bits.
// ResponseTime is not used.
const msrFields = 7

const msrRow = "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime"

type msr struct {
	lines
	// disk is the host and disk of the first good row. A file holds one disk's
	// requests; another disk's would be replayed on the same blocks.
	disk []byte
}

func openMSR(r *bufio.Reader, _ []byte) decoder { return &msr{lines: lines{r: r}} }

func matchMSR(head []byte) bool {
	return anyRow(head, func(f *[maxFields][]byte, n int) bool {
		if n != msrFields {
			return false
		}
		_, at := number(f[0])
		_, offset := number(f[4])
		_, op := msrOp(f[3])
		return at && offset && op
	})
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

func (d *msr) rowNumber() int64 { return d.row }

func (d *msr) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if n := d.split(line); n != msrFields {
		return problem(fmt.Sprintf("%d fields: want %d, %s", n, msrFields, msrRow))
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
	disk := line[start : start+len(f[1])+1+len(f[2])]
	if d.disk == nil {
		d.disk = bytes.Clone(disk)
	} else if !bytes.Equal(d.disk, disk) {
		return problem(fmt.Sprintf("host and disk %q: want %q as before, one disk a trace", shown(disk), shown(d.disk)))
	}
	return nil
}
