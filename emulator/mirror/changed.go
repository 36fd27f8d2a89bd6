package mirror

import (
	"errors"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
)

// CopyPatience is how long a copy of changed tracks may take, the wait for the
// writes that are under way included. Writes to the primary are held no longer.
const CopyPatience = machine.Second

var (
	errNotFollowing = errors.New("the mirror no longer follows the primary")
	errOverdue      = errors.New("it took too long")
)

// kindOverdue is the end of a copy's time.
const kindOverdue = machine.KindMirror + 2

// changed is what a Sync has more when it is a copy of the tracks that a request
// has changed.
type changed struct {
	request     *intercept.Request // nil when it has been told, or is being told
	io          uint64
	first, last uint32
	turn        uint64 // numbers the copies that this Sync has made
	tell        telling
}

// CopyTracks copies a run of tracks, which a request has changed in a way that no
// mirror chain repeats, to a mirror that follows the primary, and tells the
// request (199). Writes to the primary are held meanwhile, as in the last copy of
// a synchronisation; the tracks are copied whole, however they are formatted.
func (p *Process) CopyTracks(cpu *machine.Processor, r *intercept.Request, m *intercept.Mirror, first, last uint32) bool {
	s := p.newCopy(m)
	if s == nil {
		return false
	}
	c := s.changed
	c.request, c.io, c.first, c.last = r, r.ID(), first, last
	c.turn++
	s.phase, s.failed, s.round, s.copied = draining, nil, 0, 0
	for t := first; t <= last; t++ {
		s.add(t)
	}
	p.active = append(p.active, s)
	s.hold()
	p.m.Clock.At(cpu.Now(), s, kindDrained, uint64(m.Pair().ID))
	p.m.Clock.At(cpu.Now()+CopyPatience, s, kindOverdue, c.turn)
	return true
}

// newCopy is a Sync for a copy to m, an old one where there is one.
func (p *Process) newCopy(m *intercept.Mirror) *Sync {
	var s *Sync
	if n := len(p.copies); n != 0 {
		s = p.copies[n-1]
		p.copies = p.copies[:n-1]
	} else {
		s = &Sync{p: p, run: 1, changed: &changed{}}
		t := &s.changed.tell
		t.s, t.srb.Entry, t.srb.Priority = s, t, machine.PriorityNormal
	}
	t, err := p.newStream(s)
	if err != nil {
		p.copies = append(p.copies, s)
		return nil
	}
	s.m, s.streams = m, append(s.streams[:0], t)
	if n := int(m.Pair().Geometry().Tracks+63) / 64; len(s.todo) < n {
		s.todo = make([]uint64, n)
	}
	return s
}

// copyEvent begins the copy once the writes that were under way have ended, or
// gives it up.
func (s *Sync) copyEvent(kind machine.Kind, arg uint64) {
	c := s.changed
	switch {
	case kind == kindOverdue:
		if arg == c.turn && c.request != nil {
			s.giveUp(errOverdue)
		}
	case s.phase != draining: // given up
	case s.m.State != abi.MirrorInSync:
		s.giveUp(errNotFollowing)
	case s.m.Pair().Writing() == 0 && !s.m.UnderWay(c.first, c.last):
		s.phase = finishing
		s.begin()
	default:
		s.p.m.Clock.At(s.p.m.Clock.Now()+drainInterval, s, kindDrained, uint64(s.m.Pair().ID))
	}
}

// giveUp lets writes go on and tells the request that its tracks have not been
// copied. They are marked, and marked again when a copy that is on its way ends:
// a write that has overtaken it may be lost on the mirror.
func (s *Sync) giveUp(err error) {
	for t := s.changed.first; t <= s.changed.last; t++ {
		s.m.Mark(t)
		s.todo[t/64] &^= 1 << (t % 64)
	}
	s.left = 0
	s.failed = err
	s.release()
	s.told(err)
	if s.phase == draining {
		s.endCopy(err)
	}
}

// endCopy is the end of the copy itself.
func (s *Sync) endCopy(err error) {
	s.phase = ended
	s.p.free = append(s.p.free, s.streams...)
	s.p.inactive(s)
	if err != nil {
		for t := s.changed.first; t <= s.changed.last; t++ {
			s.m.Mark(t)
			s.todo[t/64] &^= 1 << (t % 64)
		}
		s.left = 0
	}
	s.release()
	s.told(err)
	s.recycle()
}

// told schedules that the request learns how the copy has ended, once.
func (s *Sync) told(err error) {
	c := s.changed
	if c.request == nil {
		return
	}
	if err != nil {
		s.p.x.Log.Warn("changed tracks not copied", "pair", s.m.Pair().ID, "mirror", s.m.Index()+1, "first", c.first, "last", c.last, "error", err)
	}
	c.tell.request, c.tell.ok = c.request, err == nil
	c.request = nil
	c.tell.srb.Parm = c.io
	s.p.m.Dispatcher.Schedule(s.p.m.Clock.Now(), &c.tell.srb)
}

// recycle keeps the Sync for another copy once it has ended and the request knows.
func (s *Sync) recycle() {
	if s.phase == ended && s.changed.tell.request == nil {
		s.p.copies = append(s.p.copies, s)
	}
}

// telling is the unit of work that tells a request how its copy has ended.
type telling struct {
	s       *Sync
	srb     machine.SRB
	request *intercept.Request
	ok      bool
}

// Enter tells the request.
func (t *telling) Enter(cpu *machine.Processor, _ *machine.SRB) {
	r := t.request
	t.request = nil
	r.Copied(cpu, t.s.m, t.ok)
	t.s.recycle()
}
