package image

import (
	"errors"
	"slices"

	"github.com/iosrun/iosrun/emulator/media"
)

// DefaultCacheBytes is the largest size in bytes of a volume's cache when Options
// sets none.
const DefaultCacheBytes = 32 << 20

// minimumEntries is the least number of cached units; it keeps the cache useful
// when its size is less than a few units.
const minimumEntries = 4

// cache keeps the units of a store that were used most recently in memory, changed
// ones until they are evicted or flushed. With an overlay, changed units go to the
// overlay instead of the store; the overlay grows up to the volume's size.
type cache struct {
	store   store
	unit    int // size in bytes of the largest unit
	limit   int // largest number of entries
	entries map[int]*entry
	newest  *entry
	oldest  *entry
	spare   *entry
	overlay map[int][]byte
	// settle returns the bytes of a changed unit, checked.
	settle func(*entry) ([]byte, error)
}

// entry is a cached unit, in the form of a track (of a block group only the
// image matters).
type entry struct {
	track  media.Track
	n      int
	buffer []byte // memory of the size of a unit
	dirty  bool
	newer  *entry
	older  *entry
}

func newCache(s store, unit, bytes int, overlay bool, settle func(*entry) ([]byte, error)) *cache {
	if bytes <= 0 {
		bytes = DefaultCacheBytes
	}
	c := &cache{
		store: s, unit: unit, limit: max(minimumEntries, bytes/unit),
		entries: make(map[int]*entry), settle: settle,
	}
	if overlay {
		c.overlay = make(map[int][]byte)
	}
	return c
}

// get returns unit n, which is read if it is not in memory.
func (c *cache) get(n int) (*entry, error) {
	if e := c.entries[n]; e != nil {
		if e != c.newest {
			c.unlink(e)
			c.link(e)
		}
		return e, nil
	}
	e, err := c.vacate()
	if err != nil {
		return nil, err
	}
	m := 0
	if p, ok := c.overlay[n]; ok {
		m = copy(e.buffer, p)
	} else if m, err = c.store.read(n, e.buffer); err != nil {
		c.spare = e
		return nil, err
	}
	e.track = media.Track{Image: e.buffer[:m]}
	e.n = n
	c.entries[n] = e
	c.link(e)
	return e, nil
}

// vacate returns an entry that is in no list.
func (c *cache) vacate() (*entry, error) {
	if e := c.spare; e != nil {
		c.spare = nil
		return e, nil
	}
	if len(c.entries) < c.limit {
		return &entry{buffer: make([]byte, c.unit)}, nil
	}
	e := c.oldest
	if err := c.put(e); err != nil {
		return nil, err
	}
	c.unlink(e)
	delete(c.entries, e.n)
	return e, nil
}

// put stores the entry's unit if it was changed.
func (c *cache) put(e *entry) error {
	if !e.dirty {
		return nil
	}
	p, err := c.settle(e)
	if err != nil {
		return err
	}
	if c.overlay != nil {
		c.overlay[e.n] = append(c.overlay[e.n][:0], p...)
	} else if err := c.store.write(e.n, p); err != nil {
		return err
	}
	e.dirty = false
	return nil
}

// flush stores every changed unit and makes the store durable. If one of them
// fails, the others are stored all the same.
func (c *cache) flush() error {
	var dirty []*entry
	for e := c.newest; e != nil; e = e.older {
		if e.dirty {
			dirty = append(dirty, e)
		}
	}
	slices.SortFunc(dirty, func(a, b *entry) int { return a.n - b.n })
	var errs []error
	for _, e := range dirty {
		errs = append(errs, c.put(e))
	}
	if c.overlay == nil {
		errs = append(errs, c.store.sync())
	}
	return errors.Join(errs...)
}

// close flushes and closes the store. If the flush fails, the store is closed in
// its present state: a compressed image keeps its OPENED bit.
func (c *cache) close() error {
	if err := c.flush(); err != nil {
		c.store.abandon()
		return err
	}
	return c.store.close()
}

func (c *cache) link(e *entry) {
	e.newer, e.older = nil, c.newest
	if c.newest != nil {
		c.newest.newer = e
	} else {
		c.oldest = e
	}
	c.newest = e
}

func (c *cache) unlink(e *entry) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		c.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		c.oldest = e.newer
	}
}
