package trace

import (
	"fmt"
)

// tencentRow is the layout of the block traces of Tencent's cloud (Zhang, Huang,
// Zhou and others, ATC 2020), without a header: times in whole seconds, offset
// and size in sectors, 0 for a read and 1 for a write.
const tencentRow = "Timestamp,Offset,Size,IOType,VolumeID"

const tencentFields = 5

type tencent struct{ lines }

func openTencent(o opening) decoder { return &tencent{newLines(o.r, o.head)} }

func matchTencent(f *[maxFields][]byte, n int) bool {
	if n != tencentFields {
		return false
	}
	_, op := tencentOp(f[3])
	return op && isNumber(f[0]) && isNumber(f[1]) && isNumber(f[2]) && isNumber(f[4])
}

func tencentOp(field []byte) (Op, bool) {
	switch string(field) {
	case "0":
		return Read, true
	case "1":
		return Write, true
	}
	return 0, false
}

func (d *tencent) device() []byte { return d.fields[4] }

func (d *tencent) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if n := d.commas(line); n != tencentFields {
		return badFields(n, tencentFields, tencentRow)
	}
	f := &d.fields
	var ok bool
	if q.at, ok = number(f[0]); !ok {
		return badNumber("timestamp", f[0])
	}
	if q.offset, ok = sectors(f[1]); !ok {
		return badSectors("offset", f[1])
	}
	if q.length, ok = sectors(f[2]); !ok {
		return badSectors("size", f[2])
	}
	if q.op, ok = tencentOp(f[3]); !ok {
		return problem(fmt.Sprintf("type %q: want 0 (read) or 1 (write)", shown(f[3])))
	}
	return nil
}
