package wasm

import (
	"fmt"
	"unicode/utf8"

	"github.com/iosrun/iosrun/abi"
)

// Error says what is invalid in a module, and at which byte.
type Error struct {
	Offset int
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("wasm module at byte %#x: %s", e.Offset, e.Text) }

// reader reads b from at on. The first error stays, and everything read after
// it is zero; at does not move past end.
type reader struct {
	b   []byte
	at  int
	end int
	err error
}

func (r *reader) fail(at int, format string, a ...any) {
	if r.err == nil {
		r.err = &Error{at, abi.Visible(fmt.Sprintf(format, a...))}
	}
}

func (r *reader) left() int { return r.end - r.at }

func (r *reader) byte(what string) byte {
	if r.err != nil {
		return 0
	}
	if r.at >= r.end {
		r.fail(r.at, "ends where %s should be", what)
		return 0
	}
	c := r.b[r.at]
	r.at++
	return c
}

// U32 reads the unsigned LEB128 number at the start of b and returns it with its
// length in bytes: 0 when b ends within it, and -1 for a number of more than 32
// bits.
func U32(b []byte) (v uint32, n int) {
	for i, c := range b {
		if i == 4 && c > 0x0F {
			return 0, -1
		}
		v |= uint32(c&0x7F) << (7 * i)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32(what string) uint32 { return r.number("", what) }

// number reads a number of "of" something, in two parts since most are not told
// to anybody.
func (r *reader) number(of, what string) uint32 {
	if r.err != nil {
		return 0
	}
	v, n := U32(r.b[r.at:r.end])
	switch {
	case n == 0:
		r.fail(r.end, "ends where %s%s should be", of, what)
	case n < 0:
		r.fail(r.at, "%s%s is not a number of at most 32 bits", of, what)
	default:
		r.at += n
	}
	return v
}

// count reads the length of a vector whose elements take at least one byte each.
func (r *reader) count(what string) int {
	start := r.at
	n := r.number("the number of ", what)
	if r.err == nil && uint64(n) > uint64(r.left()) {
		r.fail(start, "claims %d %s in %d bytes", n, what, r.left())
		return 0
	}
	return int(n)
}

func (r *reader) bytes(n int, what string) []byte {
	if r.err != nil {
		return nil
	}
	if n > r.left() {
		r.fail(r.at, "%s of %d bytes does not fit the %d that are left", what, n, r.left())
		return nil
	}
	p := r.b[r.at : r.at+n : r.at+n]
	r.at += n
	return p
}

func (r *reader) name(what string) string {
	start := r.at
	p := r.bytes(r.count("bytes in "+what), what)
	if r.err == nil && !utf8.Valid(p) {
		r.fail(start, "%s %q is not UTF-8", what, p)
		return ""
	}
	return string(p)
}

// window returns a reader of the next n bytes and steps over them.
func (r *reader) window(n int, what string) *reader {
	start := r.at
	r.bytes(n, what)
	return &reader{b: r.b, at: start, end: r.at, err: r.err}
}
