package trace

import (
	"fmt"
)

// alibabaRow is the layout of the block traces of Alibaba's cloud (Li, Wang, Lee
// and others, IISWC 2020), without a header: offset and length in bytes, times in
// microseconds.
const alibabaRow = "device_id,opcode,offset,length,timestamp"

const alibabaFields = 5

type alibaba struct{ lines }

func openAlibaba(o opening) decoder { return &alibaba{newLines(o.r, o.head)} }

func matchAlibaba(f *[maxFields][]byte, n int) bool {
	if n != alibabaFields {
		return false
	}
	_, op := letterOp(f[1])
	return op && isNumber(f[2]) && isNumber(f[3]) && isNumber(f[4])
}

func (d *alibaba) device() []byte { return d.fields[0] }

func (d *alibaba) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if n := d.commas(line); n != alibabaFields {
		return badFields(n, alibabaFields, alibabaRow)
	}
	f := &d.fields
	var ok bool
	if q.op, ok = letterOp(f[1]); !ok {
		return problem(fmt.Sprintf("opcode %q: want R or W", shown(f[1])))
	}
	if q.offset, ok = number(f[2]); !ok {
		return badNumber("offset", f[2])
	}
	if q.length, ok = number(f[3]); !ok {
		return badNumber("length", f[3])
	}
	if q.at, ok = number(f[4]); !ok {
		return badNumber("timestamp", f[4])
	}
	return nil
}
