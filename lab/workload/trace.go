package workload

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/iosrun/iosrun/emulator/machine"
)

// headBytes is how much of a trace's contents is looked at to find its layout.
const headBytes = 4096

// maxOffset is the largest address in bytes.
const maxOffset = math.MaxInt64

// TraceOptions say how a trace is read. The zero value finds the layout from
// the contents and tolerates nothing.
type TraceOptions struct {
	// Format names the layout, or FormatAuto.
	Format Format
	// SkipBad is how many bad rows are left out before one is an error.
	SkipBad int64
	// VolumeBytes is the size of the volume; a request that ends beyond it is
	// a bad row. 0 means that it is not known.
	VolumeBytes int64
}

// Trace is a Source that streams a recorded trace. A trace's first request is
// at time 0, whatever time the recording gives it.
//
// A row is bad where a value cannot be read, where it is earlier than the row
// before or more than MaxSpan after the first, where offset or length is not a
// multiple of SectorBytes, where a length is 0 (for a flush: is not 0) or above
// MaxRequestBytes (reads and writes), or where the end is beyond the volume. A
// binary record that the end of the file cuts off is a bad row; packed data
// that is cut off or damaged ends the trace with an error in any case.
type Trace struct {
	name    string
	options TraceOptions
	layout  layout
	packing string
	dec     decoder
	file    *countingReader
	total   int64
	release func()

	raw      raw
	base     uint64 // time of the first request, in ticks
	last     uint64 // time of the request before, in ticks
	started  bool
	requests int64
	bad      int64
	firstBad error
	err      error
}

var _ Source = (*Trace)(nil)

// RowError is a bad row that was not tolerated, or the first that was.
type RowError struct {
	Trace string
	// Row is the line of a text file, from 1 and with the header counted, or
	// the record of a binary one, from 1.
	Row int64
	// Problem says which value is wrong and what would be right.
	Problem string
	// Skipped is how many bad rows were left out before.
	Skipped int64
}

func (e *RowError) Error() string {
	s := fmt.Sprintf("trace %s row %d: %s", e.Trace, e.Row, e.Problem)
	if e.Skipped > 0 {
		s += fmt.Sprintf(" (after %d bad rows that were skipped, the most allowed)", e.Skipped)
	}
	return s
}

// OpenTrace opens the trace in a file. The Trace must be closed.
func OpenTrace(path string, options TraceOptions) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, unwrapPath(err))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder: want a file")
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("trace %s: %w", path, unwrapPath(err))
	}
	t, err := NewTrace(path, f, options)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	if info.Mode().IsRegular() {
		t.total = info.Size()
	}
	return t, nil
}

// unwrapPath drops the path from an error that names it already.
func unwrapPath(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// NewTrace streams a trace from r, which may be packed with gzip or zstd. name
// stands in errors. Where r is an io.Closer, closing the Trace closes it.
func NewTrace(name string, r io.Reader, options TraceOptions) (*Trace, error) {
	if options.SkipBad < 0 {
		return nil, fmt.Errorf("trace %s: skip bad %d rows: want 0 or more", name, options.SkipBad)
	}
	if options.VolumeBytes < 0 {
		return nil, fmt.Errorf("trace %s: volume of %d bytes: want 0 or more", name, options.VolumeBytes)
	}
	file := &countingReader{r: r}
	contents, packing, release, err := unpack(bufio.NewReaderSize(file, readBuffer))
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", name, err)
	}
	b, ok := contents.(*bufio.Reader)
	if !ok {
		b = bufio.NewReaderSize(contents, readBuffer)
	}
	head, err := b.Peek(headBytes)
	if len(head) == 0 {
		release()
		if err == io.EOF {
			return nil, fmt.Errorf("trace %s: is empty: want at least a header or one request", name)
		}
		return nil, fmt.Errorf("trace %s: %w", name, packingError(packing, err))
	}
	l, err := findLayout(options.Format, head)
	if err != nil {
		release()
		return nil, fmt.Errorf("trace %s: %w", name, err)
	}
	return &Trace{
		name: name, options: options, layout: l, packing: packing,
		dec: l.open(b, head), file: file, release: release,
	}, nil
}

// Next fills in the next request; see Source. A bad row that is not tolerated
// is a *RowError.
func (t *Trace) Next(q *Request) error {
	if t.err != nil {
		return t.err
	}
	for {
		err := t.dec.read(&t.raw)
		if err == nil {
			if err = t.accept(q); err == nil {
				return nil
			}
		}
		p, isRow := err.(problem)
		if !isRow {
			return t.end(err)
		}
		bad := &RowError{Trace: t.name, Row: t.dec.rowNumber(), Problem: string(p), Skipped: t.bad}
		if t.bad == t.options.SkipBad {
			t.err = bad
			return bad
		}
		if t.bad == 0 {
			t.firstBad = bad
		}
		t.bad++
	}
}

// end keeps the error that ended the trace.
func (t *Trace) end(err error) error {
	t.err = err
	if err != io.EOF {
		t.err = fmt.Errorf("trace %s after row %d: %w", t.name, t.dec.rowNumber(), packingError(t.packing, err))
	}
	return t.err
}

// accept checks the row read last and makes it a request.
func (t *Trace) accept(q *Request) error {
	r := &t.raw
	if err := t.checkRange(r); err != nil {
		return err
	}
	if !t.started {
		t.started, t.base, t.last = true, r.at, r.at
	}
	if r.at < t.last {
		return problem(fmt.Sprintf("time %d is before %d, the time of the row above: want rows in order of time", r.at, t.last))
	}
	since := r.at - t.base
	if since > uint64(MaxSpan)/t.layout.tick {
		return problem(fmt.Sprintf("time %d is %d units of %d ns after the first: want at most %s", r.at, since, t.layout.tick, spanText()))
	}
	t.last = r.at
	t.requests++
	*q = Request{At: machine.Time(since * t.layout.tick), Op: r.op, Offset: int64(r.offset), Length: int64(r.length)}
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

// Close gives up the trace and closes its file.
func (t *Trace) Close() error {
	if t.release == nil {
		return nil
	}
	t.release()
	t.release = nil
	t.err = fmt.Errorf("trace %s: %w", t.name, os.ErrClosed)
	if c, ok := t.file.r.(io.Closer); ok {
		if err := c.Close(); err != nil {
			return fmt.Errorf("trace %s: %w", t.name, unwrapPath(err))
		}
	}
	return nil
}

// Name is the name that the trace was opened with.
func (t *Trace) Name() string { return t.name }

// Format is the layout that the trace is in.
func (t *Trace) Format() Format { return t.layout.format }

// Requests is how many requests Next has handed out.
func (t *Trace) Requests() int64 { return t.requests }

// Bad is how many bad rows have been skipped so far, and the first of them.
func (t *Trace) Bad() (rows int64, first error) { return t.bad, t.firstBad }

// Progress is how many bytes of the file have been read, packed as they are,
// and how many there are; total is 0 where that is not known.
func (t *Trace) Progress() (done, total int64) { return t.file.n, t.total }

// countingReader counts the bytes that were read.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
