package hooks

import "fmt"

// Link names a detour's place in a sequence. The link stays valid when Update puts
// another detour there.
type Link struct {
	table    *Table
	slot     Slot
	at       *Attachment // guarded by the table's lock
	detached bool
}

// Info describes a link at one moment.
type Info struct {
	Slot     Slot
	Name     string
	Position int    // in the sequence, from 0; -1 when detached
	Revision uint64 // revision of the table
}

func (l *Link) current() *Attachment {
	if l == nil || l.detached {
		return nil
	}
	return l.at
}

// Info returns the link's slot, its detour and its position in the sequence.
func (l *Link) Info() Info {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	g := l.table.load()
	i := Info{Slot: l.slot, Name: l.at.Name, Position: -1, Revision: g.ID}
	if !l.detached {
		i.Position = indexOf(g.sequences[l.slot], l.at)
	}
	return i
}

// Attachment returns the detour that has this place now.
func (l *Link) Attachment() *Attachment {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	return l.at
}

// Update replaces the detour old by next. When another detour has the place by now
// it changes nothing and returns ErrStale.
func (l *Link) Update(old, next *Attachment) error {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	switch {
	case l.detached:
		return fmt.Errorf("update %s on %s: %w", next.Name, l.slot, ErrDetached)
	case l.at != old:
		return fmt.Errorf("update %s on %s: %s stands there: %w", next.Name, l.slot, l.at.Name, ErrStale)
	case next.link != nil:
		return fmt.Errorf("update %s on %s: is attached to %s already", next.Name, l.slot, next.slot)
	}
	g := l.table.load()
	i := indexOf(g.sequences[l.slot], old)
	if i < 0 { // Install has replaced the sequence
		l.detached = true
		return fmt.Errorf("update %s on %s: %w", next.Name, l.slot, ErrDetached)
	}
	next.slot, next.link = l.slot, l
	sequence := append([]*Attachment(nil), g.sequences[l.slot]...)
	sequence[i] = next
	l.at = next
	l.table.install(g, l.slot, sequence)
	return nil
}

// Detach takes the detour off its slot. Detaching twice is no error.
func (l *Link) Detach() error {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	if l.detached {
		return nil
	}
	l.detached = true
	g := l.table.load()
	i := indexOf(g.sequences[l.slot], l.at)
	if i < 0 {
		return nil
	}
	old := g.sequences[l.slot]
	sequence := append(append(make([]*Attachment, 0, len(old)-1), old[:i]...), old[i+1:]...)
	l.table.install(g, l.slot, sequence)
	return nil
}
