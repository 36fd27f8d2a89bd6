package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
)

// Modification says which parts of itself a program stores into.
type Modification struct {
	CCWs bool // CCWs of its own (202, 206)
	Data bool // data areas that a later CCW of its sends (204, 206)
	// Shared has the index of each CCW whose data area overlaps another one's, where
	// one of the two is stored into and the other is sent later. It is complete for
	// programs of at most abi.MaxRecipe CCWs.
	Shared Set
}

// Any reports whether the program modifies itself (200).
func (m *Modification) Any() bool { return m.CCWs || m.Data }

// Set is a set of CCWs by their index.
type Set [(abi.MaxRecipe + 63) / 64]uint64

// Has reports whether i is in the set.
func (s *Set) Has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s *Set) add(i int) { s[i/64] |= 1 << (i % 64) }

// span is a range of main storage, from first up to but not including end.
type span struct{ first, end uint64 }

func (a span) overlaps(b span) bool { return a.first < b.end && b.first < a.end }

func (a *span) cover(b span) {
	if a.end == 0 {
		*a = b
		return
	}
	a.first, a.end = min(a.first, b.first), max(a.end, b.end)
}

// area returns the data area of c. With indirect addresses it returns the list of
// address words instead, at its shortest. Two CCWs with the same list have the same
// area; the areas behind different lists cannot be seen from here and are assumed
// not to overlap.
func area(c *abi.CCW) span {
	first, n := uint64(c.Address), uint64(c.Count)
	switch {
	case n == 0:
	case c.Flags&arch.FlagIDA != 0:
		n = (n + 2047) / 2048 * 4 // words of format 1, 2 KiB blocks
	case c.Flags&arch.FlagMIDA != 0:
		n = 16
	}
	return span{first, first + n}
}

func location(c *abi.CCW) span { return span{uint64(c.Location), uint64(c.Location) + 8} }

// modification finds the parts of itself that a program modifies. It looks at each
// pair of CCWs only if the coarse answer leaves that possible. A program of more
// CCWs than a recipe can have keeps the coarse answer: a finer one would not help,
// because no duplicate of it can be made, and would take the square of its length.
func modification(ccws []abi.CCW, table *Table) Modification {
	m := coarse(ccws, table)
	if !m.Any() || len(ccws) > abi.MaxRecipe {
		return m
	}
	m = Modification{}
	var w Walk
	for i := range ccws {
		s := &ccws[i]
		if w.Next(s, table)&Stores == 0 || s.Flags&arch.FlagSkip != 0 || s.Count == 0 {
			continue
		}
		m.judge(ccws, table, i, w)
	}
	return m
}

// judge compares the area of CCW i, which stores, with the other CCWs and the areas
// that later ones send; w has walked up to CCW i.
func (m *Modification) judge(ccws []abi.CCW, table *Table, i int, w Walk) {
	stored := area(&ccws[i])
	for j := range ccws {
		if stored.overlaps(location(&ccws[j])) {
			m.CCWs = true
		}
	}
	for j := i + 1; j < len(ccws); j++ {
		c := &ccws[j]
		if w.Next(c, table)&Sends != 0 && c.Count != 0 && stored.overlaps(area(c)) {
			m.Data = true
			m.Shared.add(i)
			m.Shared.add(j)
		}
	}
}

// coarse compares the stored areas with one range that covers all CCWs and one that
// covers all sent areas. A false in its answer is certain, a true only possible.
func coarse(ccws []abi.CCW, table *Table) (m Modification) {
	var program, sent span
	var w Walk
	for i := range ccws {
		c := &ccws[i]
		program.cover(location(c))
		if w.Next(c, table)&Sends != 0 && c.Count != 0 {
			sent.cover(area(c))
		}
	}
	w = Walk{}
	for i := range ccws {
		c := &ccws[i]
		if w.Next(c, table)&Stores == 0 || c.Flags&arch.FlagSkip != 0 || c.Count == 0 {
			continue
		}
		stored := area(c)
		m.CCWs = m.CCWs || stored.overlaps(program)
		m.Data = m.Data || stored.overlaps(sent)
	}
	return m
}

// Walk goes through the CCWs of a program and keeps track of the command that is
// being carried out.
type Walk struct {
	kind    Kind
	chained bool
}

// Next returns the kind of c: its command's kind, or with data chaining the kind of
// the command that it continues; Transfer for a transfer in channel.
func (w *Walk) Next(c *abi.CCW, table *Table) Kind {
	k := table[c.Command]
	if isTransfer(c, k, w.chained) {
		return Transfer
	}
	if !w.chained {
		w.kind = k
	}
	w.chained = c.Flags&arch.FlagCD != 0
	return w.kind
}

// StoresApart reports whether all areas that ccws store into lie below, or all
// above, the CCWs themselves and all areas that they send; then they do not modify
// themselves. ccws must be without data chaining. It is a quick test: false does not
// mean that they modify themselves.
func StoresApart(ccws []abi.CCW, table *Table) bool {
	const slack = 4 // a list of one address word, where an area is shorter
	low, high := [2]uint64{1 << 63, 1 << 63}, [2]uint64{}
	for i := range ccws {
		c := &ccws[i]
		stores := 0
		if table[c.Command]&Stores != 0 {
			stores = 1
		}
		first, at := uint64(c.Address), uint64(c.Location)
		low[stores] = min(low[stores], first)
		high[stores] = max(high[stores], first+uint64(c.Count)+slack)
		low[0] = min(low[0], at)
		high[0] = max(high[0], at+8)
	}
	return low[1] >= high[0] || low[0] >= high[1]
}
