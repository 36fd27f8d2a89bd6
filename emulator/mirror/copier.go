package mirror

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// A copier copies a set of tracks from the primary of a pair to a mirror, with
// several streams at once, and again with another set. Its driver fills the set
// and begins the copy.
type copier struct {
	p      *Process
	driver driver
	m      *intercept.Mirror
	manner manner

	todo    tracks // not begun
	next    uint32 // where streams look for the next one
	streams []*stream
	busy    int // of the streams
	copied  uint64
	failed  error // the first; nothing is begun after it

	held *ios.UCB // the unit of the latest hold
}

// driver decides what a copier copies next, and hears what becomes of it.
type driver interface {
	// when returns the time, now or later, at which the next n tracks may be begun.
	when(n uint32) machine.Time
	// allow is asked before each channel program. An error fails the tracks for which
	// it was to be.
	allow() error
	// ran hears how the copy of some tracks has ended; those of an error are marked.
	// It returns the error with which the copier must begin no more, or nil.
	ran(err error) error
	// finished hears that nothing of the set is left and nothing under way or, with
	// the first error, that nothing is under way. It may begin another copy.
	finished(err error)
}

// manner says how a copier copies.
type manner struct {
	// run is the largest number of tracks of one channel program.
	run uint32
	// recordsATrack is the number of 4 KiB records of a formatted track.
	recordsATrack int
	// whole has tracks of a CKD device copied whole, one by one.
	whole bool
	// io is the number of the I/O that the copy belongs to, or 0.
	io uint64
}

// open gives the copier a mirror, an empty set and so many streams. Until close, the
// mirror counts as busy.
func (c *copier) open(m *intercept.Mirror, how manner, streams int) error {
	for len(c.streams) < streams {
		t, err := c.p.newStream(c)
		if err != nil {
			c.freeStreams()
			return err
		}
		c.streams = append(c.streams, t)
	}
	c.m, c.manner = m, how
	c.copied, c.failed = 0, nil
	c.todo.reset(m.Pair().Geometry().Tracks)
	c.p.active = append(c.p.active, c)
	return nil
}

// close gives the streams back. None may be busy.
func (c *copier) close() {
	for _, t := range c.streams {
		t.restore()
	}
	c.freeStreams()
	c.p.inactive(c)
}

func (c *copier) freeStreams() {
	c.p.free = append(c.p.free, c.streams...)
	c.streams = c.streams[:0]
}

// begin starts to copy the tracks of the set.
func (c *copier) begin() {
	c.next = 0
	c.feed()
}

// stop has nothing more begun.
func (c *copier) stop(err error) {
	c.todo.clear()
	c.fail(err)
	c.feed()
}

func (c *copier) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// feed gives idle streams tracks to copy, and tells the driver when there is
// nothing to do any more.
func (c *copier) feed() {
	for _, t := range c.streams {
		if t.idle && c.todo.count > 0 && c.failed == nil {
			c.take(t)
		}
	}
	if c.busy == 0 {
		c.driver.finished(c.failed)
	}
}

// take gives the next run of tracks to a stream.
func (c *copier) take(t *stream) {
	most := c.manner.run
	if c.whole() && c.m.Pair().Geometry().Class == abi.ClassECKD {
		most = 1
	}
	first, n := c.todo.take(c.next, most)
	c.next = first + n
	c.busy++
	t.start(c.driver.when(n), first, n)
}

// giveBack puts tracks that a stream has taken and not copied into the set again.
func (c *copier) giveBack(first, n uint32) {
	for i := range n {
		c.todo.add(first + i)
	}
	c.next = min(c.next, first)
}

// streamDone is told by a stream that its tracks are done.
func (c *copier) streamDone(t *stream, err error) {
	t.idle = true
	c.busy--
	if err == nil {
		c.copied += uint64(t.n)
	}
	c.fail(c.driver.ran(err))
	c.feed()
}

// whole reports whether all tracks of a CKD device are copied whole, one by one.
func (c *copier) whole() bool { return c.manner.whole || c.classic() }

// tracksAtOnce returns the number of tracks that one channel program copies.
func tracksAtOnce(g chain.Geometry, recordsATrack int) uint32 {
	if g.Class == abi.ClassFBA {
		return max(1, program.MaxBlocks*(program.BlockSize/512)/g.TrackBlocks)
	}
	return uint32(max(1, program.MaxBlocks/recordsATrack))
}

// busy reports whether tracks are being copied to m: a second copy could bring an
// older state of a track after a newer one.
func (p *Process) busy(m *intercept.Mirror) bool {
	for _, c := range p.active {
		if c.m == m {
			return true
		}
	}
	return false
}

// inactive notes that c copies nothing any more.
func (p *Process) inactive(c *copier) {
	for i, o := range p.active {
		if o == c {
			p.active = append(p.active[:i], p.active[i+1:]...)
			return
		}
	}
}
