package workload

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
)

const (
	// MaxLine is the longest row of a text trace in bytes, its end included.
	MaxLine = 4096
	// readBuffer is the buffer between a trace and its decoder, in bytes.
	readBuffer = 64 << 10
	// maxFields is one more than the most fields that a text layout has, so
	// that a surplus is noticed.
	maxFields = 8
	// shownBytes is how much of a bad value an error quotes.
	shownBytes = 40
)

// lines hands out the rows of a text trace without their ends.
type lines struct {
	r   *bufio.Reader
	row int64
	// fields belong to the row read last and alias the reader's buffer.
	fields [maxFields][]byte
}

// next reads the next row that is not blank. The result is good until the next
// call. A row above MaxLine is a problem; its rest has been skipped.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return nil, err
		}
		l.row++
		if errors.Is(err, bufio.ErrBufferFull) || len(line) > MaxLine {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = l.r.ReadSlice('\n')
			}
			if err != nil && err != io.EOF {
				return nil, err
			}
			return nil, problem(fmt.Sprintf("is longer than the limit of %d bytes a row", MaxLine))
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if line = trimEnd(line); len(line) > 0 {
			return line, nil
		}
	}
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// split cuts the row at its commas and says how many fields there are; those
// above maxFields are not told apart.
func (l *lines) split(line []byte) int { return split(line, &l.fields) }

func split(line []byte, fields *[maxFields][]byte) int {
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

func badNumber(what string, field []byte) problem {
	return problem(fmt.Sprintf("%s %q: want a whole number from 0 to %d", what, shown(field), uint64(math.MaxUint64)))
}

func shown(b []byte) []byte { return b[:min(len(b), shownBytes)] }
