package trace

import (
	"bytes"
	"fmt"
	"io"
)

// blkparseRow is the row that blkparse prints for an event by default: device,
// processor, sequence number, seconds, process, action, kind of I/O, sector and
// number of sectors. Each I/O has several events: of these one action is played, and
// the others are counted. A summary follows the events.
const blkparseRow = "device cpu sequence seconds pid action rwbs sector + sectors [process]"

// The indices of the fields of a row, and the number of fields of the shortest one.
const (
	blkDevice = iota
	blkCPU
	blkSequence
	blkTime
	blkPID
	blkAction
	blkKind
	blkSector
	blkPlus
	blkCount
	blkLeast = blkKind + 1
)

type blkparse struct {
	lines
	unit   uint64
	action byte // action that is played
}

// openBlkparse plays the requests as they were queued. From a trace without such
// events it plays them as they were issued to the driver, or as they were completed.
func openBlkparse(o opening) decoder {
	d := &blkparse{lines: newLines(o.r, o.head), unit: o.unit, action: 'Q'}
	var seen [256]bool
	rows(blanks, func(f *[maxFields][]byte, n int) bool {
		if matchBlkparse(f, n) {
			seen[f[blkAction][0]] = true
		}
		return false
	})(o.head)
	for _, a := range []byte("QDC") {
		if seen[a] {
			d.action = a
			break
		}
	}
	return d
}

func matchBlkparse(f *[maxFields][]byte, n int) bool {
	if n < blkLeast {
		return false
	}
	major, minor, ok := bytes.Cut(f[blkDevice], []byte{','})
	return ok && isNumber(major) && isNumber(minor) && isNumber(f[blkCPU]) && isNumber(f[blkSequence]) &&
		isDecimal(f[blkTime]) && isNumber(f[blkPID]) && len(f[blkAction]) <= 2
}

func (d *blkparse) device() []byte { return d.fields[blkDevice] }

func (d *blkparse) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	// The summary: for each processor, then for all.
	if bytes.HasPrefix(line, []byte("CPU")) || bytes.HasPrefix(line, []byte("Total (")) {
		return io.EOF
	}
	n := d.blanks(line)
	if n < blkLeast {
		return badFields(n, blkLeast, blkparseRow)
	}
	f := &d.fields
	var ok bool
	if q.at, ok = decimal(f[blkTime], d.unit); !ok {
		return badTime(f[blkTime], d.unit)
	}
	if action := f[blkAction]; len(action) != 1 || action[0] != d.action {
		return d.other(action)
	}
	if q.op, ok = blkOp(f[blkKind]); !ok {
		if f[blkKind][0] == 'N' {
			return notPlayed("I/O without data")
		}
		return problem(fmt.Sprintf("rwbs %q: want R, W, D or F, with F, A, S or M behind it", shown(f[blkKind])))
	}
	if n <= blkCount || string(f[blkPlus]) != "+" {
		if f[blkKind][0] == 'F' {
			q.op, q.offset, q.length = Flush, 0, 0
			return nil
		}
		return problem("has no sector + sectors")
	}
	if q.offset, ok = sectors(f[blkSector]); !ok {
		return badSectors("sector", f[blkSector])
	}
	if q.length, ok = sectors(f[blkCount]); !ok {
		return badSectors("sectors", f[blkCount])
	}
	if q.length == 0 && f[blkKind][0] == 'F' {
		q.op, q.offset = Flush, 0
	}
	return nil
}

// blkActions has an error for each other action of an event, by blkparse's letter.
var blkActions = map[string]error{
	"Q": notPlayed("action Q (queued)"), "G": notPlayed("action G (request made)"), "I": notPlayed("action I (inserted)"), "D": notPlayed("action D (issued)"),
	"C": notPlayed("action C (completed)"), "R": notPlayed("action R (requeued)"), "M": notPlayed("action M (merged at the back)"),
	"F": notPlayed("action F (merged at the front)"), "P": notPlayed("action P (plugged)"), "U": notPlayed("action U (unplugged)"),
	"UT": notPlayed("action UT (unplugged by a timer)"), "S": notPlayed("action S (waited for a request)"), "A": notPlayed("action A (remapped)"),
	"B": notPlayed("action B (bounced)"), "X": notPlayed("action X (split)"), "m": notPlayed("message"),
}

func (d *blkparse) other(action []byte) error {
	if err := blkActions[string(action)]; err != nil {
		return err
	}
	return problem(fmt.Sprintf("action %q does not exist in blkparse", shown(action)))
}

// blkOp reads the operation of an I/O from its letters: F in front for a flush
// before it, then discard, write or read.
func blkOp(field []byte) (Op, bool) {
	kind := field
	if len(kind) > 1 && kind[0] == 'F' {
		kind = kind[1:]
	}
	switch kind[0] {
	case 'R':
		return Read, true
	case 'W':
		return Write, true
	case 'D':
		return Trim, true
	case 'F', 'N':
		return Flush, field[0] == 'F'
	}
	return 0, false
}
