package mirror

import (
	"errors"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
)

// CopyPatience is the longest time that a copy of changed tracks may take, the wait for the
// writes that are under way included. Writes to the primary are held no longer.
const CopyPatience = machine.Second

var (
	errNotFollowing = errors.New("the mirror no longer follows the primary")
	errOverdue      = errors.New("it took too long")
)

// kindOverdue is the end of a copy's time.
const kindOverdue = machine.KindMirror + 2

// changedCopy copies the tracks that a request has changed, and tells the request:
// a driver of a copier.
type changedCopy struct {
	copier      copier
	state       changedState
	request     *intercept.Request
	first, last uint32
	turn        uint64 // numbers the copies that this one has driven
}

// changedState is the state of a copy of changed tracks.
type changedState uint8

const (
	changedFree     changedState = iota // it is in the pool
	changedDraining                     // writes held, those under way still ending
	changedCopying                      // writes held
	changedGivenUp                      // writes allowed, the request told; a track is still under way
)

// holds reports whether writes are held, and the request is still to be told.
func (s changedState) holds() bool { return s == changedDraining || s == changedCopying }

// enter puts the copy into a state. The hold on writes follows.
func (c *changedCopy) enter(s changedState) {
	was := c.state
	c.state = s
	switch {
	case s.holds() && !was.holds():
		c.copier.hold()
	case was.holds() && !s.holds():
		c.copier.release()
	}
}

// CopyTracks copies a run of tracks, which a request has changed in a way that no
// mirror chain repeats, to a mirror that follows the primary, and tells the
// request (199). Writes to the primary are held meanwhile, as in the last copy of
// a synchronisation; the tracks are copied whole, however they are formatted. It
// reports whether there was room to begin.
func (p *Process) CopyTracks(cpu *machine.Processor, r *intercept.Request, m *intercept.Mirror, first, last uint32) bool {
	c := p.newChangedCopy()
	if c.copier.open(m, manner{run: 1, whole: true, io: r.ID()}, 1) != nil {
		p.changed = append(p.changed, c)
		return false
	}
	c.request, c.first, c.last = r, first, last
	c.turn++
	for t := first; t <= last; t++ {
		c.copier.todo.add(t)
	}
	c.enter(changedDraining)
	c.copier.look(cpu.Now(), c)
	p.m.Clock.At(cpu.Now()+CopyPatience, c, kindOverdue, c.turn)
	return true
}

// newChangedCopy returns a copy that is not in use.
func (p *Process) newChangedCopy() *changedCopy {
	if n := len(p.changed); n != 0 {
		c := p.changed[n-1]
		p.changed = p.changed[:n-1]
		return c
	}
	c := &changedCopy{}
	c.copier.p, c.copier.driver = p, c
	return c
}

// Event gives the copy up when its time is over, and looks whether it can begin.
func (c *changedCopy) Event(kind machine.Kind, arg uint64) {
	switch {
	case kind == kindDrained && c.state == changedDraining:
		c.drain()
	case kind == kindOverdue && arg == c.turn && c.state.holds():
		c.giveUp(errOverdue)
	}
}

// drain begins the copy once the writes that were under way have ended.
func (c *changedCopy) drain() {
	k := &c.copier
	switch {
	case k.m.State != abi.MirrorInSync:
		c.giveUp(errNotFollowing)
	case k.m.Pair().Writing() == 0 && !k.m.UnderWay(c.first, c.last):
		c.enter(changedCopying)
		k.begin()
	default:
		k.look(k.p.m.Clock.Now()+drainInterval, c)
	}
}

// giveUp lets writes go on and tells the request that its tracks have not been
// copied. They are marked, and marked again when a copy that is on its way ends:
// a write that has overtaken it may be lost on the mirror.
func (c *changedCopy) giveUp(err error) {
	c.mark()
	c.enter(changedGivenUp)
	c.tell(err)
	c.copier.stop(err)
}

func (c *changedCopy) mark() {
	for t := c.first; t <= c.last; t++ {
		c.copier.m.Mark(t)
	}
}

func (c *changedCopy) when(uint32) machine.Time { return c.copier.p.m.Clock.Now() }

// allow refuses to copy to a mirror that has been cut off meanwhile: a
// synchronisation brings it the tracks.
func (c *changedCopy) allow() error {
	if c.copier.m.State != abi.MirrorInSync {
		return errNotFollowing
	}
	return nil
}

func (c *changedCopy) ran(err error) error { return err }

// finished ends the copy.
func (c *changedCopy) finished(err error) {
	if err != nil {
		c.mark()
	}
	told := c.state == changedGivenUp
	c.enter(changedFree)
	if !told {
		c.tell(err)
	}
	p := c.copier.p
	c.copier.close()
	p.changed = append(p.changed, c)
}

// tell schedules that the request learns how the copy has ended.
func (c *changedCopy) tell(err error) {
	k := &c.copier
	if err != nil {
		k.p.x.Log.Warn("changed tracks not copied", "pair", k.m.Pair().ID, "mirror", k.m.Index()+1, "first", c.first, "last", c.last, "error", err)
	}
	t := k.p.newTelling()
	t.request, t.m, t.ok = c.request, k.m, err == nil
	t.srb.Parm = k.manner.io
	k.p.m.Dispatcher.Schedule(k.p.m.Clock.Now(), &t.srb)
}

// telling is the unit of work that tells a request how its copy has ended.
type telling struct {
	p       *Process
	srb     machine.SRB
	request *intercept.Request
	m       *intercept.Mirror
	ok      bool
}

// newTelling returns a telling that is not in use.
func (p *Process) newTelling() *telling {
	if n := len(p.tellings); n != 0 {
		t := p.tellings[n-1]
		p.tellings = p.tellings[:n-1]
		return t
	}
	t := &telling{p: p}
	t.srb.Entry, t.srb.Priority = t, machine.PriorityNormal
	return t
}

// Enter tells the request.
func (t *telling) Enter(cpu *machine.Processor, _ *machine.SRB) {
	t.request.Copied(cpu, t.m, t.ok)
	t.p.tellings = append(t.p.tellings, t)
}
