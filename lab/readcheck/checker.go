package readcheck

import (
	"fmt"
	"maps"
	"slices"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Media reads the present content of volumes.
type Media interface {
	// Read reads the contents of a block on the volume that its pair reads from.
	Read(block int64, into *Block) error
	// Arriving reports whether writes that were on their way to the volume when it was
	// promoted may still arrive.
	Arriving(block int64) bool
	// Where names the place of a block for messages.
	Where(block int64) string
}

// MaxFindings is the number of findings that are described in words; all are
// counted.
const MaxFindings = 3

// Checker watches one block access method. It implements access.Witness.
type Checker struct {
	media  Media
	place  func(block int64) (volume int, home, run int64)
	table  table
	writes writes
	count  uint64 // number of calls so far, which orders the events
	reads  []read
	free   int // index in reads + 1
	head   int // the read that has been under way for the longest, index + 1
	tail   int
	// seen has, by unit, content of a write under way that a read has returned: reads
	// that begin later must not return anything older.
	seen     map[int64]sighting
	programs []*program // programs that are under way
	// raced has, by unit, the latest write that was under way together with a channel
	// program that may have written the unit, too.
	raced map[int64]uint64
	// stirred has, by unit, the time by the checker's count at which a channel program
	// that may have written it has ended.
	stirred  map[int64]uint64
	loss     loss
	tally    Tally
	findings []string
}

// read is a read that is under way.
type read struct {
	contents    []Content // contents of its units when it was submitted
	began       uint64
	older, next int // index + 1; next also of those not in use
}

type sighting struct {
	content Content
	when    uint64
}

// Tally holds the checker's counts.
type Tally struct {
	Reads  uint64 // reads that ended well and were checked
	Writes uint64 // writes that ended, well or not
	// Acknowledged is the number of writes that ended well.
	Acknowledged uint64
	Units        uint64 // units of these reads
	Swept        uint64 // units of media that were checked at the end
	// Unjudged is the number of units of reads and media that could not be judged,
	// because their content was unknown.
	Unjudged uint64
	// Programs is the number of channel programs that were run as they are on the
	// volumes, and Unread the number of those whose reads could not be attributed to
	// records.
	Programs, Unread uint64
	// Wrong is the number of wrong units, in WrongIOs reads and writes and on media at
	// the end.
	Wrong, WrongIOs uint64
}

// Config describes the volumes that are watched.
type Config struct {
	Block *access.Block
	Media Media
	// Learn says that the volumes have unknown content at the beginning: the first
	// read of a unit defines it. Otherwise they begin with zeros.
	Learn bool
}

// New makes the checker of an access method whose first request is still to come.
func New(c Config) *Checker {
	blank := Content(0)
	if c.Learn {
		blank = unlearned
	}
	return &Checker{
		media: c.Media, place: c.Block.Place,
		table:  newTable(c.Block.Bytes()/access.BlockSize, blank),
		writes: newWrites(), seen: make(map[int64]sighting), raced: make(map[int64]uint64), stirred: make(map[int64]uint64), loss: newLoss(),
	}
}

// Tally returns the counts so far.
func (c *Checker) Tally() Tally { return c.tally }

// Findings describes the first MaxFindings wrong reads, writes and blocks of media.
func (c *Checker) Findings() []string { return c.findings }

// Submitted notes the contents that a read may return, or a write that is under way
// from now on.
func (c *Checker) Submitted(t *access.Transfer) {
	c.count++
	if !t.Write {
		c.begin(t)
		return
	}
	number := t.Content >> access.ContentShift
	e := c.writes.find(number)
	if number != c.writes.last || e == nil || e.token != t.Token || e.open == 0 {
		if number != c.writes.last+1 {
			c.wrong(1, func() string {
				return fmt.Sprintf("request %d stores the content of write %d: want that of write %d, its own", t.Token+1, number, c.writes.last+1)
			})
		}
		e = c.writes.add()
		e.token, e.first = t.Token, t.Offset/machine.UnitSize
	}
	e.open++
	e.units += t.Length / machine.UnitSize
	t.Mark = int(e.number)
}

// begin takes the snapshot of a read.
func (c *Checker) begin(t *access.Transfer) {
	if c.free == 0 {
		c.reads = append(c.reads, read{})
		c.free = len(c.reads)
	}
	i := c.free
	r := &c.reads[i-1]
	c.free = r.next
	n := int(t.Length / machine.UnitSize)
	if cap(r.contents) < n {
		r.contents = make([]Content, n, max(n, access.SmallBlocks*UnitsABlock))
	}
	r.contents = r.contents[:n]
	c.table.load(r.contents, t.Offset/machine.UnitSize)
	r.began, r.older, r.next = c.count, c.tail, 0
	if c.tail == 0 {
		c.head = i
	} else {
		c.reads[c.tail-1].next = i
	}
	c.tail = i
	t.Mark = i
}

// end removes a read from those under way.
func (c *Checker) end(i int) {
	r := &c.reads[i-1]
	if r.older == 0 {
		c.head = r.next
	} else {
		c.reads[r.older-1].next = r.next
	}
	if r.next == 0 {
		c.tail = r.older
	} else {
		c.reads[r.next-1].older = r.older
	}
	r.next = c.free
	c.free = i
}

// Started notes the identity of the I/O.
func (c *Checker) Started(t *access.Transfer) {
	if !t.Write {
		return
	}
	c.count++
	t.Since = c.count
	if e := c.writes.find(uint64(t.Mark)); e != nil {
		e.id = t.ID
	}
	if len(c.loss.doubts) != 0 {
		c.beforeOverwriting(t)
	}
}

// Reread compares the data that a write of parts of blocks has read with earlier
// writes. No other write to the blocks is under way.
func (c *Checker) Reread(t *access.Transfer, _ machine.Time) {
	c.count++
	first := t.Offset / access.BlockSize * access.BlockSize
	length := (t.Offset+t.Length+access.BlockSize-1)/access.BlockSize*access.BlockSize - first
	c.judge(t, first, length, nil, t.Since)
}

// Ended judges a read, and notes a write as acknowledged or failed.
func (c *Checker) Ended(t *access.Transfer, now machine.Time) {
	c.count++
	if t.Write {
		c.writeEnded(t, now)
	} else {
		r := &c.reads[t.Mark-1]
		if t.Code == arch.CompletionNormal {
			c.judge(t, t.Offset, t.Length, r.contents, r.began)
		}
		c.end(t.Mark)
	}
	c.retire()
}

func (c *Checker) writeEnded(t *access.Transfer, now machine.Time) {
	e := c.writes.find(uint64(t.Mark))
	if e == nil || e.open == 0 {
		c.wrong(1, func() string { return fmt.Sprintf("request %d: a write ended that was not under way", t.Token+1) })
		return
	}
	e.open--
	e.ended, e.endedAt = c.count, now
	first, n := t.Offset/machine.UnitSize, t.Length/machine.UnitSize
	if len(c.seen) != 0 {
		for u := first; u < first+n; u++ {
			delete(c.seen, u)
		}
	}
	e.failed = e.failed || t.Code != arch.CompletionNormal
	if e.open == 0 {
		c.tally.Writes++
		if !e.failed {
			c.tally.Acknowledged++
		}
	}
	if t.Code != arch.CompletionNormal {
		return
	}
	if len(c.loss.doubts) != 0 {
		c.overwritten(first, n)
	}
	v := e.content(first)
	for u := first; u < first+n; {
		b := c.table.make(u / UnitsABlock)
		b.acknowledged = now
		for at := u % UnitsABlock; at < UnitsABlock && u < first+n; at++ {
			// Writes to a block come in the order in which they were asked for.
			if o := &b.units[at]; o.number() < e.number {
				*o = v
			}
			u, v = u+1, v+1
		}
	}
	if len(c.programs) != 0 {
		c.doubtPrograms(e)
	}
	if len(c.raced) != 0 {
		c.settleRaces(e.number, first, n)
	}
}

// retire forgets writes that no read can return any more, except as the last
// acknowledged one.
func (c *Checker) retire() {
	w := &c.writes
	for w.oldest <= w.last {
		e := w.find(w.oldest)
		if e.open != 0 || c.head != 0 && e.ended >= c.reads[c.head-1].began {
			return
		}
		if e.failed {
			w.failed[e.number] = *e
			if len(w.failed) > w.limit {
				c.prune()
			}
		}
		w.oldest++
	}
}

// prune forgets failed writes all of whose units have been written again.
func (c *Checker) prune() {
	w := &c.writes
	for number, e := range w.failed {
		if !c.awaits(&e) {
			delete(w.failed, number)
		}
	}
	if len(w.failed) > MaxFailed {
		for _, number := range slices.Sorted(maps.Keys(w.failed))[:MaxFailed/2] {
			e := w.failed[number]
			for u := e.first; u < e.first+e.units; u++ {
				if v := c.table.get(u); v.number() < number {
					c.table.set(u, unsure)
				}
			}
			delete(w.failed, number)
		}
	}
	w.limit = min(max(64, 2*len(w.failed)), MaxFailed)
}

// awaits reports whether a unit of a failed write has not been written again.
func (c *Checker) awaits(e *write) bool {
	for u := e.first; u < e.first+e.units; u++ {
		if v := c.table.get(u); v != unsure && v.number() < e.number {
			return true
		}
	}
	return false
}

// judge compares the units that have been read with the contents that they may have.
// contents are their contents at the count began, or nil when nothing has changed
// since.
func (c *Checker) judge(t *access.Transfer, offset, length int64, contents []Content, began uint64) {
	first, n := offset/machine.UnitSize, int(length/machine.UnitSize)
	c.tally.Reads++
	c.tally.Units += uint64(n)
	tags, bytes := t.Tags(offset, length), t.Bytes(offset, length)
	j := judgement{c: c, began: began}
	for i := 0; i < n; {
		u := first + int64(i)
		p, at := c.table.at(u/UnitsABlock), int(u%UnitsABlock)
		for end := i + min(n-i, UnitsABlock-at); i < end; i, at = i+1, at+1 {
			last := p.units[at]
			var v Content
			if tags != nil {
				v = OfTag(tags[i])
			} else if unit := bytes[i*machine.UnitSize : (i+1)*machine.UnitSize]; last&foreign == 0 && machine.Tag(last).Is(unit) {
				v = last
			} else {
				v = OfBytes(unit)
			}
			if v == last && len(c.seen) == 0 && len(c.loss.doubts) == 0 {
				continue
			}
			then := last
			if contents != nil {
				then = contents[i]
			}
			if j.unit(first+int64(i), v, then, last); t.Write && len(c.loss.gone) != 0 {
				c.broughtBack(first+int64(i), v)
			}
		}
	}
	if j.wrong != 0 {
		c.wrong(j.wrong, func() string {
			more := ""
			if j.wrong > 1 {
				more = fmt.Sprintf(", and %d more units of it", j.wrong-1)
			}
			what := "read"
			if t.Write {
				what = "read before its write"
			}
			return fmt.Sprintf("request %d (I/O %d, %s) found %s%s", t.Token+1, t.ID, what, j.text, more)
		})
	}
}

// judgement is the judgement of one read.
type judgement struct {
	c     *Checker
	began uint64
	wrong uint64
	text  string // text about the first wrong unit
}

// unit judges a unit whose content was read as v. then is its content when the read
// began, and last its present content.
func (j *judgement) unit(u int64, v, then, last Content) {
	c := j.c
	if then == unsure || last == unsure {
		c.tally.Unjudged++
		return
	}
	if len(c.loss.doubts) != 0 {
		if d, ok := c.loss.doubts[u]; ok && c.resolve(u, d, v) {
			return
		}
	}
	if s, ok := c.seen[u]; ok && s.when < j.began && v.number() < s.content.number() {
		j.fault(u, func() string {
			return fmt.Sprintf("%s; a read that had ended before has returned %s", c.text(u, v), c.text(u, s.content))
		})
		return
	}
	under := v.number() > then.number() && c.writes.possible(u, v)
	switch {
	case under && v.number() > last.number():
		if e := c.writes.find(v.number()); e != nil && e.open != 0 && !e.failed {
			c.seen[u] = sighting{v, c.count}
		}
	case under || same(then, v) || same(last, v):
	case then == unlearned:
		c.tally.Unjudged++
		if last == unlearned {
			c.table.set(u, v.alien())
		}
	case c.stirred[u] > j.began:
		c.tally.Unjudged++
	case c.goneSince(u, v, j.began):
	default:
		j.fault(u, func() string {
			right := c.text(u, then)
			if last != then {
				right += ", " + c.text(u, last) + " or one between them"
			}
			return fmt.Sprintf("%s; right was %s", c.text(u, v), right)
		})
	}
}

func (j *judgement) fault(u int64, say func() string) {
	j.wrong++
	if j.wrong == 1 && len(j.c.findings) < MaxFindings {
		j.text = fmt.Sprintf("at %s, unit %d: %s", j.c.media.Where(u/UnitsABlock), u%UnitsABlock, say())
	}
}

// wrong counts wrong units, and describes the first few.
func (c *Checker) wrong(units uint64, say func() string) {
	c.tally.Wrong += units
	c.tally.WrongIOs++
	if len(c.findings) < MaxFindings {
		c.findings = append(c.findings, say())
	}
}
