package readcheck

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
)

const (
	// remembered is the number of latest writes about which a message has more data
	// than their number.
	remembered = 1 << 11
	// MaxFailed is the largest number of failed writes that are kept. When there are
	// more, the units of the older half are not judged until they are written again.
	MaxFailed = 1 << 16
)

// write is a write request.
type write struct {
	number  uint64
	token   uint64
	id      uint64 // identity of its last I/O
	first   int64  // unit
	units   int64
	open    int // number of parts that have not ended
	failed  bool
	ended   uint64       // time at which its last part ended, by the checker's count
	endedAt machine.Time // the same in virtual time
}

// content returns the content that the write stores in a unit that it covers.
func (w *write) content(unit int64) Content {
	return Content(w.number<<access.ContentShift + uint64(unit-w.first) + 1)
}

func (w *write) covers(unit int64) bool { return unit >= w.first && unit < w.first+w.units }

// rewrites reports whether the write stores into a unit, even if only its old
// content: blocks are written whole, after a read when only a part of one is
// written.
func (w *write) rewrites(unit int64) bool {
	return unit >= w.first/UnitsABlock*UnitsABlock && unit < (w.first+w.units+UnitsABlock-1)/UnitsABlock*UnitsABlock
}

// writes is a ring of the write requests by number. A read under way may return the
// data of those from oldest on; others are remembered for messages.
type writes struct {
	ring   []write
	oldest uint64
	last   uint64
	failed map[uint64]write // failed writes with units that may not have been written again
	limit  int              // size of failed at which it is pruned
}

func newWrites() writes {
	return writes{ring: make([]write, remembered), oldest: 1, failed: make(map[uint64]write), limit: 64}
}

// add returns the place of the next write.
func (w *writes) add() *write {
	w.last++
	if w.last-w.oldest >= uint64(len(w.ring)) {
		old := w.ring
		w.ring = make([]write, 2*len(old))
		for i := range old {
			w.ring[old[i].number%uint64(len(w.ring))] = old[i]
		}
	}
	e := &w.ring[w.last%uint64(len(w.ring))]
	*e = write{number: w.last}
	return e
}

// find returns the write of that number, or nil when it is forgotten.
func (w *writes) find(number uint64) *write {
	if e := &w.ring[number%uint64(len(w.ring))]; number != 0 && e.number == number {
		return e
	}
	return nil
}

// possible reports whether content v of a unit can come from a write that was not
// acknowledged before every read under way began: one that is under way, has ended
// since, or has failed.
func (w *writes) possible(unit int64, v Content) bool {
	n := v.number()
	e := w.find(n)
	if e == nil || n < w.oldest {
		f, ok := w.failed[n]
		if !ok {
			return false
		}
		e = &f
	}
	return e.covers(unit) && e.content(unit) == v
}

// text describes the write that has stored content v of a unit.
func (c *Checker) text(u int64, v Content) string {
	w := &c.writes
	switch {
	case v == 0:
		return "zeros"
	case v == unlearned || v == unsure:
		return "unknown content"
	case v == Missing:
		return "no record of a block"
	case v.number() == 0 && c.table.get(u) == v:
		return "the content found there before"
	case v.number() == 0:
		return "content that no write of the run has stored"
	}
	n := v.number()
	e := w.find(n)
	if e == nil {
		if f, ok := w.failed[n]; ok {
			e = &f
		}
	}
	unit := uint64(v)&(1<<access.ContentShift-1) - 1
	switch {
	case e == nil && n > w.last:
		return fmt.Sprintf("content of write %d, unit %d, which has not been asked for", n, unit)
	case e == nil && c.table.get(u) == v:
		return fmt.Sprintf("unit %d of write %d (acknowledged at %v)", unit, n, c.table.at(u/UnitsABlock).acknowledged)
	case e == nil:
		return fmt.Sprintf("unit %d of write %d (one of those before the latest %d)", unit, n, len(w.ring))
	}
	what := "acknowledged at " + e.endedAt.String()
	if e.open != 0 {
		what = "under way"
	} else if e.failed {
		what = "failed at " + e.endedAt.String()
	}
	return fmt.Sprintf("unit %d of write %d (request %d, I/O %d, %s)", unit, n, e.token+1, e.id, what)
}
