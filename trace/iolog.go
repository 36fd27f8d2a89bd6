package trace

import (
	"fmt"
	"math"
)

// The first rows of fio's I/O logs. A row of version 2 is "file action", for I/O
// followed by "offset length"; times come from the rows "file wait microseconds". A
// row of version 3 begins with its time in microseconds, and there is no wait.
const (
	ioLog2Header = "fio version 2 iolog"
	ioLog3Header = "fio version 3 iolog"
)

type ioLog struct {
	lines
	headed bool
	timed  bool   // the trace is of version 3
	clock  uint64 // in version 2: sum of the waits so far
	file   []byte
}

func openIOLog(o opening) decoder { return &ioLog{lines: newLines(o.r, o.head)} }

func (d *ioLog) device() []byte { return d.file }

func (d *ioLog) read(q *raw) error {
	for {
		line, err := d.next()
		if err != nil {
			return err
		}
		if !d.headed {
			d.headed = true
			if d.timed = string(line) == ioLog3Header; !d.timed && string(line) != ioLog2Header {
				return problem(fmt.Sprintf("header %q: want %s or %s", shown(line), ioLog2Header, ioLog3Header))
			}
			continue
		}
		n := d.blanks(line)
		f := d.fields[:n]
		q.at = d.clock
		if d.timed {
			var ok bool
			if q.at, ok = number(f[0]); !ok {
				return badNumber("time", f[0])
			}
			f = f[1:]
		}
		if played, err := d.action(q, f); played || err != nil {
			return err
		}
	}
}

// action reads "file action" and the fields behind it. It returns false for an
// action that only prepares I/O.
func (d *ioLog) action(q *raw, f [][]byte) (bool, error) {
	if len(f) < 2 {
		return false, problem("has no file and action")
	}
	d.file = f[0]
	args := f[2:]
	switch string(f[1]) {
	case "add", "open", "close":
		return false, nil
	case "wait":
		return false, d.wait(args)
	case "read":
		q.op = Read
	case "write":
		q.op = Write
	case "trim":
		q.op = Trim
	case "sync", "datasync":
		q.op, q.offset, q.length = Flush, 0, 0
		return true, nil
	default:
		return false, problem(fmt.Sprintf("action %q: want add, open, close, wait, read, write, trim, sync or datasync", shown(f[1])))
	}
	if len(args) != 2 {
		return false, problem(fmt.Sprintf("%s with %d values behind it: want offset and length", f[1], len(args)))
	}
	var ok bool
	if q.offset, ok = number(args[0]); !ok {
		return false, badNumber("offset", args[0])
	}
	if q.length, ok = number(args[1]); !ok {
		return false, badNumber("length", args[1])
	}
	return true, nil
}

func (d *ioLog) wait(args [][]byte) error {
	if d.timed {
		return problem("wait: version 3 has none, its rows have times")
	}
	if len(args) == 0 {
		return problem("wait with nothing behind it: want microseconds")
	}
	us, ok := number(args[0])
	if !ok || us > math.MaxUint64-d.clock {
		return badNumber("wait", args[0])
	}
	d.clock += us
	return nil
}
