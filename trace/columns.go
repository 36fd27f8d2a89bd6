package trace

import (
	"fmt"
)

// columns describes a text layout with a request in each row and a value in each
// column.
type columns struct {
	// names are the names of the columns, as the layout or its header has them.
	names string
	// cut cuts a row into fields.
	cut func(line []byte, fields *[maxFields][]byte) int
	// count is the number of columns; with more, further ones may follow.
	count int
	more  bool
	// header says whether the first row may, or must, have the names of the columns.
	header heading
	// device lists the columns, next to each other, that name the device of a row. It
	// is empty when rows name none.
	device []int
	// used are the columns that a request is made from, in the order in which they
	// are checked.
	used []column
	// telling checks further columns, which are not read, to tell rows of the layout
	// from rows of other layouts. It may be nil.
	telling func(f *[maxFields][]byte) bool
}

type heading uint8

const (
	headless heading = iota
	mayHead
	mustHead
)

// column is a column that is used.
type column struct {
	field int
	name  string // name in messages
	form  form
	words *operations // words of a column of the form operation
}

// form is the kind of value in a column, with its unit.
type form uint8

const (
	ticks         form = iota // time: a whole number of the layout's units
	decimalTime               // time: a number of the layout's units, in nanoseconds
	offsetBytes               // offset in bytes
	offsetSectors             // offset in sectors
	lengthBytes               // length in bytes
	lengthSectors             // length in sectors
	operation                 // one of the words
	anyNumber                 // a whole number, not used
)

// operations are the words of a layout for operations.
type operations struct {
	want  string // list of the words for messages
	words []operationWord
	// empty says that the column may be empty; such a row is not played.
	empty bool
}

type operationWord struct {
	text string
	op   Op
}

// read puts a field into the request. It returns false when the field does not have
// the column's form.
func (c *column) read(q *raw, field []byte, unit uint64) (ok bool) {
	switch c.form {
	case ticks:
		q.at, ok = number(field)
	case decimalTime:
		q.at, ok = decimal(field, unit)
	case offsetBytes:
		q.offset, ok = number(field)
	case offsetSectors:
		q.offset, ok = sectors(field)
	case lengthBytes:
		q.length, ok = number(field)
	case lengthSectors:
		q.length, ok = sectors(field)
	case operation:
		for i := range c.words.words {
			if w := &c.words.words[i]; string(field) == w.text {
				q.op = w.op
				return true
			}
		}
	case anyNumber:
		ok = isNumber(field)
	}
	return ok
}

// untyped reports whether a field is an empty operation.
func (c *column) untyped(field []byte) bool {
	return c.form == operation && c.words.empty && len(field) == 0
}

// wrong returns the error about a field that could not be read.
func (c *column) wrong(field []byte, unit uint64) error {
	switch {
	case c.untyped(field):
		return notPlayed("row without a type")
	case c.form == decimalTime:
		return badTime(field, unit)
	case c.form == offsetSectors || c.form == lengthSectors:
		return badSectors(c.name, field)
	case c.form == operation:
		return problem(fmt.Sprintf("%s %q: want %s", c.name, shown(field), c.words.want))
	}
	return badNumber(c.name, field)
}

// fits reports whether a row of the layout can have n columns.
func (c *columns) fits(n int) bool { return n == c.count || c.more && n > c.count }

// matches returns the number of first rows that are in the layout.
func (c *columns) matches(head []byte) int {
	n := 0
	if c.header != headless {
		n = header(c.names)(head)
	}
	if c.header != mustHead {
		n = max(n, rows(c.cut, c.match)(head))
	}
	return n
}

// match reports whether a row is in the layout.
func (c *columns) match(f *[maxFields][]byte, n int) bool {
	if !c.fits(n) {
		return false
	}
	var q raw
	for i := range c.used {
		if u := &c.used[i]; !u.read(&q, f[u.field], 1) && !u.untyped(f[u.field]) {
			return false
		}
	}
	return c.telling == nil || c.telling(f)
}

func (c *columns) open(o opening) decoder {
	return &columnReader{columns: c, lines: newLines(o.r, o.head), unit: o.unit}
}

// columnReader reads the rows of a layout of columns.
type columnReader struct {
	*columns
	lines
	unit   uint64
	headed bool
}

func (d *columnReader) device() []byte {
	of := d.columns.device
	if len(of) == 0 {
		return nil
	}
	n := len(of) - 1 // commas between them
	for _, i := range of {
		n += len(d.fields[i])
	}
	return d.fields[of[0]][:n] // fields alias the row, which goes on behind them
}

func (d *columnReader) read(q *raw) error {
	line, err := d.next()
	if err != nil {
		return err
	}
	if !d.headed {
		d.headed = true
		switch is := string(line) == d.names; {
		case is && d.header != headless:
			if line, err = d.next(); err != nil {
				return err
			}
		case !is && d.header == mustHead:
			return problem(fmt.Sprintf("header %q: want %s", shown(line), d.names))
		}
	}
	if n := d.cut(line, &d.fields); !d.fits(n) {
		return badFields(n, d.count, d.names)
	}
	for i := range d.used {
		if u := &d.used[i]; !u.read(q, d.fields[u.field], d.unit) {
			return u.wrong(d.fields[u.field], d.unit)
		}
	}
	return nil
}
