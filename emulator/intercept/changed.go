package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// MaxChangedTracks is the largest number of tracks of a request that are copied to
// a mirror after it. If a request has a wider extent, the tracks that it changes
// stay marked until a synchronisation.
const MaxChangedTracks = 256

// changedTracks notes the mirrors to which the tracks that the request changes are
// to be copied once it has ended. Mirrors that are being synchronised get the
// tracks by the synchronisation. (Step 199.)
func (x *Process) changedTracks(c *call, n *abi.Intent) hooks.Refusal {
	r, mask := c.r, n.Mirrors
	switch {
	case c.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case mask == 0 || mask>>len(r.pair.mirrors) != 0:
		return hooks.NoSuchMirror
	case !r.copyable():
		return hooks.Program
	}
	for i, m := range r.pair.mirrors {
		if mr := &r.mirrors[i]; mask&(1<<i) != 0 && m.State == abi.MirrorInSync && mr.copy == copyNone {
			mr.enterCopy(copyAsked)
		}
	}
	return hooks.CarriedOut
}

// copyable reports whether the tracks of the request are few enough to copy.
func (r *Request) copyable() bool {
	e := r.program.Tracks
	return r.program.Writes && e.Last-e.First < MaxChangedTracks
}

// copyChanged begins the copies that the request's front-end detour has asked for.
// To the post-status detours each copy is a mirror I/O. A mirror that cannot get
// its copy is cut off.
func (x *Process) copyChanged(p *machine.Processor, r *Request) {
	for i, m := range r.pair.mirrors {
		mr := &r.mirrors[i]
		switch {
		case mr.copy != copyAsked:
		case m.State != abi.MirrorInSync:
			mr.enterCopy(copyBad)
		case !x.copyTracks(p, mr, m):
			mr.enterCopy(copyBad)
			x.dissociate(p, r.pair, 1<<i, abi.ScopeMirror)
		case !mr.made():
			mr.prepare(m, noChain)
			mr.unit = m.unit
			mr.inexact, mr.touches = false, r.program.Tracks
			mr.enter(mirrorCopying)
		}
	}
}

// copyTracks asks the mirror process to copy the tracks of the request to one
// mirror.
func (x *Process) copyTracks(p *machine.Processor, mr *mirrorRequest, m *Mirror) bool {
	r := mr.r
	e := r.program.Tracks
	if x.Mirror == nil || m.State != abi.MirrorInSync || !x.Mirror.CopyTracks(p, r, m, e.First, e.Last) {
		return false
	}
	mr.enterCopy(copyUnderWay)
	mr.unit = m.unit
	return true
}

// retryByCopy makes another attempt for a mirror request without a valid chain: it
// copies the tracks. (Step 306.)
func (x *Process) retryByCopy(c *call, mr *mirrorRequest) hooks.Refusal {
	p, r := c.p, mr.r
	switch {
	case !r.copyable():
		return hooks.Program
	case !mr.state.waiting() && mr.state != mirrorFailed || mr.copy == copyUnderWay:
		return hooks.RequestState
	}
	if over := x.attempt(c, mr); over != hooks.CarriedOut {
		return over
	}
	mr.settle(false) // no chain is on its way: the tracks are marked
	if mr.m.State != abi.MirrorInSync {
		return hooks.MirrorState
	}
	if !x.copyTracks(p, mr, mr.m) {
		return hooks.NoRoom
	}
	x.counts.Retried++
	mr.enter(mirrorCopying)
	return hooks.CarriedOut
}

// Copied says that the copy of the request's tracks to m has ended. ok says that
// the mirror has them; otherwise they are marked.
func (r *Request) Copied(p *machine.Processor, m *Mirror, ok bool) {
	mr := &r.mirrors[m.index]
	if ok {
		mr.enterCopy(copyGood)
		m.pair.group.got(r.block.RequestedAt)
	} else {
		mr.enterCopy(copyBad)
		r.flags |= abi.FlagMirrorError
	}
	waited := mr.state.waiting()
	switch {
	case mr.state.busy(): // its chain may still end well
	case !ok && mr.state != mirrorFailed:
		mr.enter(mirrorFailed)
	case ok && mr.chain == noChain && mr.state != mirrorComplete:
		mr.enter(mirrorComplete)
	}
	if waited && !mr.state.waiting() {
		mr.settle(false) // its chain was never started
	}
	if ok {
		r.arrived(m, p.Now())
	} else {
		r.missed(m)
	}
	r.x.wake(m)
	r.mirrorEnded(p)
	r.release()
}

// waitsForCopies reports whether the application is told only when the copies
// have ended.
func (r *Request) waitsForCopies() bool {
	return r.any(func(mr *mirrorRequest) bool { return mr.copy == copyUnderWay }) && r.promise.Durability == DurableMirrors &&
		r.flags&abi.FlagConstantCopy == 0 && r.pair.Mode == abi.ModeSynchronous
}

// onMirror reports whether mirror number i has the data that the request has
// written. Its unit may have belonged to another mirror, or to the primary, when
// it got them.
func (r *Request) onMirror(i int) bool {
	m := r.pair.mirrors[i]
	if m.unit == r.block.UCB || m.unit == r.former {
		return true
	}
	for j := range r.pair.mirrors {
		mr := &r.mirrors[j]
		switch {
		case !mr.made() || mr.unit != m.unit:
		case mr.copy != copyNone:
			if mr.copy == copyGood {
				return true
			}
		case mr.state.complete() && !mr.inexact:
			return true
		}
	}
	return false
}

// UnderWay reports whether a mirror I/O is on its way to one of the tracks.
func (m *Mirror) UnderWay(first, last uint32) bool {
	for t := first; t <= last; t++ {
		if m.account.inflight[t] != 0 {
			return true
		}
	}
	return false
}
