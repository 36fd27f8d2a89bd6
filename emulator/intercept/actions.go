package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// allMirrors is the mask of every mirror of a pair.
const allMirrors = ^uint8(0)

// dissociateMirrors cuts mirrors off at the request of a detour. (M4.)
func (x *Process) dissociateMirrors(c *call, n *abi.Intent) hooks.Refusal {
	switch {
	case c.role.pair == nil:
		return hooks.WrongTarget
	case n.Code > abi.ScopeGroup:
		return hooks.UnknownCode
	}
	x.step(c.p, step.DissociateMirror, abi.HookTable[c.hook].Actor, c.block.ID)
	x.dissociate(c.p, c.role.pair, n.Mirrors, n.Code)
	return hooks.CarriedOut
}

// dissociate cuts mirrors off: they take no writes until they are synchronised
// again, and the tracks of the writes that they miss are marked. (M4.)
func (x *Process) dissociate(p *machine.Processor, pair *Pair, mask uint8, scope uint8) {
	switch scope {
	case abi.ScopeMirror:
		x.cut(p, pair, mask)
	case abi.ScopePair:
		x.cut(p, pair, allMirrors)
	case abi.ScopeGroup:
		for _, o := range x.pairs {
			if o == pair || pair.group != nil && o.group == pair.group {
				x.cut(p, o, allMirrors)
			}
		}
	}
}

func (x *Process) cut(p *machine.Processor, pair *Pair, mask uint8) {
	for i, m := range pair.mirrors {
		if mask&(1<<i) == 0 || m.State == abi.MirrorSuspended || m.State == abi.MirrorFailed {
			continue
		}
		m.State = abi.MirrorSuspended
		x.counts.Dissociated++
		x.wake(m)
		x.ios.Purge(p, m.unit, ios.DriverMirror)
		x.Log.Warn("mirror dissociated", "pair", pair.ID, "mirror", i+1, "time", p.Now())
	}
}

// retryMirrors tries failed mirror requests again: with their chains if no later
// write has reached the same tracks, with copies of the tracks if there is no
// valid chain. (Step 306.)
func (x *Process) retryMirrors(c *call, n *abi.Intent) hooks.Refusal {
	p, r, mask := c.p, c.r, n.Mirrors
	switch {
	case r.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case mask == 0 || mask&^r.made() != 0:
		return hooks.NoRequest
	}
	latest := true
	for t := r.program.Tracks.First; t <= r.program.Tracks.Last; t++ {
		latest = latest && r.pair.written[t] == r.number
	}
	why := hooks.CarriedOut
	for i := range r.pair.mirrors {
		if mask&(1<<i) == 0 {
			continue
		}
		mr := &r.mirrors[i]
		switch {
		case mr.chain == noChain:
			why = why.First(x.retryByCopy(c, mr))
		case mr.state != mirrorFailed:
			why = why.First(hooks.RequestState)
		case mr.m.State != abi.MirrorInSync:
			why = why.First(hooks.MirrorState)
		case !latest:
			why = why.First(hooks.Overtaken)
		default:
			if over := x.attempt(c, mr); over != hooks.CarriedOut {
				why = why.First(over)
				continue
			}
			x.counts.Retried++
			mr.enter(mirrorShadow)
			mr.start(p)
		}
	}
	return why
}

// redirected reports whether r, which has come to a mirror's unit, is an
// application's request for the pair's volume: the unit was the primary when the
// request was queued there, or is the unit by which applications know the volume.
func (r *Request) redirected() bool {
	return r.addressed == r.pair.volume && r.routed == nil && r.block.DriverID < ios.DriverMirror
}

// survived reports whether the primary got a write by its mirror I/O, at a time at
// which it was still a mirror.
func (r *Request) survived() bool {
	return r.any(func(mr *mirrorRequest) bool { return mr.state.complete() && mr.unit == r.pair.primary })
}
