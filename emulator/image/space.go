package image

import (
	"fmt"
	"slices"
)

// extent is a stretch of a file in bytes.
type extent struct{ offset, length int64 }

func (e extent) end() int64 { return e.offset + e.length }

// minimumGap is the length in bytes of the shortest gap that is left behind an
// allocation; a shorter rest becomes part of the allocation (embedded free space).
const minimumGap = 96

// space manages the space of a compressed file: the gaps between the extents in
// use, ascending, never adjacent, and the end of the last extent in use.
type space struct {
	gaps  []extent
	end   int64
	limit int64 // largest value of end
	// largest is at least the length of the largest gap.
	largest int64
	// pending lists the extents freed since the last sync: the durable lookup tables
	// still refer to them.
	pending []extent
}

// use is an extent in use, with a name for messages.
type use struct {
	extent
	what  string
	index int
}

func (u use) String() string {
	if u.index < 0 {
		return u.what
	}
	return fmt.Sprintf("%s %d", u.what, u.index)
}

// newSpace builds the space from the extents in use. It fails if two of them
// overlap, and then returns the second.
func newSpace(uses []use, limit int64) (*space, *use, error) {
	slices.SortFunc(uses, func(a, b use) int {
		switch {
		case a.offset < b.offset:
			return -1
		case a.offset > b.offset:
			return 1
		}
		return 0
	})
	s := &space{limit: limit}
	for i := range uses {
		u := &uses[i]
		if u.offset < s.end {
			return nil, u, fmt.Errorf("%v of %d bytes begins inside %v, which ends at %#x", u, u.length, &uses[i-1], s.end)
		}
		if gap := u.offset - s.end; gap > 0 {
			s.gaps = append(s.gaps, extent{s.end, gap})
			s.largest = max(s.largest, gap)
		}
		s.end = u.end()
	}
	return s, nil, nil
}

// take finds room for length bytes. With exact set, it takes a gap of exactly that
// length or one that leaves a gap behind; else it may return up to minimumGap-1
// bytes more.
func (s *space) take(length int64, exact bool) (extent, bool) {
	if length <= s.largest {
		largest := int64(0)
		for i := range s.gaps {
			g := &s.gaps[i]
			largest = max(largest, g.length)
			switch left := g.length - length; {
			case left < 0, exact && left > 0 && left < minimumGap:
				continue
			case left < minimumGap:
				e := *g
				s.gaps = slices.Delete(s.gaps, i, i+1)
				return e, true
			default:
				e := extent{g.offset, length}
				g.offset += length
				g.length -= length
				return e, true
			}
		}
		s.largest = largest
	}
	if s.end+length > s.limit {
		return extent{}, false
	}
	e := extent{s.end, length}
	s.end += length
	return e, true
}

// free gives e back at the next release.
func (s *space) free(e extent) { s.pending = append(s.pending, e) }

// release makes the pending extents usable.
func (s *space) release() {
	for _, e := range s.pending {
		s.insert(e)
	}
	s.pending = s.pending[:0]
	if n := len(s.gaps); n > 0 && s.gaps[n-1].end() == s.end {
		s.end = s.gaps[n-1].offset
		s.gaps = s.gaps[:n-1]
	}
}

func (s *space) insert(e extent) {
	i, _ := slices.BinarySearchFunc(s.gaps, e.offset, func(g extent, at int64) int {
		switch {
		case g.offset < at:
			return -1
		case g.offset > at:
			return 1
		}
		return 0
	})
	if i > 0 && s.gaps[i-1].end() == e.offset {
		i--
		s.gaps[i].length += e.length
	} else {
		s.gaps = slices.Insert(s.gaps, i, e)
	}
	if i+1 < len(s.gaps) && s.gaps[i].end() == s.gaps[i+1].offset {
		s.gaps[i].length += s.gaps[i+1].length
		s.gaps = slices.Delete(s.gaps, i+1, i+2)
	}
	s.largest = max(s.largest, s.gaps[i].length)
}

// total returns the number of bytes in gaps, and the length of the largest gap.
func (s *space) total() (total, largest int64) {
	for _, g := range s.gaps {
		total += g.length
		largest = max(largest, g.length)
	}
	return total, largest
}
