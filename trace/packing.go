package trace

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// Limits of packed data.
const (
	// MaxWindow is the largest window, in bytes, with which zstd or xz data may have
	// been packed. It is the largest that the zstd tool itself unpacks without an
	// option, and twice the window of "xz -9".
	MaxWindow = 128 << 20
	// MaxBehind is the largest number of other bytes behind the end of packed data, as
	// in a file that was copied in blocks. More of them may be damaged packed data.
	MaxBehind = 64 << 10
	// MaxPadding is the largest number of zeros behind the end of packed data.
	MaxPadding = 64 << 20
)

// packing is one row of the table of packings.
type packing struct {
	name  string
	magic string
	// open returns an unpacker. It reads all packed members one after the other, and
	// passes the bytes behind them to the contents' tail.
	open func(c *contents) (io.Reader, func(), error)
	// behind reports whether an error of the unpacker means that other bytes stand
	// behind a complete member, and how many of them the unpacker has read.
	behind func(error) (taken int, is bool)
}

func packings() []packing {
	return []packing{
		{"gzip", "\x1F\x8B", openGzip, nil},
		{"zstd", "\x28\xB5\x2F\xFD", openZstd, func(err error) (int, bool) { return 4, errors.Is(err, zstd.ErrMagicMismatch) }},
		{"bzip2", "BZh", openBzip2, func(err error) (int, bool) {
			return 2, err == bzip2.StructuralError("bad magic value in continuation file")
		}},
		// The package has no name for the error.
		{"xz", "\xFD7zXZ\x00", openXZ, func(err error) (int, bool) {
			return xz.HeaderLen, strings.HasSuffix(err.Error(), "invalid header magic bytes")
		}},
	}
}

// contents reads the contents of a trace. It unpacks packed data; plain data it
// reads directly.
type contents struct {
	packed  *bufio.Reader
	tape    tape
	kind    *packing // nil for plain data
	r       io.Reader
	release func()

	// padding and behind are the numbers of zeros, and of other bytes, behind the end
	// of the packed data.
	padding, behind int64

	err error // error that has ended reading
}

// unpack returns the contents of plain or packed data, which it tells apart by the
// first bytes.
func unpack(r *bufio.Reader) (*contents, error) {
	// Data too short to tell is plain; a failing read shows up again later.
	head, _ := r.Peek(8)
	c := &contents{packed: r, release: func() {}}
	for _, p := range packings() {
		// The first bytes of a magic also count, for a file that is cut off right there.
		if n := min(len(head), len(p.magic)); n < 2 || string(head[:n]) != p.magic[:n] {
			continue
		}
		c.kind, c.tape.r = &p, r
		var err error
		if c.r, c.release, err = p.open(c); err != nil {
			return nil, c.wrong(err)
		}
		return c, nil
	}
	return c, nil
}

// Read returns unpacked data. It repeats an error for ever, because an unpacker may
// go on after one as if nothing had happened.
func (c *contents) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF && c.kind.behind != nil {
		if taken, is := c.kind.behind(err); is {
			err = c.tail(c.tape.last(taken))
		}
	}
	c.err = err
	return n, err
}

// proveBytes is the number of bytes that are unpacked from packed data without a
// known layout, to see whether it is damaged: more than a bzip2 block, whose
// checksum comes behind it.
const proveBytes = 2 << 20

// prove reads on in packed data and returns the error about damage, or nil.
func (c *contents) prove() error {
	if c.kind == nil {
		return nil
	}
	if _, err := io.CopyN(io.Discard, c, proveBytes); err != nil && err != io.EOF {
		return c.wrong(err)
	}
	return nil
}

// errBehind says that too much stands behind the end of packed data.
var errBehind = errors.New("something else stands behind the end")

// tail counts the bytes behind the end of the packed data; the unpacker has already
// read the first of them. It returns io.EOF, or an error when there are too many.
func (c *contents) tail(taken []byte) error {
	padded := true
	for {
		chunk := taken
		if taken = nil; len(chunk) == 0 {
			if _, err := c.packed.Peek(1); err != nil {
				return err // io.EOF among them
			}
			chunk, _ = c.packed.Peek(c.packed.Buffered())
			if _, err := c.packed.Discard(len(chunk)); err != nil {
				return err
			}
		}
		if padded {
			rest := bytes.TrimLeft(chunk, "\x00")
			c.padding += int64(len(chunk) - len(rest))
			chunk, padded = rest, len(rest) == 0
		}
		c.behind += int64(len(chunk))
		switch {
		case c.padding > MaxPadding:
			return fmt.Errorf("%w: more than %d zeros", errBehind, MaxPadding)
		case c.behind > MaxBehind:
			return fmt.Errorf("%w: more than %d bytes that are no further %s data, which may be damage", errBehind, MaxBehind, c.kind.name)
		}
	}
}

// wrong returns an error about damaged data.
func (c *contents) wrong(err error) error {
	switch {
	case c.kind == nil:
		return fmt.Errorf("reading: %w", err)
	case errors.Is(err, errBehind):
		return fmt.Errorf("%s data: %w", c.kind.name, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%s data is cut off: want a whole %s file: %w", c.kind.name, c.kind.name, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s data is damaged: want a whole %s file: %w", c.kind.name, c.kind.name, err)
}

// members unpacks gzip members one after the other. It stops at the first byte that
// does not begin a member, as gzip itself does.
type members struct {
	c *contents
	z *gzip.Reader
}

func openGzip(c *contents) (io.Reader, func(), error) {
	z, err := gzip.NewReader(c.packed)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &members{c, z}, func() { _ = z.Close() }, nil
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if n > 0 && err == io.EOF {
			err = nil // the next read returns it again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		magic, err := m.c.packed.Peek(len(m.c.kind.magic))
		if string(magic) != m.c.kind.magic {
			if err != nil && err != io.EOF {
				return 0, err
			}
			return 0, m.c.tail(nil)
		}
		if err := m.z.Reset(m.c.packed); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		m.z.Multistream(false)
	}
}

func openZstd(c *contents) (io.Reader, func(), error) {
	// Concurrency 1 unpacks on the caller's goroutine.
	z, err := zstd.NewReader(&c.tape, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(MaxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

func openBzip2(c *contents) (io.Reader, func(), error) {
	return bzip2.NewReader(&c.tape), func() {}, nil
}

// The offsets in an xz block's header from which its window is read (section 3.1 of
// the specification). The one filter that is known, LZMA2, has one byte of
// properties.
const (
	xzBlockFlags = xz.HeaderLen + 1
	xzSizes      = 0xC0 // in the flags: sizes stand before the filter
	xzFilter     = xz.HeaderLen + 2
	xzProperty   = xzFilter + 2
)

func openXZ(c *contents) (io.Reader, func(), error) {
	// The package allocates the whole window at once. Only the first block is checked:
	// a writer gives all blocks the same window.
	if head, err := c.packed.Peek(xzProperty + 1); err == nil && head[xzBlockFlags]&xzSizes == 0 && head[xzFilter] == 0x21 {
		if window, err := lzma.DecodeDictCap(head[xzProperty]); err == nil && window > MaxWindow {
			return nil, nil, fmt.Errorf("window of %d bytes: want at most %d", window, int64(MaxWindow))
		}
	}
	z, err := xz.NewReader(&c.tape)
	if err != nil {
		return nil, nil, err
	}
	return z, func() {}, nil
}

// tape hands packed data to an unpacker and remembers the end of it.
type tape struct {
	r    *bufio.Reader
	n    int64
	ring [16]byte
}

func (t *tape) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	for _, b := range p[max(0, n-len(t.ring)):n] {
		t.ring[(t.n)%int64(len(t.ring))] = b
		t.n++
	}
	return n, err
}

func (t *tape) ReadByte() (byte, error) {
	b, err := t.r.ReadByte()
	if err == nil {
		t.ring[t.n%int64(len(t.ring))] = b
		t.n++
	}
	return b, err
}

// last returns the last n bytes that were handed out.
func (t *tape) last(n int) []byte {
	out := make([]byte, 0, len(t.ring))
	for i := max(0, t.n-int64(min(n, len(t.ring)))); i < t.n; i++ {
		out = append(out, t.ring[i%int64(len(t.ring))])
	}
	return out
}
