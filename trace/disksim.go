package trace

import (
	"bytes"
	"fmt"
)

// diskSimRow is the layout of DiskSim's ASCII traces: arrival time, device,
// address and size in sectors, and 1 for a read. Arrival times are milliseconds
// with a fraction. MQSim takes the same columns with arrival times in whole
// nanoseconds, and that is how the two are told apart.
const diskSimRow = "arrival device address sectors flags, separated by blanks"

const diskSimFields = 5

type diskSim struct {
	lines
	unit     uint64
	fraction bool
}

func openDiskSim(o opening) decoder {
	return &diskSim{lines: newLines(o.r, o.head), unit: o.unit, fraction: o.unit > 1}
}

// matchDiskSim knows a row of DiskSim's by the fraction of its time.
func matchDiskSim(f *[maxFields][]byte, n int) bool {
	return diskSimColumns(f, n) && bytes.IndexByte(f[0], '.') >= 0 && isDecimal(f[0])
}

func matchMQSim(f *[maxFields][]byte, n int) bool { return diskSimColumns(f, n) && isNumber(f[0]) }

func diskSimColumns(f *[maxFields][]byte, n int) bool {
	if n != diskSimFields {
		return false
	}
	_, op := diskSimOp(f[4])
	return op && isNumber(f[1]) && isNumber(f[2]) && isNumber(f[3])
}

func diskSimOp(field []byte) (Op, bool) {
	switch string(field) {
	case "0":
		return Write, true
	case "1":
		return Read, true
	}
	return 0, false
}

func (d *diskSim) device() []byte { return d.fields[1] }

func (d *diskSim) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if n := d.blanks(line); n != diskSimFields {
		return badFields(n, diskSimFields, diskSimRow)
	}
	f := &d.fields
	var ok bool
	if d.fraction {
		q.at, ok = decimal(f[0], d.unit)
	} else {
		q.at, ok = number(f[0])
	}
	if !ok {
		return badTime(f[0], d.unit)
	}
	if q.offset, ok = sectors(f[2]); !ok {
		return badSectors("address", f[2])
	}
	if q.length, ok = sectors(f[3]); !ok {
		return badSectors("size", f[3])
	}
	if q.op, ok = diskSimOp(f[4]); !ok {
		return problem(fmt.Sprintf("flags %q: want 0 (write) or 1 (read)", shown(f[4])))
	}
	return nil
}
