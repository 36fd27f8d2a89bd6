package trace

import (
	"fmt"
)

// spcRow is the layout of the Storage Performance Council's trace files (SPC
// Trace File Format Specification, revision 1.0.1): the application-specific
// unit, an address in sectors of 512 bytes, a size in bytes, R or W, and seconds
// with a fraction. Optional fields may follow and are not used.
const spcRow = "ASU,LBA,Size,Opcode,Timestamp"

const spcFields = 5

type spc struct {
	lines
	unit uint64
}

func openSPC(o opening) decoder { return &spc{lines: newLines(o.r, o.head), unit: o.unit} }

func matchSPC(f *[maxFields][]byte, n int) bool {
	if n < spcFields {
		return false
	}
	_, op := letterOp(f[3])
	return op && isNumber(f[0]) && isNumber(f[1]) && isNumber(f[2]) && isDecimal(f[4])
}

func (d *spc) device() []byte { return d.fields[0] }

func (d *spc) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if n := d.commas(line); n < spcFields {
		return badFields(n, spcFields, spcRow)
	}
	f := &d.fields
	var ok bool
	if !isNumber(f[0]) {
		return badNumber("ASU", f[0])
	}
	if q.offset, ok = sectors(f[1]); !ok {
		return badSectors("LBA", f[1])
	}
	if q.length, ok = number(f[2]); !ok {
		return badNumber("size", f[2])
	}
	if q.op, ok = letterOp(f[3]); !ok {
		return problem(fmt.Sprintf("opcode %q: want R or W", shown(f[3])))
	}
	if q.at, ok = decimal(f[4], d.unit); !ok {
		return badTime(f[4], d.unit)
	}
	return nil
}
