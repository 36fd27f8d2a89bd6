package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/iosrun/iosrun/emulator/machine"
)

// headBytes is the number of bytes of a trace's contents from which its layout is
// found.
const headBytes = 4096

// maxOffset is the largest address in bytes.
const maxOffset = math.MaxInt64

// Options choose the layout, unit, device and tolerance with which a trace is read.
// The zero value finds the layout from the contents and tolerates nothing.
type Options struct {
	// Format names the layout, or FormatAuto.
	Format Format
	// TimeUnit is the unit of the trace's times; 0 stands for the layout's own.
	TimeUnit time.Duration
	// Device is the name in the trace of the device whose requests are wanted; rows of
	// others are counted and left out. When it is empty the device of the first row is
	// wanted, and a row of another one is bad.
	Device string
	// SkipBad is the number of bad rows that are left out before one is an error.
	SkipBad int64
	// VolumeBytes is the size of the volume; a request that ends beyond it is
	// a bad row. 0 means that it is not known.
	VolumeBytes int64
}

// Trace is a Source that streams a recorded trace. A trace's first request is
// at time 0, whatever time the recording gives it.
//
// Rows that are out of order by no more than their layout explains, and by at most
// OrderRows rows, are put in order. A row is bad when a value cannot be read, when
// it is of another device than the rows before, when it is further out of order than
// that or more than MaxSpan after the first, when offset or length is not a multiple
// of SectorBytes, when a length is 0 (for a flush: is not 0) or above
// MaxRequestBytes (reads and writes), or when the end is beyond the volume. The rows
// around a row decide whether it is out of order, so a bad row does not make others
// bad. The last row or record is bad when the end of the file cuts it off so that a
// value is missing; packed data that is cut off or damaged ends the trace with an
// error in any case.
type Trace struct {
	name    string
	options Options
	layout  layout
	unit    time.Duration
	window  window
	dec     decoder
	file    *countingReader
	total   int64
	data    *contents

	ahead  ahead
	order  order
	ending error // error that ended the rows, io.EOF at their end; nil before

	device    []byte
	rows      int64
	requests  int64
	ops       [numOps]int64
	bad       int64
	reasons   []*RowError
	others    int64
	notPlayed []Count
	err       error
}

var _ Source = (*Trace)(nil)

// RowError is a bad row that was not tolerated, or one that was.
type RowError struct {
	Trace string
	// Row is the line of a text file, from 1 and with the header counted, or
	// the record of a binary one, from 1.
	Row int64
	// Problem says which value is wrong and which would be right.
	Problem string
	// Skipped is the number of bad rows that were left out before.
	Skipped int64
}

func (e *RowError) Error() string {
	s := fmt.Sprintf("trace %s row %d: %s", e.Trace, e.Row, e.Problem)
	if e.Skipped > 0 {
		s += fmt.Sprintf(" (after %s, the most allowed)", skippedText(e.Skipped))
	}
	return s
}

func skippedText(n int64) string {
	if n == 1 {
		return "1 bad row that was skipped"
	}
	return fmt.Sprintf("%d bad rows that were skipped", n)
}

// Open opens the trace in a file or a pipe. The caller must close the Trace.
func Open(path string, options Options) (*Trace, error) {
	in, err := OpenInput(path)
	if err != nil {
		return nil, err
	}
	t, err := in.Trace(options)
	if err != nil {
		_ = in.Close() // the first error matters more
		return nil, err
	}
	t.file.also = in
	return t, nil
}

// New streams a trace from r, which may be packed with gzip, zstd, bzip2 or xz. name
// appears in errors. When r is an io.Closer, closing the Trace closes it. New
// already reads the rows that the first one is compared with.
func New(name string, r io.Reader, options Options) (*Trace, error) {
	t, err := newTrace(name, r, options)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", name, err)
	}
	return t, nil
}

func newTrace(name string, r io.Reader, options Options) (*Trace, error) {
	if options.SkipBad < 0 {
		return nil, fmt.Errorf("skip bad %d rows: want 0 or more", options.SkipBad)
	}
	if options.VolumeBytes < 0 {
		return nil, fmt.Errorf("volume of %d bytes: want 0 or more", options.VolumeBytes)
	}
	file := &countingReader{r: r}
	data, err := unpack(bufio.NewReaderSize(file, readBuffer))
	if err != nil {
		return nil, err
	}
	t := &Trace{name: name, options: options, file: file, data: data}
	if err := t.begin(); err != nil {
		data.release()
		return nil, err
	}
	return t, nil
}

// begin finds the layout and reads the first rows.
func (t *Trace) begin() error {
	b := t.data.packed
	if t.data.kind != nil {
		b = bufio.NewReaderSize(t.data, readBuffer)
	}
	if err := skipMark(b); err != nil {
		return t.data.wrong(err)
	}
	head, err := b.Peek(headBytes)
	if len(head) == 0 {
		if err == io.EOF {
			return errors.New("is empty: want at least a header or one request")
		}
		return t.data.wrong(err)
	}
	if t.layout, err = findLayout(t.options.Format, head); err != nil {
		if damage := t.data.prove(); damage != nil {
			return damage
		}
		return err
	}
	if t.unit = t.options.TimeUnit; t.unit == 0 {
		t.unit = t.layout.unit
	}
	tick := uint64(t.unit)
	if t.layout.fraction {
		tick = 1
	}
	t.window = newWindow(tick, t.layout.late)
	if t.options.Device != "" {
		t.device = []byte(t.options.Device)
	}
	t.dec = t.layout.open(opening{r: b, head: head, unit: uint64(t.unit)})
	t.fill()
	return t.checkUnit()
}

// checkUnit reports times that are probably in another unit than the assumed one.
func (t *Trace) checkUnit() error {
	if t.options.TimeUnit != 0 {
		return nil
	}
	for i := range t.ahead.count {
		p := t.ahead.at(i)
		if p.problem != "" {
			continue
		}
		value := p.at
		if t.layout.fraction {
			value /= uint64(t.unit)
		}
		if u, is := otherUnit(value, t.unit); is {
			own := nameOfUnit(t.unit)
			return fmt.Errorf("row %d: time %d is taken for %s, as %s has them, and looks like %s since 1970: want the time unit %s, or %s if it is right",
				p.row, value, own.text, t.layout.format, u.text, u.name, own.name)
		}
		return nil
	}
	return nil
}

// Next fills in the next request; see Source. A bad row that is not tolerated
// is a *RowError.
func (t *Trace) Next(q *Request) error {
	for {
		if t.order.ready(t.window, t.ending != nil && t.ahead.count == 0) {
			r := t.order.take()
			t.requests++
			t.ops[r.op]++
			*q = Request{
				At: machine.Time((r.at - t.order.base) * t.window.tick), Op: r.op,
				Offset: int64(r.offset), Length: int64(r.length),
			}
			return nil
		}
		if t.err != nil {
			return t.err
		}
		if t.ahead.count == 0 && t.ending != nil {
			t.err = t.ending
			return t.err
		}
		t.judge()
		t.fill()
	}
}

// judge removes the row in front, and puts it in order or counts it as bad.
func (t *Trace) judge() {
	p := t.ahead.front()
	wrong := p.problem
	if wrong == "" {
		wrong = t.order.far(p.at, t.window)
	}
	if wrong == "" {
		wrong = t.ahead.odd(&t.order, t.window)
	}
	if wrong == "" {
		wrong = t.order.put(&p.raw, t.window)
	}
	row := p.row
	t.ahead.drop()
	if wrong == "" {
		return
	}
	bad := &RowError{Trace: t.name, Row: row, Problem: string(wrong), Skipped: t.bad}
	if t.bad == t.options.SkipBad { // the rows above it are still handed out
		t.ending, t.ahead.count = bad, 0
		return
	}
	if len(t.reasons) < MaxReasons {
		t.reasons = append(t.reasons, bad)
	}
	t.bad++
}

// fill reads the rows ahead that a row is compared with.
func (t *Trace) fill() {
	for !t.ahead.full() && t.ending == nil {
		p := t.ahead.room()
		err := t.dec.read(&p.raw)
		p.row, p.problem = t.dec.rowNumber(), ""
		if err == nil {
			if err = t.checkRange(&p.raw); err == nil {
				err = t.checkDevice()
			}
		}
		switch err := err.(type) {
		case nil:
			t.rows++
			t.ahead.push(t.window)
		case problem:
			t.rows++
			if p.problem = err; t.dec.cutOff() {
				p.problem = "is cut off, the file ends within it: " + err
			}
			t.ahead.push(t.window)
		case notPlayed:
			t.rows++
			t.notPlayed = count(t.notPlayed, string(err))
		case otherDevice:
			t.rows++
			t.others++
		default:
			if t.ending = err; err != io.EOF {
				t.ending = fmt.Errorf("trace %s after row %d: %w", t.name, t.dec.rowNumber(), t.data.wrong(err))
			}
		}
	}
}

// otherDevice is the error about a row of another device than the one asked for.
type otherDevice struct{}

func (otherDevice) Error() string { return "is of another device" }

// checkDevice checks the device of a row: requests of two devices would be played on
// the same blocks.
func (t *Trace) checkDevice() error {
	if t.layout.devices == "" {
		return nil
	}
	d := t.dec.device()
	switch {
	case t.device == nil:
		t.device = append([]byte{}, d...)
	case string(d) == string(t.device):
	case t.options.Device != "":
		return otherDevice{}
	default:
		return problem(fmt.Sprintf("%s %q: want %q as before, one device a trace, or the name of the one to play", t.layout.devices, shown(d), shown(t.device)))
	}
	return nil
}

func (t *Trace) checkRange(r *raw) error {
	if r.op == Flush {
		if r.offset != 0 || r.length != 0 {
			return problem(fmt.Sprintf("flush with offset %d and length %d: want 0 and 0", r.offset, r.length))
		}
		return nil
	}
	switch {
	case r.offset%SectorBytes != 0:
		return problem(fmt.Sprintf("offset %d is not a multiple of %d", r.offset, SectorBytes))
	case r.length%SectorBytes != 0:
		return problem(fmt.Sprintf("length %d is not a multiple of %d", r.length, SectorBytes))
	case r.length == 0:
		return problem(fmt.Sprintf("length 0 of a %s: want at least %d", r.op, SectorBytes))
	case r.length > MaxRequestBytes && r.op != Trim:
		return problem(fmt.Sprintf("length %d of a %s: want at most %d", r.length, r.op, MaxRequestBytes))
	case r.offset > maxOffset || r.length > maxOffset-r.offset:
		return problem(fmt.Sprintf("offset %d with length %d: want an end of at most %d", r.offset, r.length, uint64(maxOffset)))
	case t.options.VolumeBytes > 0 && r.offset+r.length > uint64(t.options.VolumeBytes):
		return problem(fmt.Sprintf("offset %d with length %d ends at %d, beyond the volume of %d bytes",
			r.offset, r.length, r.offset+r.length, t.options.VolumeBytes))
	}
	return nil
}

// Close ends the trace and closes its file.
func (t *Trace) Close() error {
	if t.data == nil {
		return nil
	}
	t.data.release()
	t.data, t.order.count = nil, 0
	t.err = fmt.Errorf("trace %s: %w", t.name, os.ErrClosed)
	if err := t.file.Close(); err != nil {
		return fmt.Errorf("trace %s: %w", t.name, unwrapPath(err))
	}
	return nil
}

// Name returns the name that the trace was opened with.
func (t *Trace) Name() string { return t.name }

// Format returns the layout of the trace.
func (t *Trace) Format() Format { return t.layout.format }

// Requests returns the number of requests that Next has handed out.
func (t *Trace) Requests() int64 { return t.requests }

// Bad returns the number of bad rows skipped so far, and the error about the first
// of them.
func (t *Trace) Bad() (rows int64, first error) {
	if t.bad == 0 {
		return 0, nil
	}
	return t.bad, t.reasons[0]
}

// Findings returns the findings so far. Rows are counted when they are read, which
// is somewhat before their requests are handed out.
func (t *Trace) Findings() Findings {
	f := Findings{
		Layout: t.layout.format, Device: string(t.device),
		Rows: t.rows, Requests: t.requests, Ops: t.ops, Bad: t.bad, Reasons: t.reasons, OtherDevices: t.others, NotPlayed: t.notPlayed,
		Reordered: t.order.moved, ReorderedBy: machine.Time(t.order.most * t.window.tick).Duration(),
	}
	if d := t.data; d != nil {
		f.Padding, f.Behind = d.padding, d.behind
		if d.kind != nil {
			f.Packing = d.kind.name
		}
	}
	if t.window.tick >= uint64(time.Second) {
		f.Notes = append(f.Notes, "times are whole seconds: the requests of a second arrive at once")
	}
	if f.Requests > 1 && t.order.high == t.order.base {
		f.Notes = append(f.Notes, "every row has the same time: all requests arrive at once")
	}
	return f
}

// Progress returns the number of bytes of the file that have been read, in packed
// form, and their total number; total is 0 when it is not known.
func (t *Trace) Progress() (done, total int64) { return t.file.n, t.total }

// countingReader counts the bytes that were read.
type countingReader struct {
	r    io.Reader
	n    int64
	also io.Closer // closed as well, if not nil
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Close closes the underlying reader and the field also, where they can be closed.
func (c *countingReader) Close() error {
	var err error
	if f, ok := c.r.(io.Closer); ok {
		err = f.Close()
	}
	if c.also != nil {
		err = errors.Join(err, c.also.Close())
	}
	return err
}
