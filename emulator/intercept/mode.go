package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
)

// A pair goes over to constant copy for one of two reasons. A detour may find that
// its mirrors lag and say so with any request: the mode then holds until a detour
// asks for the other one. Or a chain suspends itself, and nobody knows for how
// long (182, 216, 234): the mode then holds while such a chain is under way, on
// the primary or, by its mirror I/Os, on a mirror. When the last of them has
// ended, and its writes are not at risk any more, the pair returns to the mode
// that it would have had without them; otherwise one such chain would leave it in
// constant copy for good.

// setMode puts the pair into a mode. (Steps 182, 216, 234.)
func (x *Process) setMode(c *call, n *abi.Intent) hooks.Refusal {
	pair, r := c.role.pair, c.r
	switch {
	case pair == nil:
		return hooks.WrongTarget
	case n.Code > uint8(abi.ModeConstantCopy):
		return hooks.UnknownCode
	}
	mode := abi.PairMode(n.Code)
	if mode == abi.ModeConstantCopy && c.hook == abi.FrontEnd && c.role.role == abi.RolePrimary && c.origin != abi.OriginMirror && r.program.Suspends {
		if !r.suspending {
			r.suspending = true
			if pair.suspending++; pair.suspending == 1 {
				pair.usual = pair.Mode
			}
		}
	} else {
		pair.usual = mode
	}
	x.enter(pair, mode)
	return hooks.CarriedOut
}

func (x *Process) enter(pair *Pair, mode abi.PairMode) {
	if mode != pair.Mode {
		pair.Mode = mode
		x.counts.Modes++
	}
}

// resetModes puts every pair into synchronous mode, because a policy begins.
func (x *Process) resetModes() {
	for _, p := range x.pairs {
		p.Mode, p.usual = abi.ModeSynchronous, abi.ModeSynchronous
	}
}

// unsuspend ends the effect of a request whose chain has suspended itself on the
// pair's mode.
func (r *Request) unsuspend() {
	if !r.suspending {
		return
	}
	r.suspending = false
	if r.pair.suspending--; r.pair.suspending == 0 {
		r.x.enter(r.pair, r.pair.usual)
	}
}
