package intercept_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// client is an application with channel programs and data areas of its own. It
// knows what each block may hold: after each read it says whether the read has
// brought the last write that had ended before the read began, or one that was
// under way meanwhile.
type client struct {
	g       *rig
	unit    *ios.UCB
	eckd    program.ECKD
	free    []*io
	open    map[*io]bool
	blocks  map[int]*known
	writing map[int]bool
	alien   [diskTracks]int // interlopers' writes under way, by track
	alienAt [diskTracks]machine.Time
	last    *io   // submitted
	waiting []*io // writes that overlap one under way
	begun   int
	ended   int
	serial  machine.Tag
	wrong   []string
}

// known is what a block may hold; nil values: anything.
type known struct {
	values map[machine.Tag]bool
	any    bool
}

// io is one request of the client.
type io struct {
	c       *client
	block   ios.IOSB
	srb     machine.SRB
	control program.Control
	data    *machine.Segment
	unit    *ios.UCB // that an interloper's write names, or nil
	write   bool
	first   int
	n       int
	tag     machine.Tag
	began   machine.Time
	allowed []known // of a read, by block
	done    int
}

const (
	clientBase   machine.Address = 0x10000000
	clientBlocks                 = 16
	firstBlock                   = 12 * 15
	diskBlocks                   = diskTracks * 12
)

func newClient(g *rig) *client {
	c := &client{g: g, unit: g.pair.Primary(), eckd: program.ECKD{Heads: 15, RecordsATrack: 12},
		open: make(map[*io]bool), blocks: make(map[int]*known), writing: make(map[int]bool)}
	for t := range c.alienAt {
		c.alienAt[t] = -1
	}
	return c
}

func (c *client) known(b int) *known {
	k := c.blocks[b]
	if k == nil {
		k = &known{values: map[machine.Tag]bool{0: true}}
		c.blocks[b] = k
	}
	return k
}

func (c *client) get(t testing.TB) *io {
	if n := len(c.free); n != 0 {
		i := c.free[n-1]
		c.free = c.free[:n-1]
		return i
	}
	at := clientBase + machine.Address(c.begun)*2*machine.FrameSize
	data, err := c.g.m.Storage.MapSynthetic(at, machine.FrameSize)
	require.NoError(t, err)
	g, err := c.g.m.Storage.MapBytes(at+machine.FrameSize, program.ControlSize)
	require.NoError(t, err)
	i := &io{c: c, data: data, control: program.Control{View: g.Bytes(), At: g.Base}}
	i.srb.Entry = i
	i.srb.Priority = machine.PriorityTask
	i.block.Exit = i
	return i
}

// submit begins a request of n blocks from block first on. A write that overlaps
// another waits for it.
func (c *client) submit(t testing.TB, write bool, first, n int) {
	i := c.get(t)
	c.begun++
	c.last = i
	i.unit, i.write, i.first, i.n, i.done = nil, write, first, n, 0
	if write && c.overlaps(i) {
		c.waiting = append(c.waiting, i)
		return
	}
	c.start(i)
}

// intrude begins a write to a device itself, which may be a mirror, or has become
// the primary meanwhile: nobody knows what its blocks hold afterwards.
func (c *client) intrude(t testing.TB, unit *ios.UCB, first, n int) {
	i := c.get(t)
	c.begun++
	c.last = i
	i.unit, i.write, i.first, i.n, i.done = unit, true, first, n, 0
	for k := range i.data.Tags() {
		i.data.Tags()[k] = machine.Tag(1<<40 + c.begun)
	}
	c.open[i] = true
	i.doubt(1)
	i.srb.Parm = uint64(c.begun)
	c.g.m.Dispatcher.Schedule(c.g.m.Clock.Now(), &i.srb)
}

func (i *io) doubt(more int) {
	for t := i.first / 12; t <= (i.first+i.n-1)/12; t++ {
		i.c.alien[t] += more
		i.c.alienAt[t] = i.c.g.m.Clock.Now()
		i.c.doubt(t)
	}
}

func (c *client) overlaps(i *io) bool {
	for b := i.first; b < i.first+i.n; b++ {
		if c.writing[b] {
			return true
		}
	}
	return false
}

func (c *client) start(i *io) {
	c.open[i] = true
	i.began = c.g.m.Clock.Now()
	tags := i.data.Tags()
	if i.write {
		c.serial++
		i.tag = c.serial << 8
		for k := range i.n {
			b := i.first + k
			c.writing[b] = true
			c.known(b).values[i.tag+machine.Tag(k)] = true
			for r := range c.open {
				if !r.write && b >= r.first && b < r.first+r.n {
					r.allowed[b-r.first].values[i.tag+machine.Tag(k)] = true
				}
			}
			for u := range 8 {
				tags[k*8+u] = i.tag + machine.Tag(k)
			}
		}
	} else {
		i.allowed = make([]known, i.n)
		for k := range i.allowed {
			from := c.known(i.first + k)
			i.allowed[k] = known{values: make(map[machine.Tag]bool), any: from.any}
			for v := range from.values {
				i.allowed[k].values[v] = true
			}
		}
		for k := range i.n * 8 {
			tags[k] = ^machine.Tag(0)
		}
	}
	i.srb.Parm = uint64(c.begun)
	c.g.m.Dispatcher.Schedule(c.g.m.Clock.Now(), &i.srb)
}

// Enter builds the channel program and issues STARTIO.
func (i *io) Enter(p *machine.Processor, _ *machine.SRB) {
	p.Charge(machine.Microsecond)
	i.c.eckd.Blocks(i.control, i.data.Base, i.write, i.first/12, i.first%12, i.n)
	b := &i.block
	b.Init(i.c.g.ios)
	b.ID = i.c.g.ios.NextID()
	b.UCB = i.c.unit
	if i.unit != nil {
		b.UCB = i.unit
	}
	b.ChannelProgram = i.control.At + program.Start
	b.DriverID = ios.DriverExcp
	b.Writes = i.write
	b.SRB.Parm = b.ID
	i.c.g.ios.STARTIO(p, b)
}

// Done looks at what a read has brought.
func (i *io) Done(p *machine.Processor, b *ios.IOSB) {
	c := i.c
	if i.done++; i.done > 1 {
		c.wrong = append(c.wrong, fmt.Sprintf("blocks %d to %d: completed %d times", i.first, i.first+i.n-1, i.done))
		return
	}
	c.ended++
	delete(c.open, i)
	tags := i.data.Tags()
	if i.unit != nil {
		i.doubt(-1)
		return
	}
	for k := range i.n {
		at := i.first + k
		if i.write {
			delete(c.writing, at)
			if b.OK() {
				*c.known(at) = known{values: map[machine.Tag]bool{i.tag + machine.Tag(k): true}, any: c.alien[at/12] != 0 || c.alienAt[at/12] >= i.began}
			}
			continue
		}
		if !b.OK() || i.allowed[k].any {
			continue
		}
		for u := range 8 {
			if v := tags[k*8+u]; !i.allowed[k].values[v] {
				c.wrong = append(c.wrong, fmt.Sprintf("block %d (track %d), unit %d: read I/O %d, ended at %s, brought %d, want one of %v", at, at/12, u, b.ID, p.Now(), v, i.allowed[k].values))
				break
			}
		}
	}
	for k := 0; k < len(c.waiting); k++ {
		if w := c.waiting[k]; !c.overlaps(w) {
			c.waiting = append(c.waiting[:k], c.waiting[k+1:]...)
			k--
			c.start(w)
		}
	}
}

// Released makes the request's storage free for another.
func (i *io) Released(*ios.IOSB) {
	if !i.data.Synthetic() {
		i.c.wrong = append(i.c.wrong, fmt.Sprintf("blocks %d to %d: somebody has stored bytes into the data area", i.first, i.first+i.n-1))
		i.data.Synthesize()
	}
	i.c.free = append(i.c.free, i)
}

// doubt says that what the track's blocks hold is not known, until they are
// written again.
func (c *client) doubt(track int) {
	for b := track * 12; b < track*12+12; b++ {
		c.known(b).any = true
		for r := range c.open {
			if !r.write && b >= r.first && b < r.first+r.n {
				r.allowed[b-r.first].any = true
			}
		}
	}
}
