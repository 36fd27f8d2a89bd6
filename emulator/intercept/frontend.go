package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// frontEnd calls the front-end detours for a request. It returns Started when the
// request is to go on to DDTSIO. (Steps 106, 108.)
func (x *Process) frontEnd(c *call) ios.ReturnCode {
	x.consult(c)
	switch {
	case c.rc == ios.Started:
		*c.since = 0
	case c.rc == ios.Queued && c.role.role == abi.RolePrimary && c.r.active() == 0:
		// The mirror requests that the detours have asked for are dropped, as the
		// detours will ask again. On the shadow queue they would keep a synchronisation
		// waiting, which in turn keeps the request from being started.
		c.r.redriven()
	}
	return c.rc
}

// pointAtBackEnd makes the return address point at the back-end detours. (Step
// 108.)
func (x *Process) pointAtBackEnd(c *call, _ *abi.Intent) hooks.Refusal {
	c.backEnd = true
	return hooks.CarriedOut
}

// reject fails the request. (Step 130.)
func (x *Process) reject(c *call, n *abi.Intent) hooks.Refusal {
	c.block.CompletionCode = n.Code
	if n.Code == 0 || n.Code == arch.CompletionNormal {
		c.block.CompletionCode = arch.CompletionRejected
	}
	x.counts.Rejected++
	c.rc = ios.Refused
	return hooks.CarriedOut
}

// leaveQueued leaves the request queued. (Step 122.)
func (x *Process) leaveQueued(c *call, _ *abi.Intent) hooks.Refusal {
	switch {
	case c.rc != ios.Started:
		return hooks.Contradiction
	case !c.patient():
		c.rc = x.overruleRetry(c)
		return hooks.PatienceOver
	}
	c.rc = ios.Queued
	return hooks.CarriedOut
}

// patient reports whether the request may be left queued once more.
func (c *call) patient() bool {
	if *c.since == 0 {
		*c.since = c.p.Now()
	}
	return c.p.Now()-*c.since < RetryPatience
}

// makeMirrors makes mirror requests and holds them on the shadow queue. (Steps
// 124, 228, 236.)
func (x *Process) makeMirrors(c *call, n *abi.Intent) hooks.Refusal {
	r, resp := c.r, &c.asked.Detour.Frame().Response
	switch {
	case c.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case r.program.Truncated() && n.Flags&abi.MirrorWithError == 0:
		return hooks.Program
	}
	why := hooks.CarriedOut
	for i, m := range r.pair.mirrors {
		bit := uint8(1) << i
		if n.Mirrors&bit == 0 {
			continue
		}
		if m.State != abi.MirrorInSync && m.State != abi.MirrorSynchronising {
			why = why.First(hooks.MirrorState)
			continue
		}
		mr := &r.mirrors[i]
		if mr.made() {
			why = why.First(hooks.RequestState)
			continue
		}
		mr.prepare(m, r.block.ChannelProgram)
		mr.inexact, mr.touches = r.program.Modifies, r.program.Tracks
		switch {
		case n.Flags&abi.MirrorWithError != 0:
			mr.chain = noChain
		case n.Count == 0 && r.program.Stores:
			why = why.First(hooks.Program) // two devices would store into the same areas
			continue
		case n.Count != 0:
			if built := x.build(mr, resp, n); built != hooks.CarriedOut {
				why = why.First(built)
				continue
			}
		}
		if m.State == abi.MirrorSynchronising {
			mr.flags |= abi.MirrorWasSynchronising
		}
		mr.enter(mirrorShadow)
		if n.Flags&abi.MirrorConstantCopy != 0 || r.pair.Mode == abi.ModeConstantCopy {
			r.flags |= abi.FlagConstantCopy
		}
	}
	if made := r.made(); made&(made-1) != 0 {
		x.step(c.p, step.UseSeveralMirrors, "intercept process", c.block.ID)
	}
	if n.Mirrors>>len(r.pair.mirrors) != 0 {
		why = why.First(hooks.NoSuchMirror)
	}
	return why
}

// noChain is the channel-program address of a mirror request without a valid
// chain.
const noChain = ^machine.Address(0)

// route passes a read to a mirror's unit. (Step 192.)
func (x *Process) route(c *call, n *abi.Intent) hooks.Refusal {
	if why := x.routable(c, n.Code); why != hooks.CarriedOut {
		return why
	}
	r, m := c.r, c.r.pair.mirrors[n.Code]
	r.routed, r.origin = m, abi.OriginRouted
	r.routes++
	x.counts.Routed++
	c.rc = ios.Moved
	x.ios.Move(c.p, c.q, m.unit)
	return hooks.CarriedOut
}

// routable returns the reason why mirror number i may not serve the read, or that
// it may: every track must be the same on the mirror as on the primary, and the
// chain must only read.
func (x *Process) routable(c *call, i uint8) hooks.Refusal {
	r := c.r
	switch {
	case c.rc != ios.Started || r.made() != 0:
		return hooks.Contradiction
	case c.role.role != abi.RolePrimary || c.origin != abi.OriginApplication:
		return hooks.WrongTarget
	case int(i) >= len(r.pair.mirrors):
		return hooks.NoSuchMirror
	case r.program.Writes:
		return hooks.Program
	case r.routes == MaxRoutes:
		return hooks.TooOften
	case r.pair.mirrors[i].State != abi.MirrorInSync:
		return hooks.MirrorState
	case !r.pair.mirrors[i].account.inSync(r.program.Tracks):
		return hooks.MirrorBehind
	}
	return hooks.CarriedOut
}
