package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// MaxChangedTracks is the most tracks of a request that are copied to a mirror
// after it. What a request with a wider extent changes stays marked until a
// synchronisation.
const MaxChangedTracks = 256

// changedTracks notes to which mirrors the tracks that the request changes are
// to be copied once it has ended. Mirrors that are being made identical get them
// by that. (Step 199.)
func (x *Process) changedTracks(c *call, mask uint8) hooks.Refusal {
	r := c.r
	switch {
	case c.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case mask == 0 || mask>>len(r.pair.mirrors) != 0:
		return hooks.NoSuchMirror
	case !r.copyable():
		return hooks.Program
	}
	for i, m := range r.pair.mirrors {
		if mask&(1<<i) != 0 && m.State == abi.MirrorInSync {
			r.changed |= 1 << i
		}
	}
	return hooks.CarriedOut
}

// copyable reports whether the tracks of the request are few enough to copy.
func (r *Request) copyable() bool {
	e := r.program.Tracks
	return r.program.Writes && e.Last-e.First < MaxChangedTracks
}

// copyChanged begins the copies that the request's front-end detour has asked
// for. To the post-status detours each is a mirror I/O. A mirror that cannot get
// its copy is cut off.
func (x *Process) copyChanged(p *machine.Processor, r *Request) {
	for i, m := range r.pair.mirrors {
		bit := uint8(1) << i
		if r.changed&^r.begun&bit == 0 {
			continue
		}
		r.begun |= bit
		if m.State != abi.MirrorInSync {
			continue
		}
		if !x.copyTracks(p, r, m) {
			x.dissociate(p, r.pair, bit, abi.ScopeMirror)
			continue
		}
		mr := &r.mirrors[i]
		if r.made&bit == 0 {
			mr.m, mr.flags, mr.counted, mr.settled, mr.late, mr.labelling, mr.area = m, 0, false, false, false, false, nil
			mr.labels, mr.attempts = 0, 0
			mr.chain, mr.state, mr.unit = noChain, abi.MirrorIOBegun, m.unit
			mr.inexact, mr.touches = false, r.program.Tracks
			r.made |= bit
		}
	}
}

// copyTracks has the tracks of the request copied to one mirror.
func (x *Process) copyTracks(p *machine.Processor, r *Request, m *Mirror) bool {
	e := r.program.Tracks
	if x.Mirror == nil || m.State != abi.MirrorInSync || !x.Mirror.CopyTracks(p, r, m, e.First, e.Last) {
		return false
	}
	r.copying |= 1 << m.index
	r.mirrors[m.index].unit = m.unit
	r.open++
	return true
}

// retryByCopy is another attempt for a mirror request without a valid chain: its
// tracks are copied. (Step 306.)
func (x *Process) retryByCopy(a *hooks.Attachment, c *call, mr *mirrorRequest) hooks.Refusal {
	p, r := c.p, mr.r
	switch {
	case !r.copyable():
		return hooks.Program
	case !mr.waiting() && mr.state != abi.MirrorIOFailed:
		return hooks.RequestState
	}
	if over := x.attempt(a, c, mr); over != hooks.CarriedOut {
		return over
	}
	mr.settle(false) // no chain is on its way: the tracks are marked
	if mr.m.State != abi.MirrorInSync {
		return hooks.MirrorState
	}
	if !x.copyTracks(p, r, mr.m) {
		return hooks.NoRoom
	}
	x.counts.Retried++
	r.changed |= 1 << mr.m.index
	r.begun |= 1 << mr.m.index
	waited := mr.waiting()
	mr.state = abi.MirrorIOBegun
	if waited {
		mr.leaveShadow()
	}
	return hooks.CarriedOut
}

// Copied says that the copy of the request's tracks to m has ended; ok that the
// mirror has them. Otherwise they are marked.
func (r *Request) Copied(p *machine.Processor, m *Mirror, ok bool) {
	bit := uint8(1) << m.index
	r.copying &^= bit
	if ok {
		r.copied |= bit
		m.pair.group.got(r.block.RequestedAt)
	}
	mr := &r.mirrors[m.index]
	waited := r.made&bit != 0 && mr.waiting()
	switch {
	case !ok:
		if !mr.busy { // its chain, if it has one, may still end well
			mr.state = abi.MirrorIOFailed
		}
		r.flags |= abi.FlagMirrorError
	case mr.chain == noChain:
		mr.state = abi.MirrorIOComplete
	}
	if waited && !mr.waiting() {
		mr.settle(false) // its chain was never started
		mr.leaveShadow()
	}
	if ok {
		r.arrived(m, p.Now())
	} else {
		r.missed(m)
	}
	r.x.wake(m)
	r.open--
	r.mirrorEnded(p)
	r.release()
}

// waitsForCopies reports whether the application is told only when the copies
// have ended.
func (r *Request) waitsForCopies() bool {
	return r.copying != 0 && r.promise.Durability == DurableMirrors &&
		r.flags&abi.FlagConstantCopy == 0 && r.pair.Mode == abi.ModeSynchronous
}

// onMirror reports whether mirror number i has what the request has written. Its unit
// may have been another mirror's, or the primary's, when it got that.
func (r *Request) onMirror(i int) bool {
	m := r.pair.mirrors[i]
	if m.unit == r.block.UCB || m.unit == r.former {
		return true
	}
	for j := range r.pair.mirrors {
		bit, mr := uint8(1)<<j, &r.mirrors[j]
		switch {
		case r.made&bit == 0 || mr.unit != m.unit:
		case r.changed&bit != 0:
			if r.copied&bit != 0 {
				return true
			}
		case mr.state == abi.MirrorIOComplete && !mr.inexact:
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
