package mirror

import (
	"errors"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
)

// CopyPatience is how long a copy of changed tracks waits, with writes held, for
// the writes that are under way. A channel program that stays suspended would
// hold them for ever.
const CopyPatience = machine.Second

var (
	errNotFollowing = errors.New("the mirror no longer follows the primary")
	errUnderWay     = errors.New("writes to the primary or the tracks did not end")
)

// CopyTracks copies a run of tracks, which a request has changed in a way that no
// mirror chain repeats, to a mirror that follows the primary, and tells the
// request (199). Writes to the primary are held meanwhile, as in the last copy of
// a synchronisation; the tracks are copied whole, however they are formatted.
func (p *Process) CopyTracks(cpu *machine.Processor, r *intercept.Request, m *intercept.Mirror, first, last uint32) bool {
	s := p.newCopy(m)
	if s == nil {
		return false
	}
	s.request, s.first, s.last = r, first, last
	s.phase, s.failed, s.round, s.copied = draining, nil, 0, 0
	s.until = cpu.Now() + CopyPatience
	for t := first; t <= last; t++ {
		s.add(t)
	}
	s.hold()
	p.m.Clock.At(cpu.Now(), s, kindDrained, uint64(m.Pair().ID))
	return true
}

// newCopy is a Sync for a copy to m, an old one where there is one.
func (p *Process) newCopy(m *intercept.Mirror) *Sync {
	var s *Sync
	if n := len(p.copies); n != 0 {
		s = p.copies[n-1]
		p.copies = p.copies[:n-1]
	} else {
		s = &Sync{p: p, run: 1}
		s.tell.init(s)
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

// ready reports whether the copy of a request's tracks can begin, or ends it
// because it never can.
func (s *Sync) ready() bool {
	switch {
	case s.m.State != abi.MirrorInSync:
		s.endCopy(errNotFollowing)
	case s.m.Pair().Writing() == 0 && !s.m.UnderWay(s.first, s.last):
		return true
	case s.p.m.Clock.Now() >= s.until:
		s.endCopy(errUnderWay)
	default:
		s.p.m.Clock.At(s.p.m.Clock.Now()+drainInterval, s, kindDrained, uint64(s.m.Pair().ID))
	}
	return false
}

// endCopy lets writes go on and tells the request.
func (s *Sync) endCopy(err error) {
	s.phase = ended
	if err != nil {
		s.p.x.Log.Warn("changed tracks not copied", "pair", s.m.Pair().ID, "mirror", s.m.Index(), "first", s.first, "last", s.last, "error", err)
		for t := s.first; t <= s.last; t++ {
			s.m.Mark(t)
			s.todo[t/64] &^= 1 << (t % 64)
		}
		s.left = 0
	}
	s.p.free = append(s.p.free, s.streams...)
	s.release()
	s.tell.ok = err == nil
	s.tell.srb.Parm = s.request.ID()
	s.p.m.Dispatcher.Schedule(s.p.m.Clock.Now(), &s.tell.srb)
}

// telling is the unit of work that tells a request how its copy has ended.
type telling struct {
	s   *Sync
	srb machine.SRB
	ok  bool
}

func (t *telling) init(s *Sync) {
	t.s = s
	t.srb.Entry = t
	t.srb.Priority = machine.PriorityNormal
}

// Enter tells the request.
func (t *telling) Enter(cpu *machine.Processor, _ *machine.SRB) {
	s := t.s
	r := s.request
	s.request = nil
	s.p.copies = append(s.p.copies, s)
	r.Copied(cpu, s.m, t.ok)
}
