package hooks

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// MaxDetours is the largest number of detours on one slot.
const MaxDetours = 8

var (
	// ErrStale says that the table has changed since the caller looked: its revision,
	// or the detour that Update was to replace.
	ErrStale = errors.New("changed since the caller looked")
	// ErrDetached says that a link's detour is no longer on a slot.
	ErrDetached = errors.New("link is detached")
	// ErrFull says that a slot has MaxDetours detours.
	ErrFull = fmt.Errorf("slot has the limit of %d detours", MaxDetours)
)

// Generation is an immutable snapshot of the three sequences of detours. An I/O holds the
// generation under which its front-end ran from Enter to Leave.
type Generation struct {
	// ID grows with every change of the table.
	ID        uint64
	sequences [Slots][]*Attachment

	table    *Table
	inflight atomic.Int64
	retired  atomic.Bool
	dropped  bool // under the table's lock
}

// Sequence returns the detours on the slot, first to last. The caller must not
// change it.
func (g *Generation) Sequence(s Slot) []*Attachment { return g.sequences[s] }

// Empty reports whether no slot has a detour.
func (g *Generation) Empty() bool {
	return len(g.sequences[DDTSIO])+len(g.sequences[ReturnAddress])+len(g.sequences[SRBEP]) == 0
}

// Enter takes the generation once more. The caller must know that it is held
// already, or that no other goroutine changes the table; an I/O that begins takes
// the current generation with Table.Enter.
func (g *Generation) Enter() { g.inflight.Add(1) }

// Leave gives the generation back. The last I/O of a generation that is no longer
// current closes the detours that no other generation holds.
func (g *Generation) Leave() {
	if g.inflight.Add(-1) == 0 && g.retired.Load() {
		g.table.release(g)
	}
}

// Inflight returns the number of I/Os that hold the generation.
func (g *Generation) Inflight() int { return int(g.inflight.Load()) }

// Table holds the sequences of detours on the three slots. The zero Table has none.
type Table struct {
	mu      sync.Mutex
	current atomic.Pointer[Generation]
	closeEr []error
}

// Enter takes the current generation for an I/O that begins. The I/O gives it
// back with Leave.
//
// Looking at the current generation and taking it are two steps, between which
// another goroutine may replace and close it. So it is taken first and looked at
// again: either this side sees the replacement, or the replacing side sees that
// the generation is held.
func (t *Table) Enter() *Generation {
	for {
		g := t.Current()
		g.Enter()
		if t.current.Load() == g {
			return g
		}
		g.Leave()
	}
}

// Current returns the generation for I/Os that begin now, without taking it: another
// goroutine may replace it at any moment.
func (t *Table) Current() *Generation {
	if g := t.current.Load(); g != nil {
		return g
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.load()
}

func (t *Table) load() *Generation {
	g := t.current.Load()
	if g == nil {
		g = &Generation{table: t}
		t.current.Store(g)
	}
	return g
}

// Anchor is a position in a sequence for a detour.
type Anchor struct {
	kind anchorKind
	link *Link
}

type anchorKind uint8

const (
	anchorTail anchorKind = iota
	anchorHead
	anchorBefore
	anchorAfter
)

// Tail returns the last position, in front of the conventional target; it is the
// zero Anchor.
func Tail() Anchor { return Anchor{} }

// Head returns the first position of the sequence.
func Head() Anchor { return Anchor{kind: anchorHead} }

// Before returns the position in front of another link's detour.
func Before(l *Link) Anchor { return Anchor{anchorBefore, l} }

// After returns the position behind another link's detour.
func After(l *Link) Anchor { return Anchor{anchorAfter, l} }

// AttachOptions choose the position of a detour, and guard against changes that the
// caller has not seen.
type AttachOptions struct {
	At Anchor
	// Revision, when not 0, is the generation ID that the caller saw: attaching
	// fails with ErrStale when the table has changed since.
	Revision uint64
}

// Attach puts a on the slot and makes that the current generation.
func (t *Table) Attach(s Slot, a *Attachment, o AttachOptions) (*Link, error) {
	if s >= Slots {
		return nil, fmt.Errorf("attach %s: %s does not exist", a.Name, s)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.load()
	if o.Revision != 0 && o.Revision != g.ID {
		return nil, fmt.Errorf("attach %s to %s: revision %d, now %d: %w", a.Name, s, o.Revision, g.ID, ErrStale)
	}
	if a.link != nil {
		return nil, fmt.Errorf("attach %s to %s: is attached to %s already", a.Name, s, a.slot)
	}
	old := g.sequences[s]
	if len(old) == MaxDetours {
		return nil, fmt.Errorf("attach %s to %s: %w", a.Name, s, ErrFull)
	}
	at := len(old)
	switch o.At.kind {
	case anchorHead:
		at = 0
	case anchorBefore, anchorAfter:
		i := indexOf(old, o.At.link.current())
		if i < 0 {
			return nil, fmt.Errorf("attach %s to %s: anchor: %w", a.Name, s, ErrDetached)
		}
		at = i
		if o.At.kind == anchorAfter {
			at++
		}
	}
	a.slot = s
	a.link = &Link{table: t, slot: s, at: a}
	sequence := make([]*Attachment, 0, len(old)+1)
	sequence = append(append(append(sequence, old[:at]...), a), old[at:]...)
	t.install(g, s, sequence)
	return a.link, nil
}

// Install replaces all three sequences at once: it swaps a policy. I/Os that have
// begun stay with the generation that they hold. The links are in the order of
// the sequences.
func (t *Table) Install(sequences [Slots][]*Attachment) ([Slots][]*Link, error) {
	var links [Slots][]*Link
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := make(map[*Attachment]bool)
	for s, c := range sequences {
		if len(c) > MaxDetours {
			return links, fmt.Errorf("install on %s: %d detours: %w", Slot(s), len(c), ErrFull)
		}
		for _, a := range c {
			if a.link != nil {
				return links, fmt.Errorf("install %s on %s: is attached to %s already", a.Name, Slot(s), a.slot)
			}
			if seen[a] {
				return links, fmt.Errorf("install %s on %s: is there twice", a.Name, Slot(s))
			}
			seen[a] = true
		}
	}
	g := t.load()
	for s, c := range sequences {
		for _, a := range c {
			a.slot = Slot(s)
			a.link = &Link{table: t, slot: Slot(s), at: a}
			links[s] = append(links[s], a.link)
		}
	}
	t.replace(g, sequences)
	return links, nil
}

func (t *Table) install(g *Generation, s Slot, sequence []*Attachment) {
	sequences := g.sequences
	sequences[s] = sequence
	t.replace(g, sequences)
}

func (t *Table) replace(old *Generation, sequences [Slots][]*Attachment) {
	g := &Generation{ID: old.ID + 1, table: t}
	for s, c := range sequences {
		g.sequences[s] = append([]*Attachment(nil), c...)
		for _, a := range c {
			a.generations++
		}
	}
	t.current.Store(g)
	old.retired.Store(true)
	if old.inflight.Load() == 0 {
		t.drop(old)
	}
}

func (t *Table) release(g *Generation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(g)
}

// drop closes the detours that only a retired generation held. Both the goroutine
// that retired it and the one that left it last may call it, and one of them may
// find it taken for a moment by an Enter that looks again.
func (t *Table) drop(g *Generation) {
	if g.dropped || g.inflight.Load() != 0 {
		return
	}
	g.dropped = true
	for s := range g.sequences {
		for _, a := range g.sequences[s] {
			if a.generations--; a.generations == 0 {
				if err := a.Detour.Close(); err != nil {
					t.closeEr = append(t.closeEr, fmt.Errorf("close %s: %w", a.Name, err))
				}
			}
		}
	}
}

// Close detaches all detours. Its error joins the errors of those that could not be
// closed.
func (t *Table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replace(t.load(), [Slots][]*Attachment{})
	return errors.Join(t.closeEr...)
}

func indexOf(sequence []*Attachment, a *Attachment) int {
	for i, c := range sequence {
		if c == a {
			return i
		}
	}
	return -1
}
