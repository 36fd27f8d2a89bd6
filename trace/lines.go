package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Limits of text traces.
const (
	// MaxLine is the longest row of a text trace in bytes, its end included.
	MaxLine = 4096
	// MaxLongLine is the longest row that is skipped as a bad row, in bytes: 1 MiB. A
	// longer one ends the trace.
	MaxLongLine = 1 << 20
	// MaxBlank is the largest number of bytes of blank rows one after the other: 1
	// MiB.
	MaxBlank = 1 << 20
)

const (
	// readBuffer is the size of the buffer between a trace and its decoder, in bytes.
	readBuffer = 64 << 10
	// maxFields is one more than the largest number of fields of a text layout, so
	// that a surplus is noticed.
	maxFields = 12
	// shownBytes is the number of bytes of a bad value that an error quotes.
	shownBytes = 40
)

const byteOrderMark = "\uFEFF"

// lines hands out the rows of a text trace without their line ends, those of Unix or
// Windows or single carriage returns, and without a byte order mark.
type lines struct {
	r   *bufio.Reader
	end byte
	row int64
	// torn says that the row read last is the last one and has no end.
	torn bool
	// fields belong to the row read last and alias the reader's buffer.
	fields [maxFields][]byte
}

// newLines reads rows from r, whose first bytes are head.
func newLines(r *bufio.Reader, head []byte) lines {
	return lines{r: r, end: lineEnd(head)}
}

// lineEnd returns the byte that ends rows: a line feed, or when there is none, a
// carriage return.
func lineEnd(head []byte) byte {
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		return '\r'
	}
	return '\n'
}

// skipMark skips a byte order mark at the beginning of a text.
func skipMark(r *bufio.Reader) error {
	if head, _ := r.Peek(len(byteOrderMark)); string(head) != byteOrderMark {
		return nil
	}
	_, err := r.Discard(len(byteOrderMark))
	return err
}

// next reads the next row that is not blank. The result is valid until the next
// call. For a row longer than MaxLine it returns a problem and skips the rest of the
// row.
func (l *lines) next() ([]byte, error) {
	for blank := 0; ; {
		line, err := l.r.ReadSlice(l.end)
		if len(line) == 0 && err != nil {
			return nil, err
		}
		l.row++
		if errors.Is(err, bufio.ErrBufferFull) || len(line) > MaxLine {
			return nil, l.long(len(line), err)
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		l.torn = err == io.EOF
		if text := trimEnd(line); len(bytes.TrimSpace(text)) > 0 {
			return text, nil
		}
		if blank += len(line); blank > MaxBlank {
			return nil, fmt.Errorf("has more than %d bytes of blank rows one after the other", MaxBlank)
		}
	}
}

// long skips the rest of a row of which n bytes have been read.
func (l *lines) long(n int, err error) error {
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = l.r.ReadSlice(l.end)
		if n += len(more); n > MaxLongLine {
			return fmt.Errorf("row %d has no end within %d bytes: want rows of at most %d", l.row, MaxLongLine, MaxLine)
		}
	}
	if err != nil && err != io.EOF {
		return err
	}
	return problem(fmt.Sprintf("is longer than the limit of %d bytes a row", MaxLine))
}

func (l *lines) rowNumber() int64 { return l.row }

// cutOff reports whether the file ends within the row read last.
func (l *lines) cutOff() bool { return l.torn }

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// commas cuts a row at its commas and returns the number of fields; the last field
// of maxFields holds the rest of the row.
func commas(line []byte, fields *[maxFields][]byte) int {
	n, start := 0, 0
	for i, c := range line {
		if c == ',' {
			if n == maxFields-1 {
				break
			}
			fields[n] = line[start:i]
			n++
			start = i + 1
		}
	}
	fields[n] = line[start:]
	return n + 1
}

// blanks cuts the row at its blanks and tabs.
func (l *lines) blanks(line []byte) int { return blanks(line, &l.fields) }

func blanks(line []byte, fields *[maxFields][]byte) int {
	n, start := 0, -1
	for i, c := range line {
		if blank := c == ' ' || c == '\t'; !blank && start < 0 {
			start = i
		} else if blank && start >= 0 {
			fields[n] = line[start:i]
			start = -1
			if n++; n == maxFields {
				return n
			}
		}
	}
	if start >= 0 {
		fields[n] = line[start:]
		n++
	}
	return n
}

// number reads a whole decimal number without a sign.
func number(field []byte) (uint64, bool) {
	if len(field) == 0 || len(field) > 20 {
		return 0, false
	}
	var v uint64
	for _, c := range field {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		if v >= math.MaxUint64/10 && (v > math.MaxUint64/10 || d > math.MaxUint64%10) {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	return v, true
}

// decimal reads a decimal number without a sign or an exponent, scaled up by a
// power of ten. Digits beyond the scale are dropped.
func decimal(field []byte, scale uint64) (uint64, bool) {
	whole, part, pointed := bytes.Cut(field, []byte{'.'})
	v, ok := number(whole)
	if !ok || v > math.MaxUint64/scale {
		return 0, false
	}
	v *= scale
	if pointed && len(part) == 0 {
		return 0, false
	}
	for _, c := range part {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		scale /= 10
		if v > math.MaxUint64-uint64(d)*scale {
			return 0, false
		}
		v += uint64(d) * scale
	}
	return v, true
}

// sectors reads a number of sectors as bytes.
func sectors(field []byte) (uint64, bool) {
	v, ok := number(field)
	if v > math.MaxUint64/SectorBytes {
		return 0, false
	}
	return v * SectorBytes, ok
}

func badNumber(what string, field []byte) problem {
	return problem(fmt.Sprintf("%s %q: want a whole number from 0 to %d", what, shown(field), uint64(math.MaxUint64)))
}

func badSectors(what string, field []byte) problem {
	return problem(fmt.Sprintf("%s %q: want a whole number of sectors from 0 to %d", what, shown(field), uint64(math.MaxUint64/SectorBytes)))
}

func badTime(field []byte, unit uint64) problem {
	own := nameOfUnit(time.Duration(unit))
	whole, _, _ := bytes.Cut(field, []byte{'.'})
	if v, ok := number(whole); ok {
		if u, is := otherUnit(v, time.Duration(unit)); is {
			return problem(fmt.Sprintf("time %s looks like %s since 1970: want %s, or the time unit %s", shown(field), u.text, own.text, u.name))
		}
	}
	return problem(fmt.Sprintf("time %q: want a number of %s, such as 12.5", shown(field), own.text))
}

func badFields(n, want int, row string) problem {
	return problem(fmt.Sprintf("%d fields: want %d, %s", n, want, row))
}

func shown(b []byte) []byte { return b[:min(len(b), shownBytes)] }
