package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
)

// allMirrors is the mask of every mirror of a pair.
const allMirrors = ^uint8(0)

// dissociate cuts mirrors off: they take no writes until they are synchronised
// again, and what they miss is marked. (M4.)
func (x *Process) dissociate(p *machine.Processor, pair *Pair, mask uint8, scope uint8) {
	switch scope {
	case abi.ScopeMirror:
		x.cut(p, pair, mask)
	case abi.ScopePair:
		x.cut(p, pair, allMirrors)
	case abi.ScopeGroup:
		for _, o := range x.pairs {
			if o == pair || pair.Group != 0 && o.Group == pair.Group {
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
		x.Log.Warn("mirror dissociated", "pair", pair.ID, "mirror", i, "time", p.Now())
	}
}

// retryMirrors tries failed mirror requests again, where no later write has
// reached the same tracks. (Step 306.)
func (x *Process) retryMirrors(p *machine.Processor, r *Request, mask uint8) bool {
	if r.role.role != abi.RolePrimary || mask == 0 || mask&^r.made != 0 {
		return false
	}
	e := r.program.tracks
	for t := e.first; t <= e.last; t++ {
		if r.pair.written[t] != r.number {
			return false
		}
	}
	ok := true
	for i := range r.pair.mirrors {
		if mask&(1<<i) == 0 {
			continue
		}
		mr := &r.mirrors[i]
		if mr.state != abi.MirrorIOFailed || mr.chain == noChain || mr.m.State != abi.MirrorInSync {
			ok = false
			continue
		}
		x.counts.Retried++
		x.shadow++
		mr.state = abi.MirrorIOShadow
		mr.start(p)
	}
	return ok
}

// promote makes mirror number i the primary. (M3.)
func (x *Process) promote(c *call, i uint8) bool { return false }
